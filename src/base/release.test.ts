import { expect, test } from 'vitest';
import { release } from './release.ts';

test('the memory of a released array is free at once, without a collection', () => {
  const arrays = Array.from({ length: 8 }, () => new Float64Array(1 << 20).fill(1));
  const before = process.memoryUsage().arrayBuffers;
  for (const array of arrays) release(array);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(8 * 8 * (1 << 20));
  expect(arrays.map(({ length }) => length)).toEqual(arrays.map(() => 0));
});

test('shared memory is left to those who share it, and small arrays to the collector', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(3);
  const small = new Uint8Array(8).fill(3);
  release(shared);
  release(small);
  expect([shared[7], small[7]]).toEqual([3, 3]);
});
