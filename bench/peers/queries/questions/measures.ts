import { dayOf, isName, last } from '../dialect.ts';
import type { Question } from '../question.ts';
import { segmentQuestion } from './segment.ts';

/** Of cents, which no sum of purchases can be: so doubles and decimals agree on who has spent so much. */
const SPENT = 300.005;

export const spent: Question = segmentQuestion({
  name: 'sum',
  what: `amounts of Order Completed >= ${SPENT} in 60 days`,
  definition: { event: 'Order Completed', within: { last: '60d' }, sum: { prop: 'amount', gte: SPENT } },
  members: [
    {
      form: 'group by',
      sql: (d, table) => `SELECT user_id FROM ${table}
        WHERE ${isName(d, 'event', 'Order Completed')} AND ${last(d, 60)} GROUP BY user_id HAVING sum(amount) >= ${SPENT}`,
    },
  ],
});

export const products: Question = segmentQuestion({
  name: 'distinct',
  what: 'Product Viewed of >= 5 products in 60 days',
  definition: { event: 'Product Viewed', within: { last: '60d' }, distinct: { prop: 'product', gte: 5 } },
  members: [
    {
      form: 'distinct',
      sql: (d, table) => `SELECT user_id FROM ${table}
        WHERE ${isName(d, 'event', 'Product Viewed')} AND ${last(d, 60)}
        GROUP BY user_id HAVING ${d.distinct('product')} >= 5`,
    },
    {
      form: 'group by twice',
      sql: (d, table) => `SELECT user_id FROM (
          SELECT user_id, product FROM ${table}
          WHERE ${isName(d, 'event', 'Product Viewed')} AND ${last(d, 60)} GROUP BY user_id, product) AS pairs
        GROUP BY user_id HAVING count(*) >= 5`,
    },
  ],
});

export const activeDays: Question = segmentQuestion({
  name: 'days',
  what: 'Session Started on >= 3 days in 30',
  definition: { event: 'Session Started', within: { last: '30d' }, days: { gte: 3 } },
  members: [
    {
      form: 'distinct',
      sql: (d, table) => `SELECT user_id FROM ${table}
        WHERE ${isName(d, 'event', 'Session Started')} AND ${last(d, 30)}
        GROUP BY user_id HAVING ${d.distinct(dayOf(d, d.ms('ts')))} >= 3`,
    },
    {
      form: 'group by twice',
      sql: (d, table) => `SELECT user_id FROM (
          SELECT user_id, ${dayOf(d, d.ms('ts'))} AS day FROM ${table}
          WHERE ${isName(d, 'event', 'Session Started')} AND ${last(d, 30)} GROUP BY user_id, day) AS pairs
        GROUP BY user_id HAVING count(*) >= 3`,
    },
  ],
});

export const firstEver: Question = segmentQuestion({
  name: 'first',
  what: 'first Order Completed ever in the last 30 days',
  definition: { event: 'Order Completed', first: { last: '30d' } },
  members: [
    {
      form: 'group by',
      sql: (d, table) => `SELECT user_id FROM ${table} WHERE ${isName(d, 'event', 'Order Completed')}
        GROUP BY user_id HAVING ${last(d, 30, 'min(ts)')}`,
    },
    {
      form: 'not in',
      sql: (d, table) => `SELECT DISTINCT user_id FROM ${table}
        WHERE ${isName(d, 'event', 'Order Completed')} AND ${last(d, 30)} AND user_id NOT IN (
          SELECT user_id FROM ${table} WHERE ${isName(d, 'event', 'Order Completed')} AND NOT (${last(d, 30)}))`,
    },
  ],
});
