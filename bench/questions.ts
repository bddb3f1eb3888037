import type { Definition } from '../src/client/types.ts';

/** Ten questions that people ask of a shop's events (synthetic.ts), about the end of their period. */
export const QUESTIONS: Readonly<Record<string, Definition>> = {
  'active this week': { event: ['Session Started', 'Page Viewed', 'Product Viewed'], within: { last: '7d' } },
  'viewed lamps 3 times in 30 days': {
    event: 'Product Viewed',
    where: [{ prop: 'category', op: 'eq', value: 'lamps' }],
    within: { last: '30d' },
    count: { gte: 3 },
  },
  'checkout in 14 days, no order in 30': {
    and: [
      { event: 'Checkout Started', within: { last: '14d' } },
      { not: { event: 'Order Completed', within: { last: '30d' } } },
    ],
  },
  'spent over 300 at once, ever': {
    event: 'Order Completed',
    where: [{ prop: 'total', op: 'gt', value: 300 }],
  },
  'added something red': {
    event: 'Product Added',
    where: [{ prop: 'product', op: 'startsWith', value: 'red ' }],
  },
  'came from one of three campaigns by phone': {
    event: 'Session Started',
    where: [
      { prop: 'campaign', op: 'in', value: ['campaign-1', 'campaign-2', 'campaign-3'] },
      {
        or: [
          { prop: 'platform', op: 'eq', value: 'ios' },
          { prop: 'platform', op: 'eq', value: 'android' },
        ],
      },
    ],
    within: { from: '2025-04-01', to: '2025-07-01' },
  },
  'paying, and lapsed for 60 days': {
    and: [
      { profile: 'plan', op: 'in', value: ['plus', 'pro'] },
      { event: 'Session Started' },
      { not: { event: 'Session Started', within: { last: '60d' } } },
    ],
  },
  'one user of one order id': {
    event: 'Order Completed',
    where: [{ prop: 'orderId', op: 'eq', value: 'O1' }],
  },
  'searched 2 to 4 times on a day': {
    event: 'Products Searched',
    within: { on: '2025-06-15' },
    count: { between: [2, 4] },
  },
  'six criteria at once': {
    and: [
      { profile: 'email_consent', op: 'eq', value: true },
      { profile: 'age', op: 'between', value: [25, 45] },
      {
        or: [
          { event: 'Order Completed', within: { last: '90d' }, count: { gte: 2 } },
          {
            event: 'Product Added',
            where: [{ prop: 'price', op: 'gte', value: 150 }],
            within: { last: '30d' },
          },
        ],
      },
      { not: { event: 'Support Contacted', within: { last: '30d' } } },
      { event: 'Page Viewed', within: { last: '90d' }, count: { gte: 5 } },
    ],
  },
};
