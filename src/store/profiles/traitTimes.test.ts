import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { TIME_MS_END, TraitTimes } from './traitTimes.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

it.each<[string, number, number]>([
  ['within weeks', 20 * DAY_MS, 4],
  ['within years', 5000 * DAY_MS, 5],
  ['of any time', TIME_MS_END - NOW_MS, 6],
])('keeps times %s to the ms', (_, spreadMs, bytesEach) => {
  const random = new SeededRandom(1);
  const times = new TraitTimes(1000);
  const expected: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const spread = Math.floor((2 * random.fraction() - 1) * spreadMs);
    expected.push(i === 0 ? NOW_MS : Math.max(0, NOW_MS + spread));
    times.set(i, expected[i]!);
  }
  expect(expected.map((__, i) => times.get(i))).toEqual(expected);
  expect(Math.floor(times.memoryBytes / 1000)).toBe(bytesEach);
});

it('keeps the first and the last time there is', () => {
  for (const order of [
    [0, TIME_MS_END - 1, NOW_MS],
    [TIME_MS_END - 1, NOW_MS, 0],
    [NOW_MS, NOW_MS + 2 ** 31, NOW_MS - 2 ** 31, NOW_MS + 2 ** 39, 0],
  ]) {
    const times = new TraitTimes(order.length);
    for (const [i, timeMs] of order.entries()) times.set(i, timeMs);
    expect(order.map((_, i) => times.get(i))).toEqual(order);
  }
});
