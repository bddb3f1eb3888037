import { expect, it } from 'vitest';
import { giveBack, spareArrayBytes, takeCounts, takeNumbers, takeWords } from './spareArrays.ts';

it('gives what was given back to the next who asks for as much or less, and never twice', () => {
  const first = takeNumbers(10_000).fill(7);
  giveBack(first);
  expect(spareArrayBytes()).toBe(first.buffer.byteLength);
  expect(takeNumbers(0).buffer).not.toBe(first.buffer);
  expect(takeNumbers(11_000).buffer).not.toBe(first.buffer);
  const counts = takeCounts(20_100);
  expect(counts.buffer).toBe(first.buffer);
  expect(counts).toEqual(new Uint32Array(20_100));
  expect(takeCounts(20_000).buffer).not.toBe(first.buffer);
  expect(spareArrayBytes()).toBe(0);
});

it('lets go of what is small', () => {
  giveBack(takeWords(1000));
  expect(spareArrayBytes()).toBe(0);
});

it('keeps no more than a thread may keep, and the larger ones first', () => {
  const [small, large, huge] = [takeNumbers(1 << 20), takeNumbers(4 << 20), takeNumbers(5 << 20)];
  for (const each of [huge, small, large]) giveBack(each);
  expect(spareArrayBytes()).toBe(32 << 20);
  expect(takeNumbers(1 << 19).buffer).toBe(large.buffer);
});
