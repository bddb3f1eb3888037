import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { CLIENT_CALLS_WAITING_MAX, HEARTBEAT_MS, RECONNECT_MAX_MS, RPC_CALLS_MAX } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import { type ClientOptions, MusterClient } from './client.ts';
import { FakeServer, later } from './fakeServer.ts';
import type { SegmentChange } from './types.ts';

/** Time that passes when a test says so. */
class ManualClock implements Clock {
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  readonly delays: number[] = [];
  #nowMs = 0;

  now = () => this.#nowMs;
  monotonicMs = () => this.#nowMs;
  yield = () => new Promise<void>((resolve) => setImmediate(resolve));

  schedule(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.delays.push(delayMs);
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.atMs <= this.#nowMs && this.#timers.delete(timer)) timer.run();
    }
  }
}

const server = new FakeServer();
let clock: ManualClock;
let client: MusterClient | undefined;

beforeEach(async () => {
  clock = new ManualClock();
  server.answer = ({ params }) => params;
  server.authError = undefined;
  server.requests.length = 0;
  await server.start();
});
afterEach(async () => {
  client?.close();
  await server.stop();
});

async function connect(options: Partial<ClientOptions> = {}): Promise<MusterClient> {
  client = await MusterClient.connect({
    url: server.url,
    key: 'rk',
    clock,
    random: new SeededRandom(1),
    ...options,
  });
  return client;
}

/** Lets sockets speak until it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await clock.yield();
}

/** The connection drops, and the next one is opened. */
async function reconnect(): Promise<void> {
  const connections = server.sockets.length;
  const timers = clock.delays.length;
  server.sockets.at(-1)!.terminate();
  await until(() => clock.delays.length > timers);
  clock.advance(RECONNECT_MAX_MS);
  await until(() => server.sockets.length > connections);
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof MusterError ? error.body : error),
  );
const all = { segment: { all: true } } as const;

describe('calls', () => {
  test('carry params and bring results and errors back', async () => {
    const client = await connect();
    server.answer = () => ({ count: 2, total: 3 });
    expect(await client.call('segment.count', all, { timeoutMs: 50 })).toEqual({ count: 2, total: 3 });
    expect(server.requests[0]!.params).toEqual({ ...all, timeoutMs: 50 });
    server.answer = () => {
      throw new MusterError('bad_request', 'must be a name', { path: '$.event' });
    };
    const error = { code: 'bad_request', message: 'must be a name', path: '$.event' };
    expect(await failure(client.call('segment.count', all))).toEqual(error);
  });

  test('may be answered in any order', async () => {
    const client = await connect();
    server.answer = () => later;
    const ids = ['a', 'b', 'c'];
    const calls = ids.map((userId) => client.call('user.segments', { userId }));
    await server.received('user.segments', 3);
    for (const request of server.requests.toReversed()) {
      server.respond(request, { segments: [(request.params as { userId: string }).userId] });
    }
    expect(await Promise.all(calls)).toEqual(ids.map((id) => ({ segments: [id] })));
  });

  test('give up after their time, and the late answer is ignored', async () => {
    const client = await connect();
    server.answer = () => later;
    const call = client.call('segment.count', all, { timeoutMs: 700 });
    const request = await server.received('segment.count');
    clock.advance(700);
    expect(await failure(call)).toMatchObject({ code: 'timeout', message: 'no answer within 700 ms' });
    server.respond(request, { count: 1 });
    server.answer = () => ({ lines: 1 });
    expect(await client.call('import.status', { id: 'x' })).toEqual({ lines: 1 });
  });

  test('end with their signal’s reason', async () => {
    const client = await connect();
    server.answer = () => later;
    const abort = new AbortController();
    const call = client.call('segment.count', all, { signal: abort.signal });
    await server.received('segment.count');
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(client.call('segment.count', all, { signal: abort.signal })).rejects.toThrow('enough');
    expect(server.requests).toHaveLength(1);
  });

  test('wait when too many are under way, and are refused when too many wait', async () => {
    const client = await connect();
    server.answer = () => later;
    const calls = Array.from({ length: RPC_CALLS_MAX + CLIENT_CALLS_WAITING_MAX }, () =>
      client.call('segment.count', all),
    );
    expect(await failure(client.call('segment.count', all))).toMatchObject({ code: 'rate_limited' });
    await server.received('segment.count', RPC_CALLS_MAX);
    server.answer = () => ({ count: 1 });
    expect(server.requests).toHaveLength(RPC_CALLS_MAX);
    for (const request of [...server.requests]) server.respond(request, { count: 1 });
    await Promise.all(calls);
  });
});

describe('connecting', () => {
  test('fails at once when there is no server, no such key, or no URL', async () => {
    expect(await failure(connect({ url: 'nonsense' }))).toMatchObject({ code: 'bad_request' });
    server.authError = { code: 'unauthorized', message: 'the key is not known' };
    expect(await failure(connect())).toEqual(server.authError);
    await server.stop();
    const message = `no server at ${server.url}: connection refused`;
    expect(await failure(connect())).toEqual({ code: 'unavailable', message });
    await server.start();
  });

  test('gives up after its time, or with its signal', async () => {
    const opening = connect({ timeoutMs: 5000 });
    clock.advance(5000);
    expect(await failure(opening)).toMatchObject({ code: 'timeout' });
    const abort = new AbortController();
    const other = connect({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(other).rejects.toThrow('enough');
  });

  test('is tried again with growing pauses that differ', async () => {
    const client = await connect({ timeoutMs: 1e9 });
    await server.stop();
    const pauses = () => clock.delays.filter((ms) => ms <= RECONNECT_MAX_MS && ms !== HEARTBEAT_MS);
    for (let n = 1; n <= 8; n++) {
      await until(() => pauses().length === n);
      clock.advance(RECONNECT_MAX_MS);
    }
    pauses().forEach((ms, n) => {
      const fullMs = Math.min(RECONNECT_MAX_MS, 100 * 2 ** n);
      expect(ms).toBeGreaterThanOrEqual(fullMs / 2);
      expect(ms).toBeLessThanOrEqual(fullMs);
    });
    expect(new Set(pauses()).size).toBe(8);
    await until(() => pauses().length === 9);
    await server.start();
    const call = client.call('segment.count', all);
    clock.advance(RECONNECT_MAX_MS);
    expect(await call).toMatchObject(all);
  });

  test('a server that falls silent is left', async () => {
    await connect();
    server.sockets.at(-1)!.pause();
    const connections = server.sockets.length;
    clock.advance(HEARTBEAT_MS);
    clock.advance(HEARTBEAT_MS);
    clock.advance(RECONNECT_MAX_MS);
    await until(() => server.sockets.length > connections);
  });
});

describe('a lost connection', () => {
  test('repeats reads, and rejects what may have changed something', async () => {
    const client = await connect();
    server.answer = () => later;
    const read = client.call('segment.count', all);
    const write = failure(client.call('ingest.batch', { calls: [] }));
    await server.received('ingest.batch');
    await reconnect();
    expect(await write).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('during the call'),
    });
    server.respond(await server.received('segment.count', 2), { count: 4 });
    expect(await read).toEqual({ count: 4 });
  });

  test('lets calls wait for the next one', async () => {
    const client = await connect({ timeoutMs: 1e9 });
    const timers = clock.delays.length;
    await server.stop();
    await until(() => clock.delays.length > timers);
    const call = client.call('ingest.batch', { calls: [] });
    await server.start();
    clock.advance(RECONNECT_MAX_MS);
    expect(await call).toMatchObject({ calls: [] });
  });

  test('ends the client when the key is no longer taken', async () => {
    const client = await connect();
    server.authError = { code: 'unauthorized', message: 'the key is not known' };
    await reconnect();
    expect(await failure(client.call('segment.count', all))).toEqual(server.authError);
  });

  test('by the client itself rejects everything', async () => {
    const client = await connect();
    server.answer = () => later;
    const call = failure(client.call('segment.count', all));
    const watch = failure(client.watch('vip', () => {}));
    client.close();
    const closed = { code: 'unavailable', message: 'the client is closed' };
    expect([await call, await watch]).toEqual([closed, closed]);
    expect(await failure(client.call('segment.count', all))).toEqual(closed);
  });
});

describe('watching', () => {
  const change = (name: string, userId: string): SegmentChange => ({ name, userId, change: 'enter', at: '' });

  test('tells of changes until aborted, asking the server once a segment', async () => {
    const client = await connect();
    const abort = new AbortController();
    const [first, second]: string[][] = [[], []];
    const watch = await client.watch('vip', ({ userId }) => first!.push(userId), abort.signal);
    await client.watch('vip', ({ userId }) => second!.push(userId));
    server.notify(change('vip', 'u1'));
    server.notify(change('other', 'u2'));
    await client.call('segment.count', all);
    abort.abort();
    expect(await watch.ended).toBeUndefined();
    server.notify(change('vip', 'u3'));
    await client.call('segment.count', all);
    expect([first, second]).toEqual([['u1'], ['u1', 'u3']]);
    expect(server.requests.filter(({ method }) => method === 'segment.watch')).toHaveLength(1);
  });

  test('goes on after a reconnect, and ends when the segment is gone', async () => {
    const client = await connect();
    const users: string[] = [];
    const watch = await client.watch('vip', ({ userId }) => users.push(userId));
    await reconnect();
    await server.received('segment.watch', 2);
    server.notify(change('vip', 'u1'));
    await client.call('segment.count', all);
    expect(users).toEqual(['u1']);
    server.answer = () => {
      throw new MusterError('not_found', 'no segment vip');
    };
    await reconnect();
    expect((await watch.ended)?.code).toBe('not_found');
  });

  test('of what the server refuses rejects, and may be asked for again', async () => {
    const client = await connect();
    server.answer = () => {
      throw new MusterError('not_found', 'no segment vip');
    };
    expect(await failure(client.watch('vip', () => {}))).toMatchObject({ code: 'not_found' });
    server.answer = () => ({});
    await client.watch('vip', () => {});
  });
});
