import { expect, it } from 'vitest';
import { giveBackNumbers, takeNumbers } from './spareNumbers.ts';

it('gives what was given back to the next who asks for as many or less, and never twice', () => {
  const first = takeNumbers(1000);
  giveBackNumbers(first);
  const second = takeNumbers(900);
  expect(second.buffer).toBe(first.buffer);
  expect(second.length).toBe(900);
  expect(takeNumbers(900).buffer).not.toBe(first.buffer);
  giveBackNumbers(second);
  expect(takeNumbers(0).buffer).not.toBe(first.buffer);
  expect(takeNumbers(1001).buffer).not.toBe(first.buffer);
});

it('keeps no more than a thread may keep', () => {
  const large = takeNumbers(5 << 20);
  giveBackNumbers(large);
  expect(takeNumbers(5 << 20).buffer).not.toBe(large.buffer);
});
