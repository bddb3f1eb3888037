import { expect, test } from 'vitest';
import { bar, grid, percent, readableNumber } from './charts.ts';
import { readableDuration } from './print.ts';

test('bars are as long as their share of the longest, to an eighth of a character', () => {
  expect(bar(10, 10)).toBe('█'.repeat(32));
  expect(bar(5, 10)).toBe('█'.repeat(16));
  expect(bar(3, 64)).toBe('█▌');
  expect(bar(1, 1_000_000)).toBe('▏');
  expect([bar(0, 10), bar(-1, 10), bar(0, 0)]).toEqual(['', '', '']);
});

test('numbers are as short as they are clear', () => {
  expect([0, 0.0004, 0.0749, 0.0996, 0.5, 1].map(percent)).toEqual([
    '0 %',
    '0.0 %',
    '7.5 %',
    '10 %',
    '50 %',
    '100 %',
  ]);
  expect([null, 0, 1234, 12.345, 1234.5].map(readableNumber)).toEqual(['–', '0', '1,234', '12.35', '1,235']);
  expect([0, 30.5, 3100, 720_000, 18_700_000, 86_400_000, 8_640_000_000].map(readableDuration)).toEqual([
    ...['0 ms', '31 ms', '3.1 s', '12 min', '5.2 h', '1.0 d', '100 d'],
  ]);
});

test('columns after the first go to the right', () => {
  expect(
    grid([
      ['', 'users'],
      ['a', '1'],
      ['bcd', ''],
    ]),
  ).toBe('     users\na        1\nbcd');
});
