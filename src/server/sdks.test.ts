import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { expect, it } from 'vitest';
import { FakeApi, LISTENER_KINDS, serve } from './testApi.ts';

it.each(LISTENER_KINDS)('SDKs deliver to %s unchanged', async (kind) => {
  const api = new FakeApi();
  const server = await serve(kind, api);
  const events = () =>
    api.accepted.flatMap(({ calls }) => calls.map((call) => 'event' in call && call.event));

  const segment = new Analytics({ writeKey: 'wk', host: server.url, maxRetries: 0 });
  segment.track({ userId: 'u1', event: 'From Segment', properties: { price: 1 } });
  await segment.closeAndFlush();
  expect(events()).toEqual(['From Segment']);

  const rudder = new RudderAnalytics('wk', { dataPlaneUrl: server.url, flushAt: 1, gzip: true });
  await new Promise<void>((resolve, reject) => {
    rudder.track({ userId: 'u1', event: 'From RudderStack' }, (error?: Error) =>
      error ? reject(error) : resolve(),
    );
  });
  await rudder.flush();
  expect(events()).toEqual(['From Segment', 'From RudderStack']);
  expect(api.accepted.flatMap(({ letters }) => letters)).toEqual([]);
  await server.listener.close();
});
