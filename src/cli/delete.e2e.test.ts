import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SegmentChange } from '../client/types.ts';
import { runCli } from './testCli.ts';
import { KEYS, TestServer, until } from './testServer.ts';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  expect(server.output.stderr).toBe('');
  await server.dispose();
});

const user = (key: string, ...args: string[]) =>
  runCli(['user', ...args], { env: { MUSTER_URL: server.url, MUSTER_KEY: key } });

test('muster user delete erases a person for good, and says what it cannot', async () => {
  await server.collect(
    { type: 'track', anonymousId: 'visitor', event: 'Visited' },
    { type: 'identify', userId: 'ann', anonymousId: 'visitor', traits: { plan: 'pro' } },
    { type: 'track', userId: 'ann', event: 'Bought' },
    { type: 'track', userId: 'bob', event: 'Bought' },
  );
  await server.call('segment.save', { name: 'buyers', definition: { event: 'Bought' }, live: true });
  const changes: SegmentChange[] = [];
  const client = await server.client();
  await client.watch('buyers', (change) => changes.push(change));

  expect(await user(KEYS.read, 'delete', 'ann')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'muster: user: a read key may not call user.delete\n',
  });
  expect((await user(KEYS.admin, 'delete')).code).toBe(2);

  const { code, stdout } = await user(KEYS.admin, 'delete', 'visitor', '--json');
  expect([code, JSON.parse(stdout)]).toEqual([0, { id: 'ann', deleted: true, copiesGoneAt: null }]);
  for (const id of ['ann', 'visitor']) {
    expect(await user(KEYS.admin, 'delete', id)).toEqual({
      code: 1,
      stdout: '',
      stderr: `muster: user: no user ${id}\n`,
    });
  }
  await until(async () => changes.length > 0);
  expect(changes).toMatchObject([{ name: 'buyers', userId: 'ann', change: 'exit' }]);

  const left = async () => {
    const { count, total } = await server.call('segment.count', { segment: 'buyers' });
    const { count: live } = await server.call('segment.get', { name: 'buyers' });
    return { count, total, live, timeline: (await user(KEYS.read, 'timeline', 'ann')).code };
  };
  expect(await left()).toEqual({ count: 1, total: 1, live: 1, timeline: 1 });
  await server.kill();
  await server.restart();
  expect(await left()).toEqual({ count: 1, total: 1, live: 1, timeline: 1 });
  expect((await user(KEYS.admin, 'delete', 'bob')).stdout).toBe(
    'deleted bob; copies in the log stay until it is compacted\n',
  );
});
