import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeApi, LISTENER_KINDS, serve, type TestServer, unavailable } from './testApi.ts';

describe.each(LISTENER_KINDS)('collecting over %s', (kind) => {
  const api = new FakeApi();
  let server: TestServer;

  beforeAll(async () => {
    server = await serve(kind, api);
  });
  afterAll(() => server.listener.close());
  beforeEach(() => {
    api.accepted.length = 0;
    api.reason = undefined;
    api.accepting = async () => {};
  });

  const call = { userId: 'u1', event: 'Order Completed', traits: {}, groupId: 'g', previousId: 'a1' };
  const post = (path: string, body: unknown = call, headers: Record<string, string> = basic('wk')) =>
    fetch(`${server.url}/v1/${path}`, { method: 'POST', body: JSON.stringify(body), headers });

  it('takes every call of the API, by both names', async () => {
    for (const path of [
      'track',
      'identify',
      'page',
      'screen',
      'group',
      'alias',
      't',
      'i',
      'p',
      's',
      'g',
      'a',
    ]) {
      const response = await post(path);
      expect([path, response.status, await response.json()]).toEqual([path, 200, { success: true }]);
    }
    for (const path of ['batch', 'b', 'import']) {
      const response = await post(path, { batch: [{ ...call, type: 'track' }, 'no call'] });
      expect([path, response.status, await response.json()]).toEqual([path, 200, { success: true }]);
      expect(api.accepted.at(-1)).toMatchObject({ calls: [{ event: 'Order Completed' }], letters: [{}] });
    }
  });

  it('takes the key from wherever SDKs put it', async () => {
    expect((await post('t', call, basic('wk'))).status).toBe(200);
    expect((await post('t', call, { authorization: 'Bearer wk' })).status).toBe(200);
    expect((await post('t', { ...call, writeKey: 'wk' }, {})).status).toBe(200);
    expect((await post('t', call, basic('ak'))).status).toBe(200);
    expect(await statusAndCode(post('t', call, {}))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(post('t', { ...call, writeKey: 'no' }, {}))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(post('t', call, basic('no')))).toEqual([401, 'unauthorized']);
    expect(await statusAndCode(post('t', call, basic('rk')))).toEqual([403, 'forbidden']);
    expect(api.accepted).toHaveLength(4);
  });

  it('reads gzip, and JSON under any content type', async () => {
    const zipped = await fetch(`${server.url}/v1/track`, {
      method: 'POST',
      body: gzipSync(JSON.stringify(call)),
      headers: { ...basic('wk'), 'content-encoding': 'gzip' },
    });
    expect(zipped.status).toBe(200);
    expect((await post('track', call, { ...basic('wk'), 'content-type': 'text/plain' })).status).toBe(200);
  });

  it('answers with the status an SDK acts upon', async () => {
    const broken = await fetch(`${server.url}/v1/track`, { method: 'POST', body: '{', headers: basic('wk') });
    expect(broken.status).toBe(400);
    expect(await statusAndCode(post('track', {}))).toEqual([400, 'bad_request']);
    expect(await statusAndCode(post('batch', { batch: {} }))).toEqual([400, 'bad_request']);
    api.accepting = async () => {
      throw unavailable();
    };
    const full = await post('track');
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '7']);
    api.reason = 'replaying';
    const replaying = await post('track');
    expect([replaying.status, replaying.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await replaying.json()).toEqual({ code: 'unavailable', message: 'replaying' });
    expect(await statusAndCode(fetch(`${server.url}/ready`))).toEqual([503, 'unavailable']);
  });

  it('lets browsers call from any site, also when it refuses', async () => {
    const origin = 'https://shop.example';
    const preflight = await fetch(`${server.url}/v1/t`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization, content-type, x-retry-count, anonymousid',
      'access-control-max-age': '900',
    });
    const responses = [
      await post('t', call, { ...basic('wk'), origin }),
      await post('t', call, { ...basic('no'), origin }),
      await post('nowhere', call, { ...basic('wk'), origin }),
      await post('t', 'x'.repeat(6 << 20), { ...basic('wk'), origin }),
    ];
    expect(responses.map(({ status }) => status)).toEqual([200, 401, 404, 413]);
    for (const { headers } of responses) {
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-expose-headers')).toBe('Retry-After');
      expect(headers.get('vary')).toBe('Origin');
    }
    const elsewhere = await fetch(`${server.url}/health`, { headers: { origin } });
    expect(elsewhere.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('gives browsers their settings', async () => {
    const settings = await fetch(`${server.url}/v1/projects/wk/settings`);
    expect(await settings.json()).toMatchObject({
      integrations: {
        'Segment.io': { apiKey: 'wk', apiHost: `127.0.0.1:${server.port}/v1`, protocol: 'http' },
      },
    });
    expect(await statusAndCode(fetch(`${server.url}/v1/projects/no/settings`))).toEqual([
      401,
      'unauthorized',
    ]);
    expect(await statusAndCode(fetch(`${server.url}/v1/projects/rk/settings`))).toEqual([403, 'forbidden']);
  });

  it('says how it is', async () => {
    expect(await (await fetch(`${server.url}/version`)).json()).toEqual({ version: '1.2.3' });
    expect((await fetch(`${server.url}/ready`)).status).toBe(200);
    const metrics = await fetch(`${server.url}/metrics`);
    expect([metrics.headers.get('content-type'), await metrics.text()]).toEqual([
      'text/plain; version=0.0.4; charset=utf-8',
      'up 1\n',
    ]);
  });
});

function basic(key: string): Record<string, string> {
  return { authorization: `Basic ${btoa(`${key}:`)}` };
}

async function statusAndCode(asked: Promise<Response>): Promise<unknown[]> {
  const response = await asked;
  return [response.status, ((await response.json()) as { code: string }).code];
}
