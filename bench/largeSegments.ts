import type { Definition } from '../src/client/types.ts';

type Segments = Readonly<Record<string, Definition>>;

const VIEWED_OFTEN: Definition = { event: 'Product Viewed', within: { last: '30d' }, count: { gte: 2 } };
const BOUGHT: Definition = { event: 'Order Completed', within: { last: '90d' } };
const PAYING: Definition = { profile: 'plan', op: 'in', value: ['plus', 'pro', 'team'] };
const GROWN_UP: Definition = { profile: 'age', op: 'between', value: [25, 45] };
const WANTS_NEWS: Definition = { profile: 'newsletter', op: 'eq', value: true };

/** Questions about the large account (largeAccount.ts), of five criteria each, without patterns in texts. */
export const PLAIN_SEGMENTS: Segments = {
  'paying, looking, not buying': {
    and: [
      ...[PAYING, GROWN_UP, WANTS_NEWS, VIEWED_OFTEN],
      { not: { event: 'Order Completed', within: { last: '30d' } } },
    ],
  },
  'all five about events, ever': {
    and: [
      { event: 'Page Viewed', count: { gte: 3 } },
      { event: 'Products Searched' },
      { event: 'Product Added', count: { between: [1, 5] } },
      { not: { event: 'Support Contacted' } },
      { not: { event: 'Order Completed', count: { gte: 3 } } },
    ],
  },
  'all five with a property': {
    and: [
      {
        event: 'Product Viewed',
        where: [{ prop: 'platform', op: 'eq', value: 'ios' }],
        within: { last: '60d' },
      },
      {
        event: 'Session Started',
        where: [{ prop: 'city', op: 'in', value: ['City 0', 'City 1', 'City 2'] }],
      },
      {
        event: 'Order Completed',
        where: [{ prop: 'amount', op: 'gte', value: 100 }],
        within: { last: '90d' },
      },
      { not: { event: 'Product Removed', where: [{ prop: 'platform', op: 'neq', value: 'tv' }] } },
      {
        event: 'Product Added',
        where: [{ prop: 'product', op: 'neq', value: 'P10000' }],
        count: { lte: 20 },
      },
    ],
  },
  'first and last': {
    and: [
      { event: 'Session Started', first: { last: '90d' } },
      { event: 'Page Viewed', last: { last: '14d' } },
      { event: 'Product Viewed', count: { gte: 2 } },
      { not: { event: 'Checkout Started', first: { last: '60d' } } },
      { profile: 'city', op: 'in', value: ['City 0', 'City 3', 'City 5', 'City 8'] },
    ],
  },
  'all five about the profile': {
    and: [
      ...[PAYING, GROWN_UP, WANTS_NEWS],
      { profile: 'signedUp', op: 'withinLast', value: '400d' },
      { profile: 'score', op: 'gt', value: 250.5 },
    ],
  },
  'any of three, and not the others': {
    and: [
      { or: [BOUGHT, { event: 'Review Written' }, { profile: 'plan', op: 'eq', value: 'team' }] },
      { not: { event: 'Support Contacted', within: { last: '60d' } } },
      { not: { profile: 'city', op: 'eq', value: 'City 0' } },
    ],
  },
  'one user by e-mail': {
    and: [
      { profile: 'email', op: 'eq', value: 'anna.8c@example.com' },
      { profile: 'newsletter', op: 'exists' },
      { profile: 'age', op: 'neq', value: 17 },
      { not: { event: 'Support Contacted', within: { last: '30d' } } },
      { not: VIEWED_OFTEN },
    ],
  },
  'days, sums and values': {
    and: [
      ...[PAYING, WANTS_NEWS],
      { event: 'Order Completed', sum: { prop: 'amount', gte: 200 }, within: { last: '90d' } },
      { event: 'Page Viewed', days: { gte: 2 }, within: { last: '90d' } },
      { event: 'Product Viewed', distinct: { prop: 'product', gte: 3 }, within: { last: '90d' } },
    ],
  },
  'a sequence': {
    and: [
      ...[GROWN_UP, BOUGHT],
      { profile: 'signedUp', op: 'before', value: '-30d' },
      {
        sequence: [{ event: 'Products Searched' }, { event: 'Product Added', within: '1h' }],
        within: { last: '60d' },
      },
      { not: { event: 'Support Contacted' } },
    ],
  },
  'a tenth of those': {
    and: [{ sample: { percent: 10, salt: 'large' } }, PAYING, WANTS_NEWS, VIEWED_OFTEN, BOUGHT],
  },
};

/** The same, each with a pattern in place of one criterion. */
export const TEXT_SEGMENTS: Segments = {
  'e-mail contains': { and: [{ profile: 'email', op: 'contains', value: 'lia.1' }, ...besides()] },
  'e-mail starts with': { and: [{ profile: 'email', op: 'startsWith', value: 'anna.' }, ...besides()] },
  'e-mail matches': {
    and: [{ profile: 'email', op: 'matches', value: '^(anna|ben)\\..*\\.org$' }, ...besides()],
  },
  'city contains': { and: [{ profile: 'city', op: 'contains', value: '7' }, ...besides()] },
  'city matches': { and: [{ profile: 'city', op: 'matches', value: ' 1\\d$' }, ...besides()] },
  'event city matches': {
    and: [
      { event: 'Session Started', where: [{ prop: 'city', op: 'matches', value: ' 1\\d$' }] },
      ...besides(),
    ],
  },
};

function besides(): readonly Definition[] {
  return [PAYING, WANTS_NEWS, VIEWED_OFTEN, BOUGHT];
}
