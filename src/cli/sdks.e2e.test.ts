import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KEYS, TestServer, until } from './testServer.ts';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.dispose());

type Calls = Pick<Analytics, 'track' | 'identify' | 'page' | 'group' | 'alias'>;

/** An SDK as it is used: calls that return nothing, and an end that waits until all are delivered. */
interface Sdk {
  readonly name: string;
  readonly library: string;
  open(): { readonly calls: Calls; close(): Promise<unknown> };
}

const SDKS: readonly Sdk[] = [
  {
    name: 'Segment',
    library: '@segment/analytics-node',
    open() {
      const sdk = new Analytics({ writeKey: KEYS.write, host: server.url });
      return { calls: sdk, close: () => sdk.closeAndFlush() };
    },
  },
  {
    name: 'RudderStack',
    library: 'analytics-node',
    open() {
      const sdk = new RudderAnalytics(KEYS.write, { dataPlaneUrl: server.url, gzip: true });
      return { calls: sdk as unknown as Calls, close: () => sdk.flush() };
    },
  },
];

test.each(SDKS)('what the SDK of $name sends is there, with the anonymous user merged', async (sdk) => {
  const { calls, close } = sdk.open();
  const userId = `${sdk.name} user`;
  const [visitor, phone] = [`${sdk.name} visitor`, `${sdk.name} phone`] as [string, string];
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
  calls.page({ anonymousId: visitor, name: 'Home', properties: { path: '/' }, timestamp: at(1) });
  calls.track({ anonymousId: visitor, event: 'Viewed', properties: { price: 1.5 }, timestamp: at(2) });
  calls.identify({
    userId,
    anonymousId: visitor,
    traits: { plan: 'pro', address: { city: 'Bonn' } },
    timestamp: at(3),
  });
  calls.track({ userId, event: 'Bought', properties: { tags: ['a', 'b'], none: null }, timestamp: at(4) });
  calls.group({ userId, groupId: 'g1', traits: { name: 'Initech' }, timestamp: at(5) });
  calls.track({ anonymousId: phone, event: 'Opened', timestamp: at(6) });
  calls.alias({ userId, previousId: phone, timestamp: at(7) });
  calls.track({ anonymousId: phone, event: 'Closed', timestamp: at(8) });
  await close();

  const timeline = () => server.call('user.timeline', { userId });
  await until(async () => (await timeline()).events.length === 5);
  const context = { '$context.library.name': sdk.library };
  expect((await timeline()).events).toMatchObject([
    { event: 'Closed', time: at(8).toISOString(), properties: context },
    { event: 'Opened', time: at(6).toISOString(), properties: context },
    { event: 'Bought', time: at(4).toISOString(), properties: { tags: ['a', 'b'], ...context } },
    { event: 'Viewed', time: at(2).toISOString(), properties: { price: 1.5, ...context } },
    { event: 'Page Viewed', time: at(1).toISOString(), properties: { name: 'Home', path: '/', ...context } },
  ]);
  for (const id of [userId, visitor, phone]) {
    const profile = await server.call('user.profile', { userId: id });
    expect({ ...profile, aliases: [...profile.aliases].sort() }).toMatchObject({
      id: userId,
      aliases: [phone, visitor],
      traits: { plan: 'pro', 'address.city': 'Bonn', group_id: 'g1', group_name: 'Initech' },
      devices: [],
    });
  }
  expect((await server.call('deadLetter.list', {})).total).toBe(0);
});
