import { expect, test } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { SeededRandom } from '../base/random.ts';
import { TimesTable } from './timesTable.ts';

const scratch = new Float64Array(8);

function timesOf(table: TimesTable, ordinal: number): number[] {
  return [...scratch.subarray(0, table.read(ordinal, scratch))];
}

test.each([1, 2, 3])('holds what a map holds (seed %i)', (seed) => {
  const random = new SeededRandom(seed);
  const table = new TimesTable();
  const map = new Map<number, number[]>();
  const ordinals = Array.from({ length: 300 }, () => random.below(40_000));
  for (let step = 0; step < 2000; step++) {
    const ordinal = random.pick(ordinals);
    const times = Array.from({ length: random.below(5) }, () => random.below(1e6) - 1e5);
    table.write(ordinal, Float64Array.from([-1, ...times, -1]), 1, 1 + times.length, -Infinity);
    map.set(
      ordinal,
      times.sort((a, b) => a - b),
    );
    const other = random.pick(ordinals);
    expect(timesOf(table, other)).toEqual(map.get(other) ?? []);
  }
  for (const [ordinal, times] of map) expect(timesOf(table, ordinal)).toEqual(times);
});

test('a child takes over the times of some, and goes on', () => {
  const random = new SeededRandom(4);
  const [table, child] = [new TimesTable(), new TimesTable()];
  const here = new Bitset(50_000);
  const write = (to: TimesTable, ordinal: number, count: number) => {
    to.write(
      ordinal,
      Float64Array.from({ length: count }, (_, i) => ordinal + i),
      0,
      count,
      -Infinity,
    );
  };
  for (let ordinal = 0; ordinal < here.size; ordinal += 7) {
    write(table, ordinal, 1 + (ordinal % 3));
    if (random.chance(0.4)) here.add(ordinal);
  }
  for (const _ of child.inherit(table, here));
  expect(child.memoryBytes).toBeLessThan(table.memoryBytes * 0.45);
  for (let ordinal = 0; ordinal < here.size; ordinal++) {
    expect(timesOf(child, ordinal)).toEqual(here.has(ordinal) ? timesOf(table, ordinal) : []);
  }
  for (let ordinal = 0; ordinal < here.size; ordinal += 5) write(child, ordinal, 2);
  for (let ordinal = 0; ordinal < here.size; ordinal += 5)
    expect(timesOf(child, ordinal)).toEqual([ordinal, ordinal + 1]);
});

test('expired times make room for new ones', () => {
  const table = new TimesTable();
  for (let ordinal = 0; ordinal < 100_000; ordinal++) {
    table.write(ordinal % 16_000, Float64Array.of(ordinal), 0, 1, ordinal - 1000);
  }
  expect(timesOf(table, 99_999 % 16_000)).toEqual([99_999]);
  expect(table.memoryBytes).toBeLessThan(1000 * 32);
});

test('a time costs 12.5 to 16 bytes', () => {
  const table = new TimesTable();
  for (let ordinal = 0; ordinal < 100_000; ordinal += 3) {
    table.write(ordinal, Float64Array.of(ordinal), 0, 1, -Infinity);
  }
  const bytesPerTime = table.memoryBytes / Math.ceil(100_000 / 3);
  expect(bytesPerTime).toBeGreaterThan(12);
  expect(bytesPerTime).toBeLessThan(16.1);
});
