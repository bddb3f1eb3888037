import { beforeAll, describe, expect, test, vi } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { TestHost } from '../testHost.ts';

beforeAll(initHash);

const TRIES = 20;
const track = (userId: string, more: object = {}) => ({ type: 'track', userId, event: 'Order', ...more });
const visit = (anonymousId: string) => ({ type: 'track', anonymousId, event: 'Order' });
const alias = (previousId: string, userId: string) => ({ type: 'alias', previousId, userId });
const notFound = expect.objectContaining({ code: 'not_found' });
const start = () => TestHost.start({ shards: 2, tablets: 4 });
const deleteUser = (host: TestHost, userId: string, shard = 0) => host.call('user.delete', { userId }, shard);

async function counted(host: TestHost): Promise<unknown> {
  const { count, total } = (await host.call('segment.count', { segment: { event: 'Order' } })) as {
    count: number;
    total: number;
  };
  return { count, total };
}

describe('user.delete', () => {
  test('whoever asks after the answer finds nothing, through any shard', async () => {
    const host = await start();
    for (let i = 0; i < TRIES; i++) {
      await host.accept(track(`u${i}`), { type: 'identify', userId: `u${i}`, traits: { plan: 'gold' } });
      const answer = await deleteUser(host, `u${i}`, i % 2);
      expect(answer).toEqual({ id: `u${i}`, deleted: true, copiesGoneAt: null });
      for (const shard of [0, 1]) {
        await expect(host.call('user.profile', { userId: `u${i}` }, shard)).rejects.toEqual(notFound);
        await expect(host.call('user.timeline', { userId: `u${i}` }, shard)).rejects.toEqual(notFound);
      }
    }
    expect(await counted(host)).toEqual({ count: 0, total: 0 });
    expect(await host.call('account.stats', {})).toMatchObject({ events: 0, users: 0 });
  });

  test('is of the person, by whichever id, wherever merged ids are at home', async () => {
    const host = await start();
    for (let i = 0; i < TRIES; i++) {
      const [userId, one, other] = [`u${i}`, `a${i}`, `b${i}`];
      await host.accept(visit(one), visit(other), track(userId));
      await host.accept(alias(one, userId), alias(other, userId));
      const answer = await deleteUser(host, [userId, one, other][i % 3]!);
      expect(answer).toMatchObject({ id: userId, deleted: true });
      expect(await counted(host)).toEqual({ count: 0, total: 0 });
      for (const id of [userId, one, other]) await expect(deleteUser(host, id)).rejects.toEqual(notFound);
      // Each id is free again.
      await host.accept(visit(one));
      expect(await host.call('user.profile', { userId: one })).toMatchObject({ id: one, aliases: [] });
      await deleteUser(host, one);
    }
    expect(host.fatal).toEqual([]);
  });

  test('takes dead letters of the user and of merged ids along', async () => {
    const host = await start();
    await host.accept(track('u'), visit('a'), alias('a', 'u'));
    const bad = { type: 'track', event: 7 };
    await host.accept({ ...bad, userId: 'u' }, { ...bad, anonymousId: 'a' }, { ...bad, userId: 'v' });
    await deleteUser(host, 'a');
    const { letters } = (await host.call('deadLetter.list', {})) as { letters: readonly { item: string }[] };
    expect(letters.map(({ item }) => JSON.parse(item))).toEqual([expect.objectContaining({ userId: 'v' })]);
  });

  test('of who is not known writes nothing', async () => {
    const host = await start();
    const frames = host.log.frames.length;
    await expect(deleteUser(host, 'nobody')).rejects.toEqual(notFound);
    await expect(host.call('user.delete', {})).rejects.toMatchObject({ code: 'bad_request', path: 'userId' });
    expect(host.log.frames.length).toBe(frames);
  });

  test('of one user twice at once is done once', async () => {
    const host = await start();
    await host.accept(track('u'));
    const results = await Promise.allSettled([deleteUser(host, 'u'), deleteUser(host, 'u', 1)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('holds after the log was read again', async () => {
    const before = await start();
    await before.accept(track('u'), track('v'), visit('a'), alias('a', 'u'));
    await deleteUser(before, 'u');
    const host = new TestHost(2);
    host.log.frames.push(...before.log.frames);
    await host.hub.replay();
    host.hub.goLive();
    await vi.waitFor(() => expect(host.apis.map((api) => api.notReady())).toEqual([undefined, undefined]));
    expect(await counted(host)).toEqual({ count: 1, total: 1 });
    await expect(host.call('user.profile', { userId: 'u' })).rejects.toEqual(notFound);
  });
});
