import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import type { TabletAnswer } from './messages.ts';
import { accountSection } from './shard.ts';
import { TestHost } from './testHost.ts';

beforeAll(initHash);

const { ACCOUNT } = TestHost;
const { signal } = new AbortController();

describe('a whole picture', () => {
  const answer = (tablet: string, done: object, received: object, tablets = 2) =>
    ({ tablet, tablets, part: undefined, epochs: { done, received } }) as TabletAnswer;
  const halfDone = [answer('0', { 1: 1 }, {}), answer('1', {}, {})];
  const whole = [answer('0', { 1: 1 }, {}), answer('1', {}, { 0: 1 })];

  test('is waited for, and merges held back meanwhile', async () => {
    const { gather } = new TestHost(1).apis[0]!;
    const tries = [halfDone, undefined, whole];
    const holds: (number | undefined)[] = [];
    const got = await gather.whole(async ({ holdMs }) => {
      holds.push(holdMs);
      return tries[holds.length - 1];
    });
    expect(got).toBe(whole);
    expect(holds).toEqual([undefined, expect.any(Number), expect.any(Number)]);
    expect(holds[2]).toBeGreaterThan(holds[1]!);
  });

  test('is not of two times, with a split between them', async () => {
    const { gather } = new TestHost(1).apis[0]!;
    const before = [answer('0', {}, {}), answer('1', {}, {}, 3)];
    const after = [answer('00', {}, {}, 3), answer('01', {}, {}, 3), answer('1', {}, {}, 3)];
    const tries = [before, after];
    expect(await gather.whole(async () => tries.shift())).toBe(after);
  });

  test('asks nothing of tablets that were not asked', async () => {
    const { gather } = new TestHost(1).apis[0]!;
    expect(await gather.whole(async () => halfDone.slice(0, 1))).toHaveLength(1);
  });

  test('that does not come is unavailable', async () => {
    const { gather } = new TestHost(1).apis[0]!;
    const unavailable = { code: 'unavailable', retryAfterSeconds: 1 };
    await expect(gather.whole(async () => halfDone)).rejects.toMatchObject(unavailable);
  });
});

test('an account that its owners do not know yet is unavailable, not empty', async () => {
  const host = new TestHost(2);
  const [{ gather, shard }] = host.apis as [(typeof host.apis)[0]];
  const value = { timezone: 'UTC', tablets: 2 };
  const record = { kind: 'control', atMs: 0, what: 'account', name: ACCOUNT, value } as const;
  shard.directory.apply(accountSection(ACCOUNT, record));
  const unavailable = { code: 'unavailable' };
  for (const tablet of ['0', '1']) {
    const question = { account: ACCOUNT, tablet, operation: 'schema', args: null, signal } as const;
    expect(await gather.askOne(question)).toBeUndefined();
  }
  const home = { account: ACCOUNT, userId: 'u', operation: 'schema', args: null, signal } as const;
  await expect(gather.askHome(home)).rejects.toMatchObject(unavailable);
  const asked = gather.ask({ account: ACCOUNT, operation: 'schema', args: null, signal });
  await expect(asked).rejects.toMatchObject(unavailable);
});

test('a bug in a peer ends the process, and is told to the asker', async () => {
  const host = await TestHost.start({ shards: 2, tablets: 2 });
  const bug = new TypeError('a bug');
  host.apis[1]!.shard.answer = async () => {
    throw bug;
  };
  await expect(host.call('schema.get', {})).rejects.toMatchObject({ code: 'internal' });
  expect(host.fatal).toEqual([bug]);
});

test('what a query may take of memory is for one tablet of a thread after the other', async () => {
  const host = await TestHost.start({ shards: 1, tablets: 8, queryBytesMax: 3000 });
  const users = Array.from({ length: 2000 }, (_, i) => `u${i}`);
  await host.accept(...users.map((userId) => ({ type: 'track', userId, event: 'Order' })));
  const count = (segment: object) => host.call('segment.count', { segment });
  const often = { event: 'Order', count: { gte: 1 } };
  // 4 bytes of counts for each of some 250 users.
  expect(await count(often)).toMatchObject({ count: 2000, total: 2000 });
  const many = Array.from({ length: 100 }, (_, i) => ({ ...often, count: { gte: i + 2 } }));
  await expect(count({ or: many })).rejects.toMatchObject({ code: 'too_large' });
  expect(await count(often)).toMatchObject({ count: 2000 });
  expect(host.fatal).toEqual([]);
});
