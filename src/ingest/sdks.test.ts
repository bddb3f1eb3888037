import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBody } from './body.ts';
import { collect } from './collect.ts';
import { writeKeyOf } from './keys.ts';
import { TestView } from './testView.ts';

/** What the real SDKs send is accepted as it is. */

const TIMESTAMP = new Date('2026-11-20T12:00:00.000Z');
const RECEIVED_AT_MS = TIMESTAMP.getTime() + 1000;

interface Capture {
  readonly request: IncomingMessage;
  readonly raw: Buffer;
}

let server: Server;
let url: string;
let captures: Capture[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    void buffer(request).then((raw) => {
      captures.push({ request, raw });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"success":true}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
});

async function collectCaptures() {
  const calls = [];
  for (const { request, raw } of captures) {
    expect(request.url).toBe('/v1/batch');
    const { value, bytes } = await readBody(raw, request.headers['content-encoding']);
    expect(writeKeyOf(request.headers.authorization, value)).toBe('wk_shop');
    const accepted = collect({
      type: 'batch',
      body: value,
      bytes,
      receivedAtMs: RECEIVED_AT_MS,
      view: new TestView(),
    });
    expect(accepted).toMatchObject({ letters: [], droppedValues: 0 });
    calls.push(...accepted.calls);
  }
  captures = [];
  return calls;
}

const PROPERTIES = {
  total: 12.5,
  coupon: null,
  items: [{ sku: 'a' }],
  tags: ['x', 'y'],
  address: { city: 'Bonn' },
};
const FLAT = { total: 12.5, items: '[{"sku":"a"}]', tags: ['x', 'y'], 'address.city': 'Bonn' };
const CAMPAIGN = { campaign: { name: 'spring' } };
const ann = { user: { known: true, id: 'ann' }, timeMs: TIMESTAMP.getTime(), messageId: expect.any(String) };
const anonymous = { ...ann, user: { known: false, id: 'a1' } };

function expectedCalls(library: string) {
  const kept = { '$context.library.name': library };
  return [
    {
      kind: 'event',
      ...ann,
      event: 'Order Completed',
      properties: { ...FLAT, ...kept, '$context.campaign.name': 'spring' },
    },
    { kind: 'event', ...anonymous, event: 'Page Viewed', properties: { name: 'Home', url: '/', ...kept } },
    { kind: 'event', ...anonymous, event: 'Screen Viewed', properties: { name: 'Cart', ...kept } },
    {
      kind: 'traits',
      ...ann,
      operations: [
        { op: 'set', trait: 'email', value: 'ann@example.com' },
        { op: 'increment', trait: 'visits', by: 1 },
        { op: 'unset', trait: 'phone' },
      ],
    },
    { kind: 'alias', of: 'identify', anonymousId: 'a1', userId: 'ann', timeMs: TIMESTAMP.getTime() },
    {
      kind: 'traits',
      ...ann,
      operations: [
        { op: 'set', trait: 'group_name', value: 'Acme' },
        { op: 'set', trait: 'group_id', value: 'g1' },
      ],
    },
    {
      kind: 'alias',
      of: 'alias',
      anonymousId: 'a0',
      userId: 'ann',
      timeMs: TIMESTAMP.getTime(),
      messageId: expect.any(String),
    },
  ];
}

/** The methods both SDKs share. */
interface Sdk {
  track(message: object): unknown;
  page(message: object): unknown;
  screen(message: object): unknown;
  identify(message: object): unknown;
  group(message: object): unknown;
  alias(message: object): unknown;
}

function callEverything(sdk: Sdk): void {
  const timestamp = TIMESTAMP;
  sdk.track({
    userId: 'ann',
    event: 'Order Completed',
    properties: PROPERTIES,
    context: CAMPAIGN,
    timestamp,
  });
  sdk.page({ anonymousId: 'a1', name: 'Home', properties: { url: '/' }, timestamp });
  sdk.screen({ anonymousId: 'a1', name: 'Cart', timestamp });
  const traits = { email: 'ann@example.com', visits: { $inc: 1 }, phone: null };
  sdk.identify({ userId: 'ann', anonymousId: 'a1', traits, timestamp });
  sdk.group({ userId: 'ann', groupId: 'g1', traits: { name: 'Acme' }, timestamp });
  sdk.alias({ userId: 'ann', previousId: 'a0', timestamp });
}

test('@segment/analytics-node', async () => {
  const analytics = new Analytics({ writeKey: 'wk_shop', host: url });
  callEverything(analytics as unknown as Sdk);
  await analytics.closeAndFlush();
  expect(await collectCaptures()).toEqual(expectedCalls('@segment/analytics-node'));
});

test('@rudderstack/rudder-sdk-node', async () => {
  const analytics = new RudderAnalytics('wk_shop', { dataPlaneUrl: url, flushInterval: 60_000 });
  callEverything(analytics as unknown as Sdk);
  await analytics.flush();
  expect(captures.some(({ request }) => request.headers['content-encoding'] === 'gzip')).toBe(true);
  expect(await collectCaptures()).toEqual(expectedCalls('analytics-node'));
});
