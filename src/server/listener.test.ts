import { connect, type Socket as TcpSocket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../base/clock.ts';
import { BODY_BYTES_MAX, HEADERS_BYTES_MAX } from '../base/limits.ts';
import { freePort } from './freePort.ts';
import type { Route } from './http.ts';
import { Router } from './router.ts';
import { FakeApi, gate, LISTENER_KINDS, listenerOf, serve, type TestServer } from './testApi.ts';

/** What both listeners promise. Raw sockets where a well-behaved client would not do what is tested. */
describe.each(LISTENER_KINDS)('%s', (kind) => {
  let server: TestServer;
  let aborted = gate();
  const held = gate();
  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: '/hello',
      handle: () => ({ status: 200, headers: { 'x-a': '1' }, body: 'hello' }),
    },
    {
      method: 'POST',
      path: '/echo/:name',
      handle: async ({ parameter, body }) => {
        await Promise.resolve();
        return { status: 200, headers: {}, body: Buffer.concat([Buffer.from(`${parameter} `), body]) };
      },
    },
    {
      method: 'POST',
      path: '/until-abort',
      handle: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted.open();
            resolve({ status: 200, headers: {}, body: '' });
          });
          held.open();
        }),
    },
    { method: 'GET', path: '/address', handle: (request) => reply(request.remoteAddress()) },
    { method: 'GET', path: '/large', handle: () => reply('x'.repeat(8 << 20)) },
    {
      method: 'GET',
      path: '/bug',
      handle: () => {
        throw new Error('a bug');
      },
    },
  ];
  const reply = (body: string) => ({ status: 200, headers: {}, body });

  beforeAll(async () => {
    server = await serve(kind, new FakeApi(), { routes, patience: { bodyReadMs: 300, lingerMs: 100 } });
  });
  afterAll(() => server.listener.close());

  const get = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);

  it('says which it is', async () => {
    expect(server.listener.kind).toBe(kind);
    expect(await (await get('/health')).json()).toMatchObject({
      status: 'ok',
      listener: kind,
      version: '1.2.3',
    });
  });

  it('answers with status, headers and body', async () => {
    const response = await get('/hello?x=1');
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([
      200,
      '1',
      'hello',
    ]);
    expect(await (await get('/address')).text()).toContain('127.0.0.1');
    expect((await (await get('/large')).text()).length).toBe(8 << 20);
  });

  it('hands over the parameter and the whole body, with its length said before or not', async () => {
    const body = 'é'.repeat(300_000);
    const echoed = await get('/echo/a%20b', { method: 'POST', body });
    expect(await echoed.text()).toBe(`a b ${body}`);
    const chunks = new ReadableStream({
      start(controller) {
        for (const text of ['one ', 'two']) controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    });
    const streamed = await get('/echo/c', { method: 'POST', body: chunks, duplex: 'half' } as RequestInit);
    expect(await streamed.text()).toBe('c one two');
    expect(await (await get('/echo/d', { method: 'POST' })).text()).toBe('d ');
  });

  it('answers HEAD as GET without the body', async () => {
    const response = await get('/hello', { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '5',
      '',
    ]);
    expect(await raw('HEAD /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).not.toContain('hello');
  });

  it('answers what has no route with an error object', async () => {
    for (const path of ['/', '/nowhere', '/echo/', '/echo/a/b', '/echo/%ff', `/echo/${'a'.repeat(3000)}`]) {
      const response = await get(path, { method: 'POST', body: 'x' });
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.json()).toEqual({ code: 'not_found', message: 'no such path' });
    }
    const wrong = await get('/hello', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, OPTIONS']);
    expect(await wrong.json()).toMatchObject({ code: 'bad_request' });
    const options = await get('/hello', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, OPTIONS']);
  });

  it('answers a bug with 500, without its text, and reports it', async () => {
    const response = await get('/bug');
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ code: 'internal', message: 'internal error' });
    expect(server.failures.splice(0)).toEqual([new Error('a bug')]);
  });

  it('refuses a body over the limit before it is there', async () => {
    const head = 'POST /echo/a HTTP/1.1\r\nhost: x\r\n';
    const declared = await raw(`${head}content-length: ${BODY_BYTES_MAX + 1}\r\n\r\n`);
    expect(declared).toMatch(/^HTTP\/1.1 413 /);
    expect(declared).toContain('"code":"too_large"');
    expect(declared).toMatch(/connection: close/i);
    const chunk = `${(1 << 20).toString(16)}\r\n${'x'.repeat(1 << 20)}\r\n`;
    const endless = await raw(`${head}transfer-encoding: chunked\r\n\r\n`, (socket) => {
      for (let i = 0; i < 6; i++) socket.write(chunk);
    });
    expect(endless).toMatch(/^HTTP\/1.1 413 /);
    const exact = await get('/echo/a', { method: 'POST', body: 'x'.repeat(BODY_BYTES_MAX) });
    expect((await exact.arrayBuffer()).byteLength).toBe(BODY_BYTES_MAX + 2);
    expect(server.listener.load().bodiesHeldBytes).toBe(0);
  });

  it('lets a client that sends all of a refused body read the answer', async () => {
    const response = await get('/echo/a', { method: 'POST', body: 'x'.repeat(BODY_BYTES_MAX + 1) });
    expect(response.status).toBe(413);
  });

  it('drops a client that stops within its body', async () => {
    const answer = await raw('POST /echo/a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab');
    expect(answer).not.toContain('200');
    await expect.poll(() => server.listener.load().requestsUnderWay).toBe(0);
  });

  it('tells the handler when its client has gone', async () => {
    aborted = gate();
    const socket = connect(server.port, '127.0.0.1');
    socket.write('POST /until-abort HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nab');
    await held.opened;
    socket.destroy();
    await aborted.opened;
    await expect.poll(() => server.listener.load().requestsUnderWay).toBe(0);
  });

  it('keeps connections, and answers on each in order', async () => {
    const request = (name: string) => `POST /echo/${name} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n!`;
    const pipelined = await raw(
      `${request('a')}${request('b')}${request('c').replace('host', 'connection: close\r\nhost')}`,
    );
    expect(pipelined.match(/[abc] !/g)).toEqual(['a !', 'b !', 'c !']);
  });

  it('survives what is not HTTP', async () => {
    const heads = [
      'GARBAGE\r\n\r\n',
      '\u0000\u0001\u0002\r\n\r\n',
      'GET /hello HTTP/1.1\r\nno colon\r\n\r\n',
      'POST /echo/a HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
      'POST /echo/a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /echo/a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n',
    ];
    for (const head of heads)
      expect([head, await raw(head)]).not.toEqual([head, expect.stringContaining(' 200 ')]);
    expect((await get('/hello')).status).toBe(200);
  });

  it('takes headers up to the limit, in any number of packets, and no more', async () => {
    const inPackets = (bytes: number) =>
      raw('GET /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: ', async (socket) => {
        for (let sent = 0; sent < bytes; sent += 1000) {
          socket.write('y'.repeat(1000));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        socket.write('\r\n\r\n');
      });
    expect(await inPackets(HEADERS_BYTES_MAX - 1500)).toMatch(/^HTTP\/1.1 200 /);
    expect(await inPackets(HEADERS_BYTES_MAX + 1500)).toMatch(/^HTTP\/1.1 431 /);
  });

  it('counts its replies', async () => {
    const count = () => server.listener.load().repliesByStatus.get(200) ?? 0;
    const before = count();
    await get('/hello');
    expect(count()).toBe(before + 1);
  });

  /** What comes back until the server closes the connection, or a moment after the last write. */
  function raw(text: string, then: (socket: TcpSocket) => void | Promise<void> = () => {}): Promise<string> {
    return new Promise((resolve) => {
      let received = '';
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write(text);
        void then(socket);
      });
      socket.setTimeout(1500, () => socket.destroy());
      socket.on('data', (data) => {
        received += data.toString('latin1');
      });
      // A reset is one of the ways to be refused.
      socket.on('error', () => {});
      socket.on('close', () => resolve(received));
    });
  }
});

describe.each(LISTENER_KINDS)('closing %s', (kind) => {
  it('finishes what is under way and takes nothing more', async () => {
    const started = gate();
    const finish = gate();
    const handle: Route['handle'] = async () => {
      started.open();
      await finish.opened;
      return { status: 200, headers: {}, body: 'done' };
    };
    const server = await serve(kind, new FakeApi(), { routes: [{ method: 'GET', path: '/slow', handle }] });
    const slow = fetch(`${server.url}/slow`);
    await started.opened;
    const closed = server.listener.close();
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
    finish.open();
    const response = await slow;
    expect([await response.text(), response.headers.get('connection')]).toEqual(['done', 'close']);
    await closed;
  });

  it('does not wait for ever', async () => {
    const started = gate();
    const handle: Route['handle'] = () => {
      started.open();
      return new Promise(() => {});
    };
    const routes: readonly Route[] = [{ method: 'GET', path: '/never', handle }];
    const server = await serve(kind, new FakeApi(), { routes, patience: { closeMs: 50 } });
    const never = fetch(`${server.url}/never`);
    await started.opened;
    await Promise.all([server.listener.close(), expect(never).rejects.toThrow()]);
  });

  it('frees its port', async () => {
    const first = await serve(kind, new FakeApi());
    await first.listener.close();
    const service = { router: new Router([], () => {}), sockets: first.sockets };
    const second = await listenerOf(kind, service, { clock: realClock });
    expect(await second.listen({ host: '127.0.0.1', port: first.port })).toBe(first.port);
    await second.close();
  });

  it('has a port that is no longer free', async () => {
    const { listener, port } = await serve(kind, new FakeApi());
    await expect(freePort({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'conflict' });
    await listener.close();
    expect(await freePort({ host: '127.0.0.1', port })).toBe(port);
  });

  it('shares its port with other threads, or says that it cannot', async () => {
    const first = await serve(kind, new FakeApi());
    const service = { router: new Router([], () => {}), sockets: first.sockets };
    const second = await listenerOf(kind, service, { clock: realClock });
    const listening = second.listen({ host: '127.0.0.1', port: first.port });
    if (kind === 'uWebSockets.js') expect(await listening).toBe(first.port);
    else await expect(listening).rejects.toMatchObject({ code: 'conflict' });
    await Promise.all([first.listener.close(), second.close()]);
  });
});
