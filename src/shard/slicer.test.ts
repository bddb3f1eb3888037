import { expect, test } from 'vitest';
import type { Clock } from '../base/clock.ts';
import { SLICE_MS_MAX } from '../base/limits.ts';
import { type SliceOptions, Slicer } from './slicer.ts';

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

test('long work returns to the event loop before its first slice and after each', async () => {
  const { clock, pass, yields } = stepClock();
  const slicer = new Slicer(clock);
  const work = function* () {
    for (let i = 0; i < 100; i++) yield void pass(0.5);
    return 'done';
  };
  expect(await slicer.run(work())).toBe('done');
  expect(yields()).toBe(1 + Math.floor((100 * 0.5) / SLICE_MS_MAX));
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

/** Runs work of so many steps of a millisecond each; gives the names in the order they ended, and when. */
async function ends(pieces: readonly (SliceOptions & { readonly name: string; readonly steps: number })[]) {
  const { clock, pass } = stepClock();
  const slicer = new Slicer(clock);
  const ended: [string, number][] = [];
  const work = function* (steps: number): Generator<void> {
    for (let i = 0; i < steps; i++) yield void pass(1);
  };
  const runs = pieces.map(async ({ name, steps, ...options }) => {
    await slicer.run(work(steps), options);
    ended.push([name, clock.monotonicMs()]);
  });
  await Promise.all(runs);
  return ended;
}

test('a short piece is over soon, whatever the size of the steps of long ones', async () => {
  const { clock, pass } = stepClock();
  const slicer = new Slicer(clock);
  const work = function* (steps: number, stepMs: number): Generator<void, number> {
    for (let i = 0; i < steps; i++) yield void pass(stepMs);
    return clock.monotonicMs();
  };
  const long = [1, 2, 3].map(() => slicer.run(work(300, 2)));
  const short = slicer.run(work(40, 0.1));
  expect(await short).toBeLessThan(4 * 4 + 2 * 3);
  const ended = await Promise.all(long);
  expect(Math.max(...ended) - Math.min(...ended)).toBeLessThan(10);
});

test('accounts share alike, however many pieces each has', async () => {
  const many = Array.from({ length: 9 }, (_, i) => ({ name: `many ${i}`, steps: 100, account: 'many' }));
  const ended = await ends([...many, { name: 'one', steps: 100, account: 'one' }]);
  expect(ended[0]![0]).toBe('one');
  expect(ended[0]![1]).toBeLessThan(2 * 100 + 20);
});

test('writes get three quarters, reads the rest', async () => {
  const ended = await ends([
    { name: 'read', steps: 100 },
    { name: 'write', steps: 150, isWrite: true },
  ]);
  expect(ended.map(([name]) => name)).toEqual(['write', 'read']);
  expect(ended[0]![1]).toBeGreaterThan(190);
  expect(ended[0]![1]).toBeLessThan(210);
});

test('who had nothing to do gets no time for that afterwards', async () => {
  const { clock, pass } = stepClock();
  const slicer = new Slicer(clock);
  const work = function* (steps: number): Generator<void, number> {
    for (let i = 0; i < steps; i++) yield void pass(1);
    return clock.monotonicMs();
  };
  await slicer.run(work(1000));
  const [late, other] = await Promise.all([
    slicer.run(work(100), { account: 'late' }),
    slicer.run(work(100), { account: 'other' }),
  ]);
  expect(Math.abs(late - other)).toBeLessThan(5);
});
