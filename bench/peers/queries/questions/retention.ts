import { AT_MS, between, CLICKHOUSE, DUCKDB, isName, isOneOf, WEEK_MS, weekOf } from '../dialect.ts';
import type { Cell, Question } from '../question.ts';
import { analysisQuestion, isoOf } from './analysis.ts';

const START = 'Session Started';
const RETURN = 'Order Completed';
const FROM_MS = Date.parse('2025-01-06T00:00:00Z');
const TO_MS = Date.parse('2025-04-28T00:00:00Z');
const PERIODS = 8;

interface Cohort {
  readonly t: string;
  readonly size: number;
  readonly returned: readonly number[];
}

/** Cohorts' sizes are the rows of week -1. */
export const retention: Question = {
  name: 'retention',
  what: `${START}, then ${RETURN} by week, 16 cohorts and ${PERIODS} weeks`,
  duckdb: { forms: [{ form: 'join', sql: joined }] },
  clickhouse: {
    forms: [
      { form: 'arrays', sql: arrays },
      { form: 'join', sql: joinedInClickHouse },
    ],
  },
  muster: analysisQuestion<{ readonly cohorts: readonly Cohort[] }>(
    'retention',
    [
      {
        ...{ from: isoOf(FROM_MS), to: isoOf(TO_MS), interval: 'week', periods: PERIODS },
        ...{ start: { event: START }, return: { event: RETURN } },
      },
    ],
    ({ cohorts }) =>
      cohorts.flatMap(({ t, size, returned }) =>
        [size, ...returned]
          .map((users, i): Cell[] => [Date.parse(t), i - 1, users])
          .filter(([, , users]) => users !== 0),
      ),
  ),
};

function joined(table: string): string {
  return `WITH
    firsts AS (SELECT user_id, first, ${weekOf(DUCKDB, 'first')} AS cohort FROM (
      SELECT user_id, min(epoch_ms(ts)) AS first FROM ${table}
      WHERE ${isName(DUCKDB, 'event', START)} AND ${between(DUCKDB, FROM_MS, TO_MS)} GROUP BY user_id)),
    returns AS (SELECT cohort, (epoch_ms(ts) - cohort) // ${WEEK_MS} AS k, count(DISTINCT user_id) AS users
      FROM ${table} JOIN firsts USING (user_id)
      WHERE ${isName(DUCKDB, 'event', RETURN)} AND ts >= ${DUCKDB.time(FROM_MS)} AND ts < ${DUCKDB.time(AT_MS)}
        AND epoch_ms(ts) >= first AND epoch_ms(ts) < cohort + ${(PERIODS + 1) * WEEK_MS}
      GROUP BY cohort, k)
    SELECT * FROM returns UNION ALL SELECT cohort, -1, count(*) FROM firsts GROUP BY cohort`;
}

function arrays(table: string): string {
  return `SELECT cohort, k, count() FROM (
    SELECT minIf(t, ${isName(CLICKHOUSE, 'event', START)} AND t < ${TO_MS}) AS first, ${weekOf(CLICKHOUSE, 'first')} AS cohort,
      arrayDistinct(arrayMap(x -> intDiv(x - cohort, ${WEEK_MS}),
        arrayFilter(x -> x >= first AND x < cohort + ${(PERIODS + 1) * WEEK_MS},
          groupArrayIf(t, ${isName(CLICKHOUSE, 'event', RETURN)})))) AS weeks
    FROM (SELECT user_id, event, toUnixTimestamp64Milli(ts) AS t FROM ${table}
      WHERE ${isOneOf(CLICKHOUSE, 'event', [START, RETURN])} AND ${between(CLICKHOUSE, FROM_MS, AT_MS)})
    GROUP BY user_id HAVING first > 0)
    ARRAY JOIN arrayPushBack(weeks, -1) AS k GROUP BY cohort, k`;
}

function joinedInClickHouse(table: string): string {
  return `WITH
    firsts AS (SELECT user_id, min(toUnixTimestamp64Milli(ts)) AS first, ${weekOf(CLICKHOUSE, 'first')} AS cohort
      FROM ${table} WHERE ${isName(CLICKHOUSE, 'event', START)} AND ${between(CLICKHOUSE, FROM_MS, TO_MS)} GROUP BY user_id)
    SELECT cohort, intDiv(toUnixTimestamp64Milli(ts) - cohort, ${WEEK_MS}) AS k, uniqExact(user_id)
    FROM ${table} JOIN firsts USING (user_id)
    WHERE ${isName(CLICKHOUSE, 'event', RETURN)} AND ${between(CLICKHOUSE, FROM_MS, AT_MS)}
      AND toUnixTimestamp64Milli(ts) >= first
      AND toUnixTimestamp64Milli(ts) < cohort + ${(PERIODS + 1) * WEEK_MS}
    GROUP BY cohort, k
    UNION ALL SELECT cohort, -1, count() FROM firsts GROUP BY cohort`;
}
