import { expect, test } from 'vitest';
import { DAY_MS } from '../../base/limits.ts';
import { MemoryBudget } from '../../base/memoryBudget.ts';
import { SeededRandom } from '../../base/random.ts';
import { run } from '../testStore.ts';
import { durationList, medianSteps, NumberList } from './durations.ts';

function naiveMedian(numbers: readonly number[]): number | undefined {
  if (numbers.length === 0) return undefined;
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

test('the median of several lists is that of all their numbers sorted', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new SeededRandom(seed);
    const maxMs = random.pick([
      1,
      1000,
      70_000,
      7 * DAY_MS,
      2 ** 32 - 1,
      2 ** 32,
      1000 * DAY_MS,
      2 ** 53 - 1,
    ]);
    const lists = Array.from({ length: random.below(4) }, () => {
      const list = durationList(maxMs);
      const count = random.below(random.pick([2, 20, 700]));
      // Some lists have one number again and again.
      const end = random.chance(0.3) ? 1 : maxMs;
      for (let i = 0; i < count; i++) list.push(maxMs - Math.floor(random.fraction() * end));
      return list.toArray();
    });
    const all = lists.flatMap((list) => [...list]);
    expect(run(medianSteps(lists)), `seed ${seed}`).toBe(naiveMedian(all));
  }
});

test('a list that grows takes memory of the budget', () => {
  const budget = new MemoryBudget(20_000);
  const list = new NumberList<Uint32Array>('words', budget);
  for (let i = 0; i < 1024; i++) list.push(i);
  expect(list.toArray()).toEqual(Uint32Array.from({ length: 1024 }, (_, i) => i));
  // The longest array beside the one before it, and then beside the copy.
  expect(budget.bytesPeak).toBeGreaterThanOrEqual(1024 * 4 * 2);
  expect(() => {
    for (let i = 0; i < 10_000; i++) list.push(i);
  }).toThrow(expect.objectContaining({ code: 'too_large' }));
});
