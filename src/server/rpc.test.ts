import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { badRequest, MusterError } from '../base/errors.ts';
import { BODY_BYTES_MAX, RPC_CALLS_MAX, SOCKET_BUFFER_BYTES_MAX } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { unpack } from '../client/unpack.ts';
import { type Message, pack, packMessage, unpackMessage } from '../client/wire.ts';
import { SLOW_CONSUMER } from './listener.ts';
import { PROTOCOL_ERROR, UNSUPPORTED_DATA } from './rpcSocket.ts';
import { FakeApi, gate, LISTENER_KINDS, serve, type TestServer, unavailable } from './testApi.ts';

const track = (event: string) => ({ type: 'track', userId: 'u1', event, properties: {} });

describe.each(LISTENER_KINDS)('RPC over %s', (kind) => {
  const api = new FakeApi();
  let server: TestServer;

  beforeAll(async () => {
    server = await serve(kind, api);
  });
  afterAll(() => server.listener.close());
  beforeEach(() => {
    api.answer = async ({ params }) => params;
    api.reason = undefined;
    api.calls.length = 0;
    api.accepted.length = 0;
    api.keys.set('gone', { account: 'shop', role: 'read' });
  });

  describe('HTTP', () => {
    const post = (
      method: string,
      body: unknown,
      headers: Record<string, string> = { authorization: 'Bearer ak' },
    ) =>
      fetch(`${server.url}/rpc/${method}`, { method: 'POST', body: JSON.stringify(body) ?? null, headers });

    it('answers with the result itself', async () => {
      api.answer = async () => ({ count: 3, total: 9 });
      const response = await post('segment.count', { segment: { all: true } });
      expect([response.status, await response.json()]).toEqual([200, { count: 3, total: 9 }]);
      expect(api.calls[0]).toMatchObject({
        method: 'segment.count',
        params: { segment: { all: true } },
        principal: { account: 'shop', role: 'admin' },
      });
    });

    it('takes a missing body for no params, and answers nothing with null', async () => {
      api.answer = async ({ params }) => (Object.keys(params as object).length === 0 ? undefined : 'params');
      expect(await (await post('schema.get', undefined)).json()).toBeNull();
    });

    it('answers errors with their object and status', async () => {
      const basic = { authorization: `Basic ${btoa('rk:')}` };
      const cases: readonly (readonly [Promise<Response>, number, object])[] = [
        [post('segment.count', {}, {}), 401, { code: 'unauthorized' }],
        [post('segment.count', {}, { authorization: 'Bearer no' }), 401, { code: 'unauthorized' }],
        [post('segment.save', {}, basic), 403, { code: 'forbidden' }],
        [post('ingest.batch', { calls: [] }, basic), 403, { code: 'forbidden' }],
        [post('segment.count', {}, { authorization: 'Bearer wk' }), 403, { code: 'forbidden' }],
        [post('segment.invent', {}), 404, { code: 'not_found' }],
        [post('constructor', {}), 404, { code: 'not_found' }],
        [post('segment.count', []), 400, { code: 'bad_request', path: '$' }],
        [post('segment.count', { timeoutMs: 0 }), 400, { code: 'bad_request', path: 'timeoutMs' }],
        [post('segment.watch', {}), 400, { code: 'bad_request' }],
      ];
      for (const [response, status, body] of cases) {
        expect((await response).status).toBe(status);
        expect(await (await response).json()).toMatchObject(body);
      }
      api.answer = async () => {
        throw badRequest('must be a number', '$.and[1].count');
      };
      expect(await (await post('segment.count', {})).json()).toEqual({
        code: 'bad_request',
        message: 'must be a number',
        path: '$.and[1].count',
      });
      api.answer = async () => {
        throw unavailable();
      };
      const response = await post('segment.count', {});
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7']);
    });

    it('speaks MessagePack when asked to', async () => {
      const headers = { authorization: 'Bearer rk', 'content-type': 'application/msgpack' };
      const send = (body: Uint8Array, more: Record<string, string> = {}) =>
        fetch(`${server.url}/rpc/segment.count`, { method: 'POST', body, headers: { ...headers, ...more } });
      const packed = await send(pack({ a: 1 }));
      expect(packed.headers.get('content-type')).toBe('application/msgpack');
      expect(unpack(new Uint8Array(await packed.arrayBuffer()))).toEqual({ a: 1 });
      const json = await send(pack({ a: 1 }), { accept: 'application/json' });
      expect(await json.json()).toEqual({ a: 1 });
      const broken = await send(new Uint8Array([0xc1]));
      expect([broken.status, unpack(new Uint8Array(await broken.arrayBuffer()))]).toMatchObject([
        400,
        { code: 'bad_request' },
      ]);
    });

    it('gives up after timeoutMs, and tells the call', async () => {
      const told = gate();
      api.answer = ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            told.open();
            reject(new MusterError('timeout', 'too late to say'));
          });
        });
      const response = await post('segment.count', { timeoutMs: 20 });
      expect([response.status, await response.json()]).toEqual([
        504,
        { code: 'timeout', message: 'no answer within 20 ms' },
      ]);
      await told.opened;
    });

    it('tells the call when its caller has gone', async () => {
      const begun = gate();
      const told = gate();
      api.answer = ({ signal }) => {
        signal.addEventListener('abort', told.open);
        begun.open();
        return told.opened;
      };
      const abort = new AbortController();
      const headers = { authorization: 'Bearer ak' };
      const call = fetch(`${server.url}/rpc/segment.count`, {
        method: 'POST',
        headers,
        signal: abort.signal,
      });
      await begun.opened;
      abort.abort();
      await expect(call).rejects.toThrow();
      await told.opened;
    });

    it('collects batches and counts them', async () => {
      const progress = { id: 'ab'.repeat(32), from: 1, to: 3, finished: true };
      const response = await post('ingest.batch', { calls: [track('A'), track('B'), 7], import: progress });
      expect(await response.json()).toEqual({ accepted: 2, duplicate: 0, rejected: 1 });
      expect(api.accepted[0]).toMatchObject({ progress: { kind: 'import', ...progress } });
      expect(await (await post('ingest.batch', { batch: [] })).json()).toMatchObject({ path: 'batch' });
      expect(await (await post('ingest.batch', { calls: {} })).json()).toMatchObject({ path: 'calls' });
      api.reason = 'replaying';
      expect(await (await post('ingest.batch', { calls: [] })).json()).toMatchObject({
        message: 'replaying',
      });
    });
  });

  describe('WebSocket', () => {
    it('wants a key first, once', async () => {
      const client = await Client.open(server);
      expect(await client.call('segment.count', {})).toMatchObject({ error: { code: 'unauthorized' } });
      expect(await client.call('auth', { key: 'no' })).toMatchObject({ error: { code: 'unauthorized' } });
      expect(await client.call('auth', {})).toMatchObject({ error: { code: 'bad_request', path: 'key' } });
      expect(await client.call('auth', { key: 'rk' })).toMatchObject({
        result: { account: 'shop', role: 'read' },
      });
      expect(await client.call('segment.count', { a: 1 })).toMatchObject({
        error: undefined,
        result: { a: 1 },
      });
      expect(await client.call('segment.save', {})).toMatchObject({ error: { code: 'forbidden' } });
      await client.close();
    });

    it('takes the key of the upgrade request, and refuses a wrong one there', async () => {
      const client = await Client.open(server, 'wk');
      expect(await client.call('ingest.batch', { calls: [track('A')] })).toMatchObject({
        result: { accepted: 1, duplicate: 0, rejected: 0 },
      });
      await client.close();
      await expect(Client.open(server, 'no')).rejects.toThrow('401');
    });

    it('forgets a key that was revoked', async () => {
      const client = await Client.open(server, 'gone');
      api.keys.delete('gone');
      expect(await client.call('segment.count', {})).toMatchObject({ error: { code: 'unauthorized' } });
      await client.close();
    });

    it('runs calls side by side and answers each when it is done', async () => {
      const first = gate();
      api.answer = async ({ params }) => {
        if ((params as { n: number }).n === 1) await first.opened;
        return params;
      };
      const client = await Client.open(server, 'rk');
      const slow = client.call('segment.count', { n: 1 });
      expect(await client.call('segment.count', { n: 2 })).toMatchObject({ result: { n: 2 } });
      first.open();
      expect(await slow).toMatchObject({ result: { n: 1 } });
      await client.close();
    });

    it('bounds the calls under way', async () => {
      const all = gate();
      api.answer = () => all.opened;
      const client = await Client.open(server, 'rk');
      const calls = Array.from({ length: RPC_CALLS_MAX + 1 }, () => client.call('segment.count', {}));
      expect(await calls.at(-1)).toMatchObject({ error: { code: 'rate_limited' } });
      all.open();
      expect((await Promise.all(calls)).filter(({ error }) => error !== undefined)).toHaveLength(1);
      await client.close();
    });

    it('notifies until the connection ends', async () => {
      const ended = gate();
      api.answer = async ({ notify, signal }) => {
        signal.addEventListener('abort', ended.open);
        notify!('segment.changed', { userId: 'u1' });
        setImmediate(() => notify!('segment.changed', { userId: 'u2' }));
        return {};
      };
      const client = await Client.open(server, 'rk');
      expect(await client.call('segment.watch', { name: 's', timeoutMs: 1000 })).toMatchObject({
        result: {},
      });
      await expect
        .poll(() => client.notifications)
        .toEqual([
          { kind: 'notification', method: 'segment.changed', params: { userId: 'u1' } },
          { kind: 'notification', method: 'segment.changed', params: { userId: 'u2' } },
        ]);
      await client.close();
      await ended.opened;
    });

    it('drops who does not read', async () => {
      const ended = gate();
      const chunk = 'x'.repeat(1 << 20);
      api.answer = async ({ notify, signal }) => {
        signal.addEventListener('abort', ended.open);
        for (let sent = 0; sent < 3 * SOCKET_BUFFER_BYTES_MAX; sent += chunk.length)
          notify!('segment.changed', chunk);
        return {};
      };
      const client = await Client.open(server, 'rk');
      client.socket.pause();
      void client.call('segment.watch', {});
      await expect.poll(() => api.calls.length).toBe(1);
      client.socket.resume();
      expect(await client.closed).toBe(SLOW_CONSUMER);
      await ended.opened;
    });

    it('closes on what is no request', async () => {
      const frames: readonly (readonly [Uint8Array | string, number])[] = [
        ['text', UNSUPPORTED_DATA],
        [new Uint8Array(), PROTOCOL_ERROR],
        [pack({}), PROTOCOL_ERROR],
        [packMessage({ kind: 'notification', method: 'auth', params: { key: 'rk' } }), PROTOCOL_ERROR],
      ];
      for (const [frame, code] of frames) {
        const client = await Client.open(server);
        client.socket.send(frame);
        expect(await client.closed).toBe(code);
      }
    });

    it('closes on a frame over the limit', async () => {
      const client = await Client.open(server);
      client.socket.send(new Uint8Array(BODY_BYTES_MAX + 1));
      expect([1006, 1009]).toContain(await client.closed);
    });

    it('survives any bytes', async () => {
      const random = new SeededRandom(3);
      const request = packMessage({
        kind: 'request',
        id: 1,
        method: 'segment.count',
        params: { a: [1, 'b'] },
      });
      let client = await Client.open(server, 'rk');
      for (let i = 0; i < 200; i++) {
        const frame = random.chance(0.3) ? random.bytes(random.below(40)) : request.slice();
        if (frame.length > 0) frame[random.below(frame.length)] = random.below(256);
        if (client.socket.readyState !== WebSocket.OPEN) client = await Client.open(server, 'rk');
        client.socket.send(frame);
        if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve));
      }
      client.socket.terminate();
      expect(server.failures).toEqual([]);
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
    });

    it('answers a bug without its text, and reports it', async () => {
      api.answer = async () => {
        throw new TypeError('a bug');
      };
      const client = await Client.open(server, 'rk');
      expect(await client.call('segment.count', {})).toMatchObject({
        error: { code: 'internal', message: 'internal error' },
      });
      expect(server.failures.splice(0)).toEqual([new TypeError('a bug')]);
      await client.close();
    });

    it('opens at /rpc only', async () => {
      await expect(Client.open({ port: server.port, path: '/other' })).rejects.toThrow('404');
    });
  });

  it('answers calls under way before it closes', async () => {
    const closing = await serve(kind, api);
    const begun = gate();
    const finish = gate();
    api.answer = async () => {
      begun.open();
      await finish.opened;
      return 'done';
    };
    const client = await Client.open(closing, 'rk');
    const call = client.call('segment.count', {});
    await begun.opened;
    const closed = closing.listener.close();
    expect(await client.call('segment.count', {})).toMatchObject({ error: { code: 'unavailable' } });
    finish.open();
    expect(await call).toMatchObject({ result: 'done' });
    expect(await client.closed).toBe(1001);
    await closed;
  });
});

type Answer = Extract<Message, { kind: 'response' }>;

class Client {
  readonly socket: WebSocket;
  readonly notifications: Message[] = [];
  readonly closed: Promise<number>;
  readonly #waiting = new Map<number, (response: Answer) => void>();
  #id = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('message', (data: Buffer) => {
      const message = unpackMessage(data);
      if (message.kind === 'response') this.#waiting.get(message.id)?.(message);
      else this.notifications.push(message);
    });
  }

  static open(server: { readonly port: number; readonly path?: string }, key?: string): Promise<Client> {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${server.path ?? '/rpc'}`, { headers });
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => resolve(new Client(socket)));
    });
  }

  call(method: string, params: unknown): Promise<Answer> {
    const id = this.#id++;
    this.socket.send(packMessage({ kind: 'request', id, method, params }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  close(): Promise<number> {
    this.socket.close();
    return this.closed;
  }
}
