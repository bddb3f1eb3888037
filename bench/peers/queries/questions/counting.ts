import { CLICKHOUSE, isName, isOneOf, last } from '../dialect.ts';
import type { Question } from '../question.ts';
import { segmentQuestion } from './segment.ts';

const VIEWED = 'Product Viewed';
const ORDERED = 'Order Completed';

export const atLeastThree: Question = segmentQuestion({
  name: 'count',
  what: `${VIEWED} >= 3 times in 30 days on ios`,
  definition: {
    event: VIEWED,
    where: [{ prop: 'platform', op: 'eq', value: 'ios' }],
    within: { last: '30d' },
    count: { gte: 3 },
  },
  members: [
    {
      form: 'group by',
      sql: (d, table) => `SELECT user_id FROM ${table}
        WHERE ${isName(d, 'event', VIEWED)} AND ${isName(d, 'platform', 'ios')} AND ${last(d, 30)}
        GROUP BY user_id HAVING count(*) >= 3`,
    },
  ],
});

export const didAndDidNot: Question = segmentQuestion({
  name: 'did-not',
  what: `${VIEWED} in 14 days and no ${ORDERED} in 30`,
  definition: {
    and: [{ event: VIEWED, within: { last: '14d' } }, { not: { event: ORDERED, within: { last: '30d' } } }],
  },
  members: [
    {
      form: 'group by',
      sql: (d, table) => `SELECT user_id FROM ${table}
        WHERE ${isOneOf(d, 'event', [VIEWED, ORDERED])} AND ${last(d, 30)} GROUP BY user_id
        HAVING ${d.countIf(`${isName(d, 'event', VIEWED)} AND ${last(d, 14)}`)} > 0
          AND ${d.countIf(isName(d, 'event', ORDERED))} = 0`,
    },
    {
      form: 'not in',
      sql: (d, table) => `SELECT DISTINCT user_id FROM ${table}
        WHERE ${isName(d, 'event', VIEWED)} AND ${last(d, 14)} AND user_id NOT IN (
          SELECT user_id FROM ${table} WHERE ${isName(d, 'event', ORDERED)} AND ${last(d, 30)})`,
    },
  ],
  clickhouse: [
    {
      form: 'bitmaps',
      sql: (table) => `SELECT bitmapAndnotCardinality(
          groupBitmapStateIf(user_id, ${isName(CLICKHOUSE, 'event', VIEWED)} AND ${last(CLICKHOUSE, 14)}),
          groupBitmapStateIf(user_id, ${isName(CLICKHOUSE, 'event', ORDERED)}))
        FROM ${table} WHERE ${isOneOf(CLICKHOUSE, 'event', [VIEWED, ORDERED])} AND ${last(CLICKHOUSE, 30)}`,
    },
    {
      form: 'bitmaps of two scans',
      sql: (table) => `SELECT bitmapAndnotCardinality(
        (SELECT groupBitmapState(user_id) FROM ${table}
          WHERE ${isName(CLICKHOUSE, 'event', VIEWED)} AND ${last(CLICKHOUSE, 14)}),
        (SELECT groupBitmapState(user_id) FROM ${table}
          WHERE ${isName(CLICKHOUSE, 'event', ORDERED)} AND ${last(CLICKHOUSE, 30)}))`,
    },
  ],
});
