import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Params } from '../client/types.ts';
import { KEYS, runProgram, TestServer, until } from './testServer.ts';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.dispose());

const track = (userId: string, event: string, properties: Readonly<Record<string, unknown>> = {}) => ({
  type: 'track',
  userId,
  event,
  properties,
});

test('a restart brings everything back', async () => {
  const minute = (n: number) => new Date(Date.UTC(2025, 5, 1, 0, n)).toISOString();
  await server.collect(
    { type: 'identify', userId: 'ann', timestamp: minute(0), traits: { plan: 'pro', tags: { $add: ['a'] } } },
    { type: 'track', anonymousId: 'anon', timestamp: minute(1), event: 'Visited', properties: { page: '/' } },
    { type: 'alias', userId: 'ann', previousId: 'anon', timestamp: minute(2) },
    { ...track('ann', 'Bought', { price: 1.5, list: ['x', 1, true] }), timestamp: minute(3) },
    { ...track('bob', 'Bought', { price: 2 }), timestamp: minute(4) },
    { type: 'track', userId: 'bob' },
  );
  const definition = {
    and: [{ event: 'Bought' }, { not: { profile: 'plan', op: 'eq', value: 'pro' } }],
  } as const;
  await server.call('segment.save', { name: 'free buyers', definition, live: true });
  const campaign: Params<'campaign.save'> = {
    name: 'later',
    trigger: { event: 'Bought', delay: '30d' },
    channel: 'webhook',
    message: { url: 'http://127.0.0.1:1/', body: 'hello' },
  };
  await server.call('campaign.save', campaign);
  const { key, id } = await server.call('key.create', { role: 'read', label: 'reports' });
  const { id: revokedId, key: revoked } = await server.call('key.create', { role: 'read' });
  await server.call('key.revoke', { id: revokedId });
  await server.collect(track('bob', 'Bought'));

  /** How long an answer took is its own. */
  const lasting = async (method: 'user.profile' | 'user.timeline', userId: string) => {
    const { stats: _, ...answer } = await server.call(method, { userId });
    return answer;
  };
  const everything = async () => {
    const {
      memoryBytes: _,
      memory: __,
      memoryByName: ___,
      bytesPerEvent: ____,
      stats: _____,
      ...stats
    } = await server.call('account.stats', {});
    return {
      stats: { ...stats, tablets: stats.tablets.map(({ position: _, ...tablet }) => tablet) },
      schema: { ...(await server.call('schema.get', {})), stats: undefined },
      letters: await server.call('deadLetter.list', {}),
      profiles: await Promise.all(['ann', 'anon', 'bob'].map((userId) => lasting('user.profile', userId))),
      timelines: await Promise.all(['ann', 'anon', 'bob'].map((userId) => lasting('user.timeline', userId))),
      segments: await server.call('segment.list', {}),
      members: (await server.call('segment.members', { segment: 'free buyers' })).users,
      live: (await server.call('segment.get', { name: 'free buyers' })).count,
      campaigns: await server.call('campaign.list', {}),
      pending: await server.call('campaign.stats', { name: 'later' }),
      keys: await server.call('key.list', {}),
      statuses: await Promise.all(
        [key, revoked].map(async (one) => (await server.post('/rpc/schema.get', {}, one)).status),
      ),
    };
  };
  const before = await everything();
  expect(before).toMatchObject({
    letters: { total: 1 },
    profiles: [
      { id: 'ann', aliases: ['anon'], traits: { plan: 'pro', tags: ['a'] } },
      { id: 'ann' },
      { id: 'bob' },
    ],
    timelines: [{ events: [{ event: 'Bought' }, { event: 'Visited' }] }, {}, {}],
    members: [{ id: 'bob' }],
    live: 1,
    pending: { intended: 1, pending: 1 },
    statuses: [200, 401],
  });
  expect(before.keys.keys.map((one) => one.id)).toContain(id);

  await server.kill();
  await server.restart();
  expect(await everything()).toEqual(before);
  expect(await server.stop()).toMatchObject({ code: 0, stderr: '' });
  await server.restart();
  expect(await everything()).toEqual(before);
});

test('SIGTERM lets requests under way finish, and loses nothing that was acknowledged', async () => {
  const acknowledged: string[] = [];
  let isTold = false;
  const collecting = Array.from({ length: 20 }, async (_, worker) => {
    for (let i = 0; ; i++) {
      const id = `${worker}.${i}`;
      const event = track('under way', 'Sent', { id });
      const response = await server.post('/v1/track', event, KEYS.write).catch(() => undefined);
      if (response?.status === 200) acknowledged.push(id);
      else if (response === undefined || response.status === 503) return isTold;
      else throw new Error(`answered ${response.status}`);
    }
  });
  await until(() => acknowledged.length > 200);
  isTold = true;
  const { code, stderr } = await server.stop();
  expect([code, stderr]).toEqual([0, '']);
  expect(await Promise.all(collecting)).not.toContain(false);

  await server.restart();
  const kept = new Set<unknown>();
  let before: string | undefined;
  do {
    const page = await server.call('user.timeline', { userId: 'under way', before, limit: 1000 });
    for (const { properties } of page.events) kept.add(properties.id);
    before = page.next;
  } while (before !== undefined);
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
});

describe('a server that cannot start says why in one line', () => {
  test.each([
    [
      'the data directory',
      () => ['--config', server.configFile, '--port', '0'],
      /data directory is in use by process \d+/,
    ],
    [
      'the port',
      () => ['--data', join(server.directory, 'other'), '--port', new URL(server.url).port],
      /cannot listen on 127\.0\.0\.1 port \d+/,
    ],
  ])('%s is taken', async (_, args, reason) => {
    const { code, stdout, stderr } = await runProgram(['serve', ...args()]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect((await server.post('/rpc/schema.get', {})).status).toBe(200);
  });

  test.each([
    ['listen: { prot: 1 }', {}, 'unknown key at listen.prot'],
    ['threads: 0', {}, 'threads'],
    ['accounts: [{ name: shop, keys: [] }]', {}, 'accounts[0].keys'],
    ['accounts: [{ name: shop, keys: [{ role: root, key: abcd }] }]', {}, 'accounts[0].keys[0]'],
    [
      'accounts: [{ name: shop, retention: 90, keys: [{ role: read, key: abcd }] }]',
      {},
      'accounts[0].retention',
    ],
    ['memoryLimit: much', {}, 'memoryLimit'],
    ['log: { kind: kafka }', {}, 'log.kind'],
    ['data: [', {}, 'not YAML'],
    ['just text', {}, 'expected sections'],
    ['', { MUSTER_THREDS: '2' }, 'unknown environment variable at MUSTER_THREDS'],
    ['', { MUSTER_THREADS: 'many' }, 'MUSTER_THREADS'],
  ])('configuration %j %j', async (text, environment, reason) => {
    const file = join(server.directory, 'wrong.yaml');
    await writeFile(file, text);
    const { code, stdout, stderr } = await runProgram(
      ['serve', '--config', file, '--data', join(server.directory, 'unused'), '--port', '0'],
      environment,
    );
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(reason);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
