import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { TestHost } from './testHost.ts';

beforeAll(initHash);

const { ACCOUNT } = TestHost;
const USERS = 200;
const userIds = Array.from({ length: USERS }, (_, n) => `u${n}`);
const track = (userId: string) => ({ type: 'track', userId, event: 'Order' });

interface Stats {
  readonly users: number;
  readonly events: number;
  readonly accepted: number;
  readonly tablets: readonly { readonly tablet: string; readonly users: number }[];
}

const start = (usersMax: number, tabletsMax: number) =>
  TestHost.start({ shards: 2, tablets: 2, splitting: { usersMax, tabletsMax } });
const statsOf = (host: TestHost) => host.call('account.stats', {}) as Promise<Stats>;

test('tablets split as they grow, until all are small enough', async () => {
  const host = await start(20, 1000);
  for (let at = 0; at < USERS; at += 10) await host.accept(...userIds.slice(at, at + 10).map(track));
  await expect.poll(async () => (await statsOf(host)).tablets.every(({ users }) => users <= 20)).toBe(true);
  const { tablets, ...stats } = await statsOf(host);
  expect(stats).toMatchObject({ users: USERS, events: USERS, accepted: USERS });
  expect(tablets.reduce((sum, { tablet }) => sum + 2 ** -tablet.length, 0)).toBe(1);
  // Whatever comes of a tablet stays with its owner.
  for (const { shard } of host.apis) {
    const entry = shard.directory.get(ACCOUNT)!;
    const own = new Set(shard.tablets.map(({ bits }) => bits[0]));
    expect([own.size, entry.state.tree.leaves]).toEqual([1, tablets.map(({ tablet }) => tablet)]);
  }
  expect(host.fatal).toEqual([]);
});

test('an account has at most so many tablets', async () => {
  const host = await start(1, 8);
  for (const userId of userIds) await host.accept(track(userId));
  expect((await statsOf(host)).tablets).toHaveLength(8);
});

test('pages of members go on while tablets split, and everyone is asked where he is', async () => {
  const host = await start(10, 64);
  await host.accept(...userIds.slice(0, 100).map(track));
  const seen: string[] = [];
  for (let after: string | undefined, page = 0; ; page++) {
    // Users who come in between are not in the segment.
    const late = Array.from({ length: 9 }, (_, n) => ({ userId: `late ${page} ${n}`, event: 'Else' }));
    await host.accept(...late.map((event) => ({ type: 'track', ...event })));
    const params = { segment: { event: 'Order' }, limit: 7, ...(after !== undefined && { after }) };
    const { users, next } = (await host.call('segment.members', params, page % 2)) as {
      users: { id: string }[];
      next?: string;
    };
    seen.push(...users.map(({ id }) => id));
    if (next === undefined) break;
    after = next;
  }
  expect(seen.toSorted()).toEqual(userIds.slice(0, 100).toSorted());
  for (const userId of seen)
    expect(await host.call('user.timeline', { userId })).toMatchObject({ events: [{ event: 'Order' }] });
});

test('a letter of a tablet that has split can be replayed', async () => {
  const host = await start(10, 64);
  const letter = { reason: 'r', item: JSON.stringify(track('again')), receivedAtMs: 1 };
  await host.apis[0]!.accept(ACCOUNT, { ...host.collect([]), letters: [letter] }, true);
  await host.accept(...userIds.map(track));
  await expect.poll(async () => (await statsOf(host)).tablets.length).toBeGreaterThan(16);
  const { letters } = (await host.call('deadLetter.list', {})) as { letters: { id: string }[] };
  await host.call('deadLetter.replay', { ids: [letters[0]!.id] });
  expect(await host.call('deadLetter.list', {})).toMatchObject({ total: 0 });
  expect(await host.call('user.timeline', { userId: 'again' })).toMatchObject({
    events: [{ event: 'Order' }],
  });
});
