import { expect, test } from 'vitest';
import { parseTest } from '../query/parseTest.ts';
import { PatternCheck } from '../query/pattern.ts';
import { nextTestChangeMs } from './timedTest.ts';

test.each([
  ['last', '2027-03-09'],
  ['next', '2027-03-08'], // 367 days before the one after that
])('an anniversary is waited for, however long the span: %s', (span, change) => {
  const json = { op: 'anniversary', value: { [span]: '104000000d' } };
  const asked = parseTest(json, '$', new PatternCheck());
  const nextMs = nextTestChangeMs('1990-03-09', asked, 'UTC', Date.parse('2026-11-30T12:00:00Z'));
  expect(nextMs).toBe(Date.parse(change));
});
