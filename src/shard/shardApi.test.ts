import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { FRAME_BYTES_MAX } from '../base/limits.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';
import type { BytesByName } from '../tablet/memory.ts';
import { refusal, TestHost } from './testHost.ts';

beforeAll(initHash);

const track = (userId: string, more: object = {}) => ({ type: 'track', userId, event: 'Order', ...more });
const one = () => TestHost.start({ shards: 1, tablets: 1 });
const { ACCOUNT } = TestHost;

describe('what a frame cannot hold', () => {
  test('is refused before it reaches the log', async () => {
    const host = await one();
    const [api] = host.apis;
    const accepted = host.collect([track('u')]);
    const letter = { reason: 'r', item: 'x'.repeat(FRAME_BYTES_MAX - 200), receivedAtMs: 0 };
    const frames = host.log.frames.length;
    const tooLarge = expect.objectContaining({ code: 'too_large' });
    await expect(api!.accept(ACCOUNT, { ...accepted, letters: [letter] }, true)).rejects.toEqual(tooLarge);
    const value = { definition: 'x'.repeat(FRAME_BYTES_MAX), live: false };
    const record = { kind: 'control', atMs: 0, what: 'segment', name: 's', value } as const;
    await expect(api!.decide(ACCOUNT, record)).rejects.toEqual(tooLarge);
    expect(host.log.frames.length).toBe(frames);
  });
});

test('memory is told by part and by name, of the account and of the host', async () => {
  const host = await TestHost.start({ shards: 2, tablets: 4 });
  const traits = { plan: 'pro', email: 'u@example.com' };
  const calls = ['a', 'b', 'c'].flatMap((userId) => [track(userId), { type: 'identify', userId, traits }]);
  await host.apis[0]!.accept(ACCOUNT, host.collect(calls), true);
  const segment = { event: 'Order', count: { gte: 1 } };
  await host.call('segment.save', { name: 'buyers', definition: segment, live: true });
  const stats = (await host.call('account.stats', {})) as {
    readonly events: number;
    readonly bytesPerEvent: number;
    readonly memoryBytes: number;
    readonly memory: BytesByName;
    readonly memoryByName: Readonly<Record<string, BytesByName>>;
  };
  const { memory, memoryByName, memoryBytes } = stats;
  const total = (bytes: BytesByName) => Object.values(bytes).reduce((a, b) => a + b, 0);
  expect(memoryBytes).toBe(total(memory));
  expect(Object.keys(memory)).toEqual(
    expect.arrayContaining([
      'head',
      'blocks',
      'users',
      'profiles',
      'dedupe',
      'live',
      'outbox',
      'deadLetters',
    ]),
  );
  expect(memoryByName.profiles).toMatchObject({ plan: expect.any(Number), email: expect.any(Number) });
  expect(memoryByName.live).toHaveProperty('buyers');
  for (const [part, names] of Object.entries(memoryByName)) expect(total(names), part).toBe(memory[part]);
  expect(stats.bytesPerEvent).toBeGreaterThan(0);
  expect(stats.bytesPerEvent * stats.events).toBeLessThan(memoryBytes);
  for (const { shard } of host.apis) shard.threadMemory = () => ({ requests: 10, scratch: 100 });
  const ofServer = (await host.call('server.stats', {}, 1)) as typeof stats;
  expect(ofServer).toMatchObject({ accounts: 1, memory });
  const { log, frames, texts, spares, requests, scratch, ...ofAccounts } = ofServer.memory;
  expect(ofAccounts).toEqual(memory);
  expect({ log, frames, requests, scratch }).toEqual({
    log: host.log.memoryBytes,
    frames: 0,
    requests: 20,
    scratch: 200,
  });
  expect(ofServer.memoryBytes).toBe(memoryBytes + log! + texts! + spares! + requests! + scratch!);
});

test('whoever hears that events are durable finds them, through any shard', async () => {
  const host = await TestHost.start({ shards: 3, tablets: 8 });
  for (let n = 0; n < 200; n++) {
    const userId = `u${n}`;
    await host.apis[n % 3]!.accept(ACCOUNT, host.collect([track(userId)]), false);
    const asked = host.call('user.timeline', { userId }, (n + 1) % 3);
    expect(((await asked) as { events: unknown[] }).events, userId).toHaveLength(1);
  }
});

test('so do those who hear it while much lies before the tablets', async () => {
  const host = await TestHost.start({ shards: 2, tablets: 4 });
  const large = { properties: { note: 'x'.repeat(1000) } };
  const others = Array.from({ length: 200 }, (_, i) => track(`other-${i}`, large));
  const found = Array.from({ length: 40 }, async (_, n) => {
    const userId = `u${n}`;
    await host.apis[n % 2]!.accept(ACCOUNT, host.collect([...others, track(userId)]), false);
    const { events } = (await host.call('user.timeline', { userId }, (n + 1) % 2)) as { events: unknown[] };
    return events.length;
  });
  expect(await Promise.all(found)).toEqual(found.map(() => 1));
});

describe('dead letters', () => {
  const count = async (host: TestHost) =>
    (
      (await host.call('segment.count', { segment: { event: 'Order', count: { gte: 2 } } })) as {
        count: number;
      }
    ).count;

  /** A letter that is well made after all, as after a limit was raised. */
  async function withLetter() {
    const host = await TestHost.start({ shards: 2, tablets: 4 });
    const letter = { reason: 'r', item: JSON.stringify(track('u')), receivedAtMs: 1 };
    await host.apis[0]!.accept(ACCOUNT, { ...host.collect([]), letters: [letter] }, true);
    const { letters } = (await host.call('deadLetter.list', {})) as { letters: { id: string }[] };
    return { host, id: letters[0]!.id };
  }

  test('are replayed once, however often they are named at once', async () => {
    const { host, id } = await withLetter();
    const replays = await Promise.allSettled([
      host.call('deadLetter.replay', { ids: [id, id] }),
      host.call('deadLetter.replay', { ids: [id] }),
    ]);
    expect(replays).toMatchObject([
      { status: 'fulfilled', value: { replayed: 1, failed: [] } },
      { status: 'rejected', reason: { code: 'not_found' } },
    ]);
    expect(await count(host)).toBe(0);
    expect(await host.call('deadLetter.list', {})).toMatchObject({ total: 0 });
  });

  test('are collected and done in one frame', async () => {
    const { host, id } = await withLetter();
    const before = host.log.frames.length;
    await host.call('deadLetter.replay', { ids: [id] });
    const [frame, ...others] = host.log.frames.slice(before);
    const kinds = decodeSections(frame!).flatMap(({ records }) =>
      decodeRecords(records).map(({ kind }) => kind),
    );
    expect([kinds, others]).toEqual([['declare', 'calls', 'deadLetterDone'], []]);
  });
});

describe('conditions', () => {
  const read = ['segment.count', { segment: { all: true } }] as const;
  const decide = ['segment.save', { name: 's', definition: { all: true } }] as const;

  test.each([
    ['out of disk', ['read']],
    ['out of memory', ['read', 'decide']],
    ['draining', []],
  ])('%s leaves %j', async (condition, done) => {
    const host = await one();
    const [api] = host.apis;
    host.hub.setCondition(condition);
    await expect.poll(() => api!.notReady()).toBe(condition);
    const works = {
      read: () => host.call(...read),
      decide: () => host.call(...decide),
      collect: () => host.accept(track('u')),
    };
    for (const [work, run] of Object.entries(works)) {
      if (done.includes(work)) await run();
      else {
        const refused = { code: 'unavailable', message: condition, retryAfterSeconds: 1 };
        await expect(run()).rejects.toEqual(expect.objectContaining(refused));
      }
    }
  });

  test('a refused append says when to come again', async () => {
    const host = await one();
    host.log.refusal = refusal(7);
    await expect(host.accept(track('u'))).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 7,
    });
  });
});

describe('segments', () => {
  test('stay while a campaign refers to them', async () => {
    const host = await one();
    const campaign = {
      name: 'c',
      trigger: { segment: 'trigger', on: 'enter' },
      audience: { not: { segment: 'audience' } },
      channel: 'webhook',
      message: { url: 'https://sink.test/', body: {} },
    };
    const definition = { event: 'Order' };
    await host.call('segment.save', { name: 'trigger', definition, live: true });
    await host.call('segment.save', { name: 'audience', definition });
    await host.call('campaign.save', campaign);
    const conflict = { code: 'conflict' };
    await expect(host.call('segment.delete', { name: 'trigger' })).rejects.toMatchObject(conflict);
    await expect(host.call('segment.delete', { name: 'audience' })).rejects.toMatchObject(conflict);
    await expect(host.call('segment.save', { name: 'trigger', definition })).rejects.toMatchObject(conflict);
    await host.call('segment.save', { name: 'audience', definition });
    await host.call('campaign.delete', { name: 'c' });
    await host.call('segment.delete', { name: 'trigger' });
  });

  test('evaluated together are named in errors, and bounded together', async () => {
    const host = await one();
    const fine = { all: true };
    const wrong = { event: 'E', where: [{ prop: 'p', op: 'no' }] };
    await expect(host.call('segment.evaluate', { segments: { fine, big: wrong } })).rejects.toMatchObject({
      code: 'bad_request',
      path: 'segments.big.where[0].op',
    });
    const many = { or: new Array(200).fill(fine) };
    const segments = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`s${i}`, many]));
    await expect(host.call('segment.evaluate', { segments })).rejects.toMatchObject({ path: 'segments' });
  });
});

test('every query takes a moment and says what it cost', async () => {
  const host = await TestHost.start({ shards: 2, tablets: 4 });
  await host.accept(track('u'));
  const queries = {
    'segment.contains': { segment: { all: true }, userId: 'u' },
    'segment.members': { segment: { all: true } },
    'user.profile': { userId: 'u' },
    'user.timeline': { userId: 'u' },
    'user.segments': { userId: 'u' },
    'schema.get': {},
    'account.stats': {},
  };
  for (const [method, params] of Object.entries(queries)) {
    const { stats } = (await host.call(method, { ...params, at: '2026-03-08' })) as { stats: object };
    expect(Object.keys(stats)).toEqual(['ms', 'rowsScanned', 'bytesScanned', 'blocksSkipped', 'tablets']);
    const unclear = host.call(method, { ...params, at: 'soon' });
    await expect(unclear, method).rejects.toMatchObject({ code: 'bad_request', path: 'at' });
  }
});

test('a param that is not there is said to be missing', async () => {
  const host = await one();
  const asked = host.call('segment.contains', { segment: { all: true } });
  await expect(asked).rejects.toMatchObject({ message: 'userId: is missing', path: 'userId' });
  await expect(host.call('segment.count', {})).rejects.toMatchObject({ message: 'segment: is missing' });
});
