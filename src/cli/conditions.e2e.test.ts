import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KEYS, TestServer } from './testServer.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ threads: 1, memoryLimit: '1MiB' });
}, 30_000);
afterAll(() => server.dispose());

test('over its memory limit it collects nothing, and still answers and decides', async () => {
  const ready = () => fetch(`${server.url}/ready`);
  await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe(503);
  expect(await (await ready()).json()).toEqual({ code: 'unavailable', message: 'out of memory' });
  const call = { userId: 'u', event: 'E' };
  const collected = await server.post('/v1/track', call, KEYS.write);
  expect([collected.status, collected.headers.get('retry-after')]).toEqual([503, '1']);
  expect((await server.post('/v1/track', call, 'wk_unknown')).status).toBe(401);
  await expect(server.call('ingest.batch', { calls: [] })).rejects.toThrow('out of memory');
  expect(await server.call('segment.count', { segment: { all: true } })).toMatchObject({ count: 0 });
  await server.call('segment.save', { name: 's', definition: { all: true } });
  await server.call('segment.delete', { name: 's' });
});

test('configured keys work where the configuration has them, and nowhere else', async () => {
  const { key } = await server.call('key.create', { role: 'read' });
  const statusOf = async (one: string) => (await server.post('/rpc/account.stats', {}, one)).status;
  await server.stop();
  const moved = [{ name: 'other', keys: [{ role: 'admin', key: KEYS.admin }] }];
  await writeFile(
    server.configFile,
    JSON.stringify({ data: server.dataDirectory, threads: 1, accounts: moved }),
  );
  await server.restart();
  expect(await Promise.all([KEYS.admin, KEYS.read, key].map(statusOf))).toEqual([200, 401, 200]);
  await server.call('segment.save', { name: 's', definition: { all: true } });
  expect((await server.post('/rpc/segment.get', { name: 's' }, key)).status).toBe(404);
});
