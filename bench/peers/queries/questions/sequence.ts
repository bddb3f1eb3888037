import { CLICKHOUSE, DUCKDB, isName, isOneOf, last } from '../dialect.ts';
import type { Question } from '../question.ts';
import { segmentQuestion } from './segment.ts';

const VIEWED = 'Product Viewed';
const ORDERED = 'Order Completed';
const HOUR_MS = 3_600_000;

/** An event of the first step is within the hour before an order when the latest of them is. */
export const sequence: Question = segmentQuestion({
  name: 'sequence',
  what: 'Product Viewed in 30 days and Order Completed within the hour',
  definition: {
    sequence: [{ event: VIEWED }, { event: ORDERED, within: '1h' }],
    within: { last: '30d' },
  },
  members: [
    {
      form: 'window',
      sql: (d, table) => `SELECT DISTINCT user_id FROM (
          SELECT user_id, event, ${d.ms('ts')} AS t,
            max(CASE WHEN ${isName(d, 'event', VIEWED)} THEN ${d.ms('ts')} END)
              OVER (PARTITION BY user_id ORDER BY ts) AS viewed
          FROM ${table} WHERE ${isOneOf(d, 'event', [VIEWED, ORDERED])} AND ${last(d, 30)}) AS walked
        WHERE ${isName(d, 'event', ORDERED)} AND t <= viewed + ${HOUR_MS}`,
    },
  ],
  duckdb: [
    {
      form: 'asof',
      sql: (table) => `SELECT count(DISTINCT o.user_id)
        FROM (SELECT user_id, ts FROM ${table} WHERE ${isName(DUCKDB, 'event', ORDERED)} AND ${last(DUCKDB, 30)}) AS o
        ASOF JOIN (SELECT user_id, ts FROM ${table} WHERE ${isName(DUCKDB, 'event', VIEWED)} AND ${last(DUCKDB, 30)}) AS v
          ON o.user_id = v.user_id AND o.ts >= v.ts
        WHERE ${DUCKDB.ms('o.ts')} - ${DUCKDB.ms('v.ts')} <= ${HOUR_MS}`,
    },
  ],
  clickhouse: [
    {
      form: 'windowFunnel',
      sql: (table) => `SELECT count() FROM (
        SELECT user_id FROM ${table}
        WHERE ${isOneOf(CLICKHOUSE, 'event', [VIEWED, ORDERED])} AND ${last(CLICKHOUSE, 30)}
        GROUP BY user_id
        HAVING windowFunnel(${HOUR_MS})(toUInt64(toUnixTimestamp64Milli(ts)),
          ${isName(CLICKHOUSE, 'event', VIEWED)}, ${isName(CLICKHOUSE, 'event', ORDERED)}) = 2)`,
    },
    {
      form: 'asof',
      sql: (table) => `SELECT uniqExact(o.user_id)
        FROM (SELECT user_id, ts FROM ${table}
          WHERE ${isName(CLICKHOUSE, 'event', ORDERED)} AND ${last(CLICKHOUSE, 30)}) AS o
        ASOF JOIN (SELECT user_id, ts FROM ${table}
          WHERE ${isName(CLICKHOUSE, 'event', VIEWED)} AND ${last(CLICKHOUSE, 30)}) AS v
          ON o.user_id = v.user_id AND o.ts >= v.ts
        WHERE toUnixTimestamp64Milli(o.ts) - toUnixTimestamp64Milli(v.ts) <= ${HOUR_MS}`,
    },
  ],
});
