import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { BODY_BYTES_MAX, EVENT_BYTES_MAX, EVENT_NAMES_MAX, SECOND_MS } from '../base/limits.ts';
import { packMessage } from '../client/wire.ts';
import { LISTENER_KINDS } from '../server/testApi.ts';
import { KEYS, TestServer, until } from './testServer.ts';

/** Whatever clients do, the server answers as documented, keeps what it acknowledged, and goes on. */
describe.each(LISTENER_KINDS)('over %s', (listener) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ listener });
    expect(server.report.listener).toBe(listener);
  });
  afterAll(async () => {
    expect(server.output.stderr).toBe('');
    await server.dispose();
  });

  /** Sends the body as it is. */
  async function send(
    path: string,
    body: string | Uint8Array | ReadableStream,
    {
      key = KEYS.admin,
      headers = {},
    }: { readonly key?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<{ status: number; code?: string; path?: string; message?: string }> {
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { ...(key !== '' && { authorization: `Bearer ${key}` }), ...headers },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    });
    return { status: response.status, ...(JSON.parse(await response.text()) as object) };
  }

  const item = (userId: string, event: string, properties: object = {}) => ({
    type: 'track',
    userId,
    event,
    properties,
  });
  const batchOf = (...batch: readonly unknown[]) => JSON.stringify({ batch });
  const eventsOf = async (userId: string) => (await server.call('user.timeline', { userId })).events;
  const lettersOf = async () => (await server.call('deadLetter.list', { limit: 1000 })).letters;
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const not = (levels: number) => `${'{"not":'.repeat(levels)}{"all":true}${'}'.repeat(levels)}`;
  const repeated = (bytes: number) =>
    new ReadableStream({
      start: (controller) => {
        for (let sent = 0; sent < bytes; sent += 1 << 16)
          controller.enqueue(new Uint8Array(1 << 16).fill(32));
        controller.close();
      },
    });

  test.each<[string, () => ReturnType<typeof send>, number, string, string?]>([
    ['unreadable JSON', () => send('/v1/batch', '{"batch":['), 400, 'bad_request', '$'],
    [
      'bytes that are no UTF-8',
      () => send('/v1/track', new Uint8Array([0x22, 0xff, 0x22])),
      400,
      'bad_request',
      '$',
    ],
    ['an empty body', () => send('/v1/track', ''), 400, 'bad_request', '$'],
    ['null', () => send('/v1/batch', 'null'), 400, 'bad_request', '$'],
    ['a batch that is none', () => send('/v1/batch', '{"batch":{}}'), 400, 'bad_request', '$.batch'],
    ['no user', () => send('/v1/track', '{"event":"E"}'), 400, 'bad_request', '$.userId'],
    ['no event', () => send('/v1/track', '{"userId":"u"}'), 400, 'bad_request', '$.event'],
    [
      'no time',
      () => send('/v1/track', '{"userId":"u","event":"E","timestamp":"soon"}'),
      400,
      'bad_request',
      '$.timestamp',
    ],
    ['no key', () => send('/v1/track', '{}', { key: '' }), 401, 'unauthorized'],
    ['a wrong key', () => send('/v1/track', '{}', { key: 'wk_wrong' }), 401, 'unauthorized'],
    [
      'a wrong key in the body',
      () => send('/v1/track', '{"writeKey":"x"}', { key: '' }),
      401,
      'unauthorized',
    ],
    ['a read key that collects', () => send('/v1/track', '{}', { key: KEYS.read }), 403, 'forbidden'],
    ['a write key that reads', () => send('/rpc/schema.get', '{}', { key: KEYS.write }), 403, 'forbidden'],
    ['a read key that saves', () => send('/rpc/segment.save', '{}', { key: KEYS.read }), 403, 'forbidden'],
    ['a path that is none', () => send('/v2/track', '{}'), 404, 'not_found'],
    ['a method that is none', () => send('/rpc/__proto__', '{}'), 404, 'not_found'],
    [
      '2,501 items',
      () => send('/v1/batch', JSON.stringify({ batch: new Array(2501).fill(0) })),
      400,
      'bad_request',
      '$.batch',
    ],
    [
      'a batch over its limit',
      () => send('/v1/batch', `{"batch":[],"x":"${'x'.repeat(500 * 1024)}"}`),
      400,
      'bad_request',
      '$',
    ],
    [
      'an event over its limit',
      () => send('/v1/track', JSON.stringify(item('u', 'E', { x: 'x'.repeat(EVENT_BYTES_MAX) }))),
      400,
      'bad_request',
      '$',
    ],
    ['a body over every limit', () => send('/v1/import', ' '.repeat(BODY_BYTES_MAX + 1)), 413, 'too_large'],
    ['one that comes in pieces', () => send('/v1/import', repeated(BODY_BYTES_MAX + 1)), 413, 'too_large'],
    [
      'a bomb',
      () => send('/v1/batch', gzipSync(Buffer.alloc(50 << 20)), { headers: { 'content-encoding': 'gzip' } }),
      413,
      'too_large',
    ],
    [
      'gzip that is none',
      () => send('/v1/batch', 'gzip', { headers: { 'content-encoding': 'gzip' } }),
      400,
      'bad_request',
      '$',
    ],
    [
      'another encoding',
      () => send('/v1/batch', '{}', { headers: { 'content-encoding': 'br' } }),
      400,
      'bad_request',
      '$',
    ],
    [
      'a deep event',
      () => send('/v1/track', `{"userId":"u","event":"E","properties":{"a":${deep(5000)}}}`),
      400,
      'bad_request',
      '$',
    ],
    ['deep params', () => send('/rpc/segment.count', deep(100_000)), 400, 'bad_request', '$'],
    [
      'a deep segment',
      () => send('/rpc/segment.count', `{"segment":${not(100_000)}}`),
      400,
      'bad_request',
      `$${'.not'.repeat(16)}`,
    ],
    [
      'a key that is none',
      () => send('/rpc/segment.count', '{"segment":{"and":[{"all":true},{"event":"E","cuont":{"gte":1}}]}}'),
      400,
      'bad_request',
      '$.and[1].cuont',
    ],
    [
      '__proto__ as a key',
      () => send('/rpc/segment.count', '{"segment":{"event":"E","__proto__":{}}}'),
      400,
      'bad_request',
      '$.__proto__',
    ],
    [
      'an endless count',
      () => send('/rpc/segment.count', '{"segment":{"event":"E","count":{"gte":1e999}}}'),
      400,
      'bad_request',
      '$.count.gte',
    ],
    [
      'a limit over the limit',
      () => send('/rpc/segment.members', '{"segment":{"all":true},"limit":10001}'),
      400,
      'bad_request',
      'limit',
    ],
    [
      'a cursor of its own',
      () => send('/rpc/segment.members', '{"segment":{"all":true},"after":"WzAsLTEsMF0"}'),
      400,
      'bad_request',
      'after',
    ],
    [
      'a time that is none',
      () => send('/rpc/segment.count', '{"segment":{"all":true},"at":"2024-02-30"}'),
      400,
      'bad_request',
      'at',
    ],
    [
      'MessagePack that is none',
      () =>
        send('/rpc/segment.count', new Uint8Array([0xc1]), {
          headers: { 'content-type': 'application/msgpack', accept: 'application/json' },
        }),
      400,
      'bad_request',
      'byte 1',
    ],
  ])('%s', async (_, sending, status, code, path) => {
    expect(await sending()).toEqual({ status, code, message: expect.any(String), ...(path && { path }) });
  });

  test('a batch keeps its good items, and buries each bad one with its reason and path', async () => {
    const before = (await lettersOf()).length;
    const batch = [
      item('mixed', 'Good'),
      item('mixed', 'Big', { x: 'x'.repeat(EVENT_BYTES_MAX) }),
      'no object',
      { type: 'track', userId: 'mixed' },
      { type: 'invented', userId: 'mixed' },
      item('mixed', 'x'.repeat(201)),
      { ...item('mixed', 'Timeless'), timestamp: 'soon' },
      item('mixed', 'Good'),
    ];
    expect(await send('/v1/batch', batchOf(...batch))).toEqual({ status: 200, success: true });
    expect(await send('/v1/batch', `{"batch":[{"userId":"mixed","a":${deep(5000)}}]}`)).toMatchObject({
      status: 200,
    });
    expect(await send('/v1/batch', batchOf())).toEqual({ status: 200, success: true });
    const letters = (await lettersOf()).slice(0, -before || undefined);
    expect(letters.map(({ path }) => path).reverse()).toEqual([
      '$',
      '$',
      '$.event',
      '$.type',
      '$.event',
      '$.timestamp',
      '$',
    ]);
    expect((await eventsOf('mixed')).map(({ event }) => event)).toEqual(['Good', 'Good']);
  });

  test('odd names and values come back as documented', async () => {
    const body = `{"batch":[{"type":"track","userId":"__proto__","event":"constructor","properties":
      {"__proto__":{"a":1},"toString":"x","big":1e999,"small":-1e999,"max":1.7976931348623157e308,"nul\\u0000":"\\u0000",
       "lone":"\\ud800 \\udc00","é":"\\ud83d\\ude00","empty":{},"none":null,"list":[],"${'n'.repeat(201)}":1}},
      {"type":"identify","userId":"__proto__","traits":{"__proto__":1,"constructor":2,"a":{"__proto__":3}}}]}`;
    expect(await send('/v1/batch', body)).toMatchObject({ status: 200 });
    expect((await eventsOf('__proto__')).map(({ properties }) => properties)).toEqual([
      {
        '__proto__.a': 1,
        toString: 'x',
        max: Number.MAX_VALUE,
        'nul\0': '\0',
        lone: '\ufffd \ufffd',
        é: '😀',
        list: [],
      },
    ]);
    const { traits } = await server.call('user.profile', { userId: '__proto__' });
    expect(traits).toEqual({ constructor: 2, 'a.__proto__': 3 });
    const where = [{ prop: 'nul\0', op: 'eq', value: '\0' }] as const;
    const { count } = await server.call('segment.count', { segment: { event: 'constructor', where } });
    expect(count).toBe(1);
    expect(Object.hasOwn({}, 'a')).toBe(false);
  });

  test('10,000 event names: the account keeps as many as it may, and the rest are dead letters', async () => {
    const before = await server.call('account.stats', {});
    const known = (await server.call('schema.get', {})).events.length;
    const names = Array.from({ length: 10_000 }, (_, i) => `Name ${i}`);
    for (let i = 0; i < names.length; i += 2000) {
      await send(
        '/v1/import',
        batchOf(...names.slice(i, i + 2000).map((name) => item(`namer ${name}`, name))),
      );
    }
    const after = await server.call('account.stats', {});
    const room = EVENT_NAMES_MAX - known;
    expect((await server.call('schema.get', {})).events.length).toBe(EVENT_NAMES_MAX);
    expect(after.events - before.events).toBe(room);
    expect(after.deadLetters - before.deadLetters).toBe(10_000 - room);
    expect((await lettersOf())[0]).toMatchObject({ reason: 'too_many_event_names' });
  });

  test('pages of one member each give everyone once', async () => {
    const users = Array.from({ length: 150 }, (_, i) => `member ${i}`);
    await send(
      '/v1/import',
      batchOf(...users.map((id) => ({ type: 'identify', userId: id, traits: { paged: true } }))),
    );
    const segment = { profile: 'paged', op: 'eq', value: true } as const;
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await server.call('segment.members', { segment, limit: 1, after });
      ids.push(...page.users.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(ids.sort()).toEqual(users.sort());
  });

  test('a refused item, listed, is taken once by a replay', async () => {
    // An item of a batch must say its type; one of an import, as which it is replayed, need not.
    await send(
      '/v1/batch',
      batchOf(
        { userId: 'replayed', event: 'constructor', timestamp: '2024-05-06T07:08:09Z' },
        { userId: 'replayed' },
      ),
    );
    const [hopeless, letter] = await lettersOf();
    expect(letter).toMatchObject({ path: '$.type', item: expect.stringContaining('2024-05-06') });
    const ids = [letter!.id, hopeless!.id];
    const { replayed, failed } = await server.call('deadLetter.replay', { ids });
    expect([replayed, failed]).toEqual([1, [{ id: hopeless!.id, reason: expect.any(String) }]]);
    expect(await eventsOf('replayed')).toEqual([
      { event: 'constructor', time: '2024-05-06T07:08:09.000Z', properties: {} },
    ]);
    expect((await lettersOf()).map(({ id }) => id)).not.toContain(letter!.id);
    expect(await send('/rpc/deadLetter.replay', JSON.stringify({ ids: [letter!.id] }))).toMatchObject({
      status: 404,
    });
  });

  describe('WebSocket', () => {
    /** Opens, sends all of it, and gives the code with which the server closes. */
    async function closeCodeOf(...messages: readonly (string | Uint8Array)[]): Promise<number> {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/rpc`);
      socket.on('error', () => {});
      socket.on('open', () => {
        for (const message of messages) socket.send(message);
      });
      return new Promise((resolve) => socket.on('close', resolve));
    }
    const auth = packMessage({ kind: 'request', id: 1, method: 'auth', params: { key: KEYS.admin } });

    test.each<[string, readonly (string | Uint8Array)[], number]>([
      ['text', ['{}'], 1003],
      ['garbage', [new Uint8Array([0xc1, 1, 2, 3])], 1002],
      ['garbage after the key', [auth, new Uint8Array(1000).fill(0xc1)], 1002],
      ['a frame that ends too early', [auth, auth.subarray(0, -3)], 1002],
      ['a frame that goes on', [auth, new Uint8Array([...auth, 0])], 1002],
      [
        'a map that claims to be huge',
        [auth, new Uint8Array([0x94, 0, 2, 0xa1, 0x61, 0x91, 0xdf, 0xff, 0xff, 0xff, 0xff])],
        1002,
      ],
      ['a deep array', [auth, new Uint8Array(10_000).fill(0x91)], 1002],
      ['an empty frame', [auth, new Uint8Array()], 1002],
      ['an answer', [auth, new Uint8Array([0x94, 1, 1, 0xc0, 0xc0])], 1002],
    ])('%s ends the connection', async (_, messages, code) => {
      expect(await closeCodeOf(...messages)).toBe(code);
    });

    test('a frame over the limit ends the connection', async () => {
      expect([1006, 1009]).toContain(await closeCodeOf(auth, new Uint8Array(BODY_BYTES_MAX + 1)));
    });
  });

  describe('clients that go away or take their time', () => {
    const connected: Socket[] = [];
    afterAll(() => {
      for (const socket of connected) socket.destroy();
    });

    function connectAnd(write: string): Socket {
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.write(write);
      connected.push(socket);
      return socket;
    }

    const head = (path: string, bytes: number) =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEYS.admin}\r\ncontent-length: ${bytes}\r\n\r\n`;

    test('in the middle of a query or of a body', async () => {
      await send(
        '/v1/import',
        batchOf(...Array.from({ length: 2000 }, (_, i) => item(`many ${i % 50}`, 'constructor', { i }))),
      );
      const and = Array.from({ length: 60 }, (_, i) => ({
        event: 'constructor',
        where: [{ prop: 'i', op: 'gte', value: i }],
      }));
      const query = JSON.stringify({ segment: { and } });
      for (let i = 0; i < 60; i++) {
        const leaving = connectAnd(head('/rpc/segment.count', query.length) + query);
        const stopping = connectAnd(`${head('/v1/track', 1000)}{"userId":`);
        await new Promise((resolve) => setTimeout(resolve, i % 12));
        leaving.destroy();
        stopping.destroy();
      }
      expect(await send('/rpc/segment.count', query)).toMatchObject({ status: 200, count: 50 });
    });

    test('in the middle of their headers, hundreds of them, while others are served', async () => {
      for (let i = 0; i < 300; i++) {
        connectAnd(
          i % 2 === 0 ? 'POST /v1/track HTTP/1.1\r\nhost:' : `${head('/v1/import', 1 << 20)}{"batch":[`,
        );
      }
      const startedMs = performance.now();
      for (let i = 0; i < 20; i++) {
        expect(await send('/v1/track', JSON.stringify(item('served', 'constructor')))).toMatchObject({
          status: 200,
        });
      }
      expect(performance.now() - startedMs).toBeLessThan(5 * SECOND_MS);
    });
  });

  test('after all that, nothing is lost and little is held', async () => {
    const { events, users, deadLetters } = await server.call('account.stats', {});
    expect(server.memoryBytes).toBeLessThan(1 << 30);
    await server.kill();
    await server.restart();
    expect(await server.call('account.stats', {})).toMatchObject({ events, users, deadLetters });
    await until(async () => (await eventsOf('served')).length === 20);
  });
});
