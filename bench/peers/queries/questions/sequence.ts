import { CLICKHOUSE, DUCKDB, last } from '../dialect.ts';
import type { Question } from '../question.ts';
import { segmentQuestion } from './segment.ts';

const HOUR_MS = 3_600_000;

/** An event of the first step is within the hour before an order when the latest of them is. */
export const sequence: Question = segmentQuestion({
  name: 'sequence',
  what: 'Product Viewed in 30 days and Order Completed within the hour',
  definition: {
    sequence: [{ event: 'Product Viewed' }, { event: 'Order Completed', within: '1h' }],
    within: { last: '30d' },
  },
  members: [
    {
      form: 'window',
      sql: (d, table) => `SELECT DISTINCT user_id FROM (
          SELECT user_id, event, ${d.ms('ts')} AS t,
            max(CASE WHEN event = 'Product Viewed' THEN ${d.ms('ts')} END)
              OVER (PARTITION BY user_id ORDER BY ts) AS viewed
          FROM ${table} WHERE event IN ('Product Viewed', 'Order Completed') AND ${last(d, 30)}) AS walked
        WHERE event = 'Order Completed' AND t <= viewed + ${HOUR_MS}`,
    },
  ],
  duckdb: [
    {
      form: 'asof',
      sql: (table) => `SELECT count(DISTINCT o.user_id)
        FROM (SELECT user_id, ts FROM ${table} WHERE event = 'Order Completed' AND ${last(DUCKDB, 30)}) AS o
        ASOF JOIN (SELECT user_id, ts FROM ${table} WHERE event = 'Product Viewed' AND ${last(DUCKDB, 30)}) AS v
          ON o.user_id = v.user_id AND o.ts >= v.ts
        WHERE ${DUCKDB.ms('o.ts')} - ${DUCKDB.ms('v.ts')} <= ${HOUR_MS}`,
    },
  ],
  clickhouse: [
    {
      form: 'windowFunnel',
      sql: (table) => `SELECT count() FROM (
        SELECT user_id FROM ${table}
        WHERE event IN ('Product Viewed', 'Order Completed') AND ${last(CLICKHOUSE, 30)}
        GROUP BY user_id
        HAVING windowFunnel(${HOUR_MS})(toUInt64(toUnixTimestamp64Milli(ts)),
          event = 'Product Viewed', event = 'Order Completed') = 2)`,
    },
    {
      form: 'asof',
      sql: (table) => `SELECT uniqExact(o.user_id)
        FROM (SELECT user_id, ts FROM ${table}
          WHERE event = 'Order Completed' AND ${last(CLICKHOUSE, 30)}) AS o
        ASOF JOIN (SELECT user_id, ts FROM ${table}
          WHERE event = 'Product Viewed' AND ${last(CLICKHOUSE, 30)}) AS v
          ON o.user_id = v.user_id AND o.ts >= v.ts
        WHERE toUnixTimestamp64Milli(o.ts) - toUnixTimestamp64Milli(v.ts) <= ${HOUR_MS}`,
    },
  ],
});
