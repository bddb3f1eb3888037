import { expect, it } from 'vitest';
import { Bitset } from './bitset.ts';
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

it('takes over what is here of another list, and grows on', () => {
  const [numbers, some] = [0, 1].map(() => new PagedList<number>((size) => new Uint32Array(size)));
  const here = new Bitset(2500);
  for (let i = 0; i < 2500; i++) {
    numbers!.push(i * 10);
    if (i % 3 === 0) here.add(i);
  }
  for (const _ of some!.inherit(numbers!, here, (i) => i));
  some!.push(7);
  expect(some!.length).toBe(2501);
  expect(Array.from({ length: 2501 }, (_, i) => some!.get(i))).toEqual(
    Array.from({ length: 2501 }, (_, i) => (i === 2500 ? 7 : i % 3 === 0 ? i * 10 : i)),
  );
});
