import type { Definition } from '../../client/types.ts';

/** When the sample ends: the moment that the questions are about. */
export const SAMPLE_END = '2011-12-10T00:00:00Z';

const ORDERED = { event: 'Product Purchased' } as const;

export const QUESTIONS: readonly { readonly question: string; readonly segment: Definition }[] = [
  {
    question: 'Who bought something in the last 30 days?',
    segment: { ...ORDERED, within: { last: '30d' } },
  },
  {
    question: 'Who bought 100 times or more, and cancelled nothing?',
    segment: { and: [{ ...ORDERED, count: { gte: 100 } }, { not: { event: 'Order Line Cancelled' } }] },
  },
  {
    question: 'Who bought 24 or more of something for over £10 apiece?',
    segment: {
      ...ORDERED,
      where: [
        { prop: 'quantity', op: 'gte', value: 24 },
        { prop: 'price', op: 'gt', value: 10 },
      ],
    },
  },
  {
    question: 'Who bought in the spring, and not in the last half year?',
    segment: {
      and: [
        { ...ORDERED, within: { from: '2011-03-01', to: '2011-06-01' } },
        { not: { ...ORDERED, within: { last: '26w' } } },
      ],
    },
  },
  {
    question: 'Who lives outside the UK and bought a lunch bag or a jumbo bag?',
    segment: {
      and: [
        { profile: 'country', op: 'neq', value: 'United Kingdom' },
        {
          ...ORDERED,
          where: [
            {
              or: [
                { prop: 'name', op: 'startsWith', value: 'LUNCH BAG' },
                { prop: 'name', op: 'startsWith', value: 'JUMBO BAG' },
              ],
            },
          ],
        },
      ],
    },
  },
];
