import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpRequest } from './network.ts';
import { isPublicAddress, RealNetwork } from './realNetwork.ts';

let server: Server;
let network: RealNetwork;
let answer: RequestListener;
let seen: { method: string | undefined; url: string | undefined; headers: object; body: string }[];

beforeEach(async () => {
  seen = [];
  answer = (_, response) => response.writeHead(200, { 'X-Two': ['a', 'b'] }).end('fine');
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  network = new RealNetwork();
});

afterEach(async () => {
  await network.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function request(change: Partial<HttpRequest> & { readonly host?: string; readonly path?: string } = {}) {
  const { host = '127.0.0.1', path = '/hook?a=1', ...rest } = change;
  const { port } = server.address() as AddressInfo;
  return network.request({
    method: 'POST',
    url: `http://${host}:${port}${path}`,
    headers: { 'x-one': '1' },
    body: Buffer.from('{"a":1}'),
    timeoutMs: 5000,
    allowPrivateNetworks: true,
    ...rest,
  });
}

test('sends a request and returns the answer', async () => {
  expect(await request()).toMatchObject({ status: 200, headers: { 'x-two': 'a, b' }, bodyStart: 'fine' });
  expect(seen).toMatchObject([
    { method: 'POST', url: '/hook?a=1', headers: { 'x-one': '1', 'content-length': '7' }, body: '{"a":1}' },
  ]);
});

test('does not follow a redirect', async () => {
  answer = (_, response) => response.writeHead(302, { location: '/elsewhere' }).end();
  expect(await request()).toMatchObject({ status: 302, headers: { location: '/elsewhere' } });
  expect(seen).toHaveLength(1);
});

test('reads no more than the start of an endless body', async () => {
  answer = (_, response) => {
    response.writeHead(500);
    const more = () => {
      if (!response.destroyed) response.write('x'.repeat(1000), () => setImmediate(more));
    };
    more();
  };
  const { status, bodyStart } = await request();
  expect({ status, length: bodyStart.length }).toEqual({ status: 500, length: 4096 });
});

test.each<[string, RequestListener]>([
  ['no answer', () => {}],
  ['half an answer', (_, response) => void response.writeHead(200, { 'content-length': '10' }).write('half')],
])('%s in time', async (_, listener) => {
  answer = listener;
  await expect(request({ timeoutMs: 50 })).rejects.toMatchObject({
    name: 'NetworkError',
    failure: 'timeout',
  });
});

test('a broken connection', async () => {
  answer = (_, response) => response.destroy();
  await expect(request()).rejects.toMatchObject({ name: 'NetworkError', failure: 'connection' });
});

test('connections are kept for the next requests', async () => {
  let connections = 0;
  server.on('connection', () => connections++);
  for (let i = 0; i < 10; i++) await request();
  // Two: one may not be free yet when the next request comes.
  expect(connections).toBeLessThanOrEqual(2);
});

test.each(['ftp://example.com/', 'nonsense', 'http://me:secret@127.0.0.1/', 'file:///etc/passwd'])(
  '%s is no URL to send to',
  async (url) => {
    await expect(request({ url })).rejects.toMatchObject({ failure: 'bad_url' });
  },
);

describe('private addresses', () => {
  // All are 127.0.0.1 in other clothes; localhost is a name that resolves to it.
  test.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    '%s is refused, without a connection',
    async (host) => {
      let connections = 0;
      server.on('connection', () => connections++);
      const refused = request({ host, allowPrivateNetworks: false });
      await expect(refused).rejects.toMatchObject({ name: 'NetworkError', failure: 'address_refused' });
      expect(connections).toBe(0);
    },
  );

  test('a connection made where they are allowed is not used where they are not', async () => {
    await request();
    await expect(request({ allowPrivateNetworks: false })).rejects.toMatchObject({
      failure: 'address_refused',
    });
    expect(seen).toHaveLength(1);
  });

  test.each([
    ['0.0.0.0', false],
    ['9.255.255.255', true],
    ['10.0.0.1', false],
    ['100.63.255.255', true],
    ['100.64.0.1', false],
    ['100.128.0.1', true],
    ['169.254.169.254', false],
    ['172.15.255.255', true],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['172.32.0.1', true],
    ['192.168.255.255', false],
    ['198.18.0.1', false],
    ['203.0.113.5', false],
    ['223.255.255.255', true],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['8.8.8.8', true],
    ['::', false],
    ['::1', false],
    ['::ffff:10.0.0.1', false],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::7f00:1', false],
    ['fc00::1', false],
    ['fd12::1', false],
    ['fe80::1', false],
    ['ff02::1', false],
    ['2001::1', false],
    ['2001:db8::1', false],
    ['2002:7f00:1::', false],
    ['2606:4700:4700::1111', true],
    ['2a00:1450:4001::1', true],
  ])('%s is public: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});
