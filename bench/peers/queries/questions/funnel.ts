import { DAY_MS } from '../../../../src/base/limits.ts';
import { AT_MS, CLICKHOUSE, type Dialect, DUCKDB, isName, isOneOf } from '../dialect.ts';
import type { Question } from '../question.ts';
import { analysisQuestion, isoOf } from './analysis.ts';

const STEPS = ['Product Viewed', 'Product Added', 'Order Completed'] as const;
const WINDOW_MS = 7 * DAY_MS;
const FROM_MS = AT_MS - 90 * DAY_MS;

/**
 * Users by the steps they came to. No first step begins after the range, since no event is later, and no name is in two
 * steps: so windowFunnel, which keeps the latest chain of every length, finds the longest over all beginnings, as the
 * ASOF joins do. The median times are Muster's alone.
 */
export const funnel: Question = {
  name: 'funnel',
  what: `${STEPS.join(', ')} within 7 days, begun in 90`,
  duckdb: {
    forms: [
      { form: 'asof', sql: asOf },
      { form: 'window', sql: windows },
    ],
  },
  clickhouse: { forms: [{ form: 'windowFunnel', sql: windowFunnel }] },
  muster: analysisQuestion<{ readonly steps: readonly { readonly users: number }[] }>(
    'funnel',
    [
      {
        ...{ from: isoOf(FROM_MS), to: isoOf(AT_MS) },
        steps: STEPS.map((event) => ({ event })),
        window: '7d',
      },
    ],
    ({ steps }) => [steps.map(({ users }) => users)],
  ),
};

function stepsIn(dialect: Dialect): [string, string, string] {
  return STEPS.map((step) => isName(dialect, 'event', step)) as [string, string, string];
}

function asOf(table: string): string {
  const [first, second, third] = stepsIn(DUCKDB);
  const of = (condition: string) => `SELECT user_id, epoch_ms(ts) AS t FROM ${table}
    WHERE ${condition} AND ts >= ${DUCKDB.time(FROM_MS)}`;
  return `WITH a AS (${of(first)}),
    b AS (SELECT x.user_id, x.t, a.t AS begun FROM (${of(second)}) AS x
      ASOF JOIN a ON x.user_id = a.user_id AND x.t >= a.t WHERE x.t <= a.t + ${WINDOW_MS}),
    c AS (SELECT x.user_id FROM (${of(third)}) AS x
      ASOF JOIN b ON x.user_id = b.user_id AND x.t >= b.t WHERE x.t <= b.begun + ${WINDOW_MS})
    SELECT (SELECT count(DISTINCT user_id) FROM a),
      (SELECT count(DISTINCT user_id) FROM b), (SELECT count(DISTINCT user_id) FROM c)`;
}

/** What began last is carried along each user's events. */
function windows(table: string): string {
  const [first, second, third] = stepsIn(DUCKDB);
  const over = 'OVER (PARTITION BY user_id ORDER BY t)';
  return `WITH
    events AS (SELECT user_id, event, epoch_ms(ts) AS t FROM ${table}
      WHERE ${isOneOf(DUCKDB, 'event', STEPS)} AND ts >= ${DUCKDB.time(FROM_MS)}),
    a AS (SELECT *, max(CASE WHEN ${first} THEN t END) ${over} AS first FROM events),
    b AS (SELECT *, max(CASE WHEN ${second} AND t <= first + ${WINDOW_MS} THEN first END) ${over} AS second FROM a)
    SELECT count(DISTINCT user_id) FILTER (WHERE ${first}),
      count(DISTINCT user_id) FILTER (WHERE ${second} AND t <= first + ${WINDOW_MS}),
      count(DISTINCT user_id) FILTER (WHERE ${third} AND t <= second + ${WINDOW_MS}) FROM b`;
}

function windowFunnel(table: string): string {
  const [first, second, third] = stepsIn(CLICKHOUSE);
  return `SELECT countIf(level >= 1), countIf(level >= 2), countIf(level >= 3) FROM (
    SELECT windowFunnel(${WINDOW_MS})(toUInt64(toUnixTimestamp64Milli(ts)), ${first}, ${second}, ${third}) AS level
    FROM ${table} WHERE ${isOneOf(CLICKHOUSE, 'event', STEPS)} AND ts >= ${CLICKHOUSE.time(FROM_MS)} GROUP BY user_id)`;
}
