import { SESSION_PERIOD } from '../../../sessions.ts';
import { AT_MS } from '../dialect.ts';
import type { LeftOut, Question } from '../question.ts';
import { analysisQuestion, isoOf } from './analysis.ts';

/**
 * Muster adds amounts as doubles. Users who spent the same may then differ in the last bit, and where the edge of a fifth
 * is among them a rival's decimals, or its doubles in another order, put them elsewhere.
 */
const LEFT_OUT: LeftOut = { leftOut: 'who is at the edge of a fifth depends on the last bit of a sum' };

export const rfm: Question = {
  name: 'rfm',
  what: 'fifths of recency, frequency and amount of Order Completed over 180 days (Muster alone)',
  duckdb: LEFT_OUT,
  clickhouse: LEFT_OUT,
  muster: analysisQuestion<{ readonly grid: readonly (readonly { readonly users: number }[])[] }>(
    'rfm',
    [
      {
        ...{ from: isoOf(SESSION_PERIOD.startMs), to: isoOf(AT_MS) },
        ...{ event: 'Order Completed', monetary: 'amount' },
      },
    ],
    ({ grid }) => grid.map((row) => row.map(({ users }) => users)),
  ),
};
