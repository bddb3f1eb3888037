import { expect, it } from 'vitest';
import { PagedList } from './pagedList.ts';

it('holds what was pushed and set, across pages', () => {
  const numbers = new PagedList<number>((size) => new Uint32Array(size));
  const texts = new PagedList<string>((size) => new Array<string>(size));
  for (let i = 0; i < 5000; i++) {
    numbers.push(i);
    texts.push(`t${i}`);
  }
  numbers.set(1024, 7);
  expect([numbers.length, texts.length]).toEqual([5000, 5000]);
  expect(numbers.capacity).toBeGreaterThanOrEqual(5000);
  expect([0, 1023, 1024, 4999].map((i) => numbers.get(i))).toEqual([0, 1023, 7, 4999]);
  expect([0, 1023, 1024, 4999].map((i) => texts.get(i))).toEqual(['t0', 't1023', 't1024', 't4999']);
});
