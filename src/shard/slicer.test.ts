import { expect, test } from 'vitest';
import type { Clock } from '../base/clock.ts';
import { SLICE_MS_MAX } from '../base/limits.ts';
import { Slicer } from './slicer.ts';

/** A clock that moves only when a step says how long it took. */
function stepClock() {
  let nowMs = 0;
  let yields = 0;
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    schedule: () => () => {},
    yield: () => {
      yields++;
      return new Promise((resolve) => setImmediate(resolve));
    },
  };
  return { clock, pass: (ms: number) => (nowMs += ms), yields: () => yields };
}

test('long work returns to the event loop after each slice', async () => {
  const { clock, pass, yields } = stepClock();
  const slicer = new Slicer(clock);
  const work = function* () {
    for (let i = 0; i < 100; i++) yield void pass(0.5);
    return 'done';
  };
  expect(await slicer.run(work())).toBe('done');
  expect(yields()).toBe(Math.floor((100 * 0.5) / SLICE_MS_MAX));
});

test('pieces of work take turns', async () => {
  const { clock, pass } = stepClock();
  const slicer = new Slicer(clock);
  const order: string[] = [];
  const work = function* (name: string) {
    for (let i = 0; i < 4; i++) {
      order.push(name);
      yield void pass(1);
    }
  };
  await Promise.all([slicer.run(work('a')), slicer.run(work('b'))]);
  expect(order.lastIndexOf('a')).toBeGreaterThan(order.indexOf('b'));
});

test('an aborted piece ends with the reason, a failing one with its error; others go on', async () => {
  const { clock, pass } = stepClock();
  const slicer = new Slicer(clock);
  const abort = new AbortController();
  const endless = function* (): Generator<void> {
    for (;;) yield void pass(1);
  };
  const failing = function* (): Generator<void> {
    yield;
    throw new Error('broken');
  };
  const aborted = slicer.run(endless(), { signal: abort.signal });
  const failed = slicer.run(failing());
  await expect(failed).rejects.toThrow('broken');
  abort.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  const empty = function* (): Generator<void, number> {
    return 1;
  };
  expect(await slicer.run(empty())).toBe(1);
});
