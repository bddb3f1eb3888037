import { expect, test } from 'vitest';
import { Bitset } from './bitset.ts';
import { DAY_MS, HOUR_MS } from './limits.ts';
import { SeededRandom } from './random.ts';
import { TimingWheel } from './timingWheel.ts';

type Fired = readonly [id: number, deadlineMs: number];

/** The same contract on a plain list. */
class SortedTimers {
  readonly deadlines = new Map<number, number>();

  advance(nowMs: number, fire: (id: number, deadlineMs: number) => void): void {
    for (let due = this.#due(nowMs); due.length > 0; due = this.#due(nowMs)) {
      const momentMs = due[0]![1];
      for (const [id, deadlineMs] of due) {
        if (deadlineMs !== momentMs) break;
        if (this.deadlines.get(id) !== deadlineMs) continue;
        this.deadlines.delete(id);
        fire(id, deadlineMs);
      }
    }
  }

  #due(nowMs: number): Fired[] {
    const due = [...this.deadlines].filter(([, deadlineMs]) => deadlineMs <= nowMs);
    return due.sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  }
}

const START_MS = Date.UTC(2026, 10, 20);

function randomDelayMs(random: SeededRandom): number {
  return random.below(random.pick([2, 70, 5000, HOUR_MS, 40 * DAY_MS, 4000 * DAY_MS]));
}

test.each([1, 2, 3, 4, 5, 6])('fires what a sorted list fires (seed %i)', (seed) => {
  const random = new SeededRandom(seed);
  const wheel = new TimingWheel();
  const list = new SortedTimers();
  let nowMs = START_MS;
  wheel.advance(nowMs, () => {});
  for (let step = 0; step < 2000; step++) {
    const id = random.below(100);
    const action = random.below(10);
    if (action < 6) {
      const deadlineMs = nowMs + randomDelayMs(random);
      wheel.arm(id, deadlineMs);
      list.deadlines.set(id, deadlineMs);
    } else if (action < 8) {
      wheel.disarm(id);
      list.deadlines.delete(id);
    } else {
      nowMs += randomDelayMs(random);
      expect(fired(wheel, nowMs)).toEqual(fired(list, nowMs));
    }
    expect(wheel.size).toBe(list.deadlines.size);
    expect(wheel.deadlineOf(id)).toBe(list.deadlines.get(id));
    const earliestMs = Math.min(...list.deadlines.values());
    expect(wheel.nextDeadlineMs() ?? earliestMs).toBeLessThanOrEqual(earliestMs);
  }

  function fired(timers: TimingWheel | SortedTimers, untilMs: number): Fired[] {
    const result: Fired[] = [];
    timers.advance(untilMs, (id, deadlineMs) => {
      result.push([id, deadlineMs]);
      // Arms others from inside, some of them due at once; the same ones in both.
      if ((id + deadlineMs) % 3 !== 0 || result.length > 50) return;
      const other = (id * 7 + 1) % 100;
      const otherMs = deadlineMs + (deadlineMs % 200) * 10 ** (id % 8);
      if (timers instanceof TimingWheel) timers.arm(other, otherMs);
      else timers.deadlines.set(other, otherMs);
    });
    return result;
  }
});

test('past deadlines fire at the next advance, in their order', () => {
  const wheel = new TimingWheel(START_MS);
  wheel.arm(1, START_MS - 1);
  wheel.arm(2, START_MS - DAY_MS);
  wheel.arm(3, START_MS);
  expect(wheel.nextDeadlineMs()).toBe(START_MS);
  const order: number[] = [];
  wheel.advance(START_MS, (id) => order.push(id));
  expect(order).toEqual([2, 1, 3]);
  expect(wheel.nextDeadlineMs()).toBeUndefined();
});

test('what a timer disarms while firing does not fire', () => {
  const wheel = new TimingWheel(START_MS);
  wheel.arm(1, START_MS + 5);
  wheel.arm(2, START_MS + 5);
  const order: number[] = [];
  wheel.advance(START_MS + DAY_MS, (id) => {
    order.push(id);
    wheel.disarm(2);
  });
  expect(order).toEqual([1]);
});

test('advancing to the next deadline again and again reaches a far one in a few steps', () => {
  const wheel = new TimingWheel(START_MS);
  const deadlineMs = START_MS + 4000 * DAY_MS + 1;
  wheel.arm(7, deadlineMs);
  let firedMs = 0;
  let steps = 0;
  for (let nextMs = wheel.nextDeadlineMs(); nextMs !== undefined; nextMs = wheel.nextDeadlineMs()) {
    wheel.advance(nextMs, (_, dueMs) => {
      firedMs = dueMs;
      expect(nextMs).toBe(deadlineMs);
    });
    steps++;
  }
  expect(firedMs).toBe(deadlineMs);
  expect(steps).toBeLessThanOrEqual(8);
});

test('a child takes over the timers of some, and fires them as the parent would', () => {
  const random = new SeededRandom(7);
  const [wheel, child] = [new TimingWheel(START_MS), new TimingWheel(START_MS)];
  const here = new Bitset(10_000);
  for (let id = 0; id < 9000; id++) {
    if (random.chance(0.8)) wheel.arm(id, START_MS + randomDelayMs(random));
    if (random.chance(0.5)) here.add(id);
  }
  for (const _ of child.inherit(wheel, here));
  const firedBy = (some: TimingWheel) => {
    const fired: Fired[] = [];
    some.advance(START_MS + 5000 * DAY_MS, (id, deadlineMs) => fired.push([id, deadlineMs]));
    return fired;
  };
  const expected = firedBy(wheel).filter(([id]) => here.has(id));
  expect(expected.length).toBeGreaterThan(3000);
  expect(child.size).toBe(expected.length);
  expect(firedBy(child)).toEqual(expected);
});
