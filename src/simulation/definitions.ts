export const SINK_URL = 'http://sink.test/hook';
/** Whoever is behind it may be gone for good. */
export const LEAVING_URL = 'http://leaving.test/hook';

/** Of an account, to begin with. */
export const TABLETS = 4;

/** What every account of the simulator saves: segments by name. */
export const SEGMENTS: Readonly<Record<string, { readonly definition: unknown; readonly live: boolean }>> = {
  buyers: { definition: { event: 'Order', count: { gte: 2 } }, live: true },
  recent: { definition: { event: ['Order', 'Page Viewed'], within: { last: '10m' } }, live: true },
  lapsed: {
    definition: { and: [{ event: 'Order' }, { not: { event: 'Order', within: { last: '5m' } } }] },
    live: true,
  },
  gold: { definition: { profile: 'plan', op: 'eq', value: 'gold' }, live: true },
  visitors: { definition: { profile: 'visitor', op: 'exists' }, live: true },
  big: { definition: { event: 'Order', where: [{ prop: 'amount', op: 'gte', value: 50 }] }, live: false },
  either: { definition: { or: [{ segment: 'gold' }, { segment: 'big' }] }, live: false },
};

/** Campaigns by name. `receipt` and `welcome` are saved once and stay; `nudge` is paused, resumed and removed. */
export function campaignsOf(account: string): Readonly<Record<string, object>> {
  const message = (campaign: string, serial: string, url = SINK_URL) => ({
    channel: 'webhook',
    message: { url, body: { account, campaign, serial } },
  });
  return {
    receipt: { name: 'receipt', trigger: { event: 'Order' }, ...message('receipt', '{{ event.serial }}') },
    welcome: {
      name: 'welcome',
      trigger: { segment: 'buyers', on: 'enter' },
      ...message('welcome', '{{ user.id }}'),
    },
    nudge: {
      name: 'nudge',
      trigger: { event: 'Page Viewed', delay: '1s', unless: { event: 'Order' } },
      ...message('nudge', '{{ event.serial }}', LEAVING_URL),
    },
  };
}
