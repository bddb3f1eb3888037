import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SECOND_MS } from '../base/limits.ts';
import type { SegmentChange } from '../client/types.ts';
import { TestServer, until } from './testServer.ts';
import { TestSink } from './testSink.ts';

let server: TestServer;
let sink: TestSink;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.dispose());
beforeEach(async () => {
  sink = await TestSink.open();
});
afterEach(() => sink.close());

/** A campaign that sends the ids of those who come into the live segment of two such events. */
async function saveCampaign(name: string): Promise<void> {
  await server.call('segment.save', { name, definition: { event: name, count: { gte: 2 } }, live: true });
  await server.call('campaign.save', {
    name,
    trigger: { segment: name, on: 'enter' },
    channel: 'webhook',
    message: { url: sink.url, body: { user: '{{ user.id }}' } },
  });
}

const usersOf = (count: number) => Array.from({ length: count }, (_, i) => `user ${i}`);

/** Each does it three times, and so enters at the second. */
async function enter(event: string, users: readonly string[]): Promise<void> {
  for (let time = 0; time < 3; time++) {
    await server.collect(...users.map((userId) => ({ type: 'track', userId, event })));
  }
}

const statsOf = (name: string) => server.call('campaign.stats', { name });

async function settled(name: string, intended: number): Promise<void> {
  await until(async () => {
    const stats = await statsOf(name);
    return stats.intended >= intended && stats.pending === 0;
  });
}

/** One message id for each user, and one user for each message id. */
function expectOneMessageEach(users: readonly string[]): void {
  const idsOf = new Map<string, Set<string>>();
  for (const { id, body } of sink.arrivals) {
    const { user } = body as { user: string };
    idsOf.set(user, (idsOf.get(user) ?? new Set()).add(id));
  }
  expect([...idsOf.keys()].sort()).toEqual([...users].sort());
  expect([...idsOf].filter(([, ids]) => ids.size > 1)).toEqual([]);
  expect(sink.timesById.size).toBe(users.length);
}

test('every user who enters a live segment gets one signed message', async () => {
  const users = usersOf(300);
  await saveCampaign('Entered');
  await enter('Entered', users);
  await settled('Entered', users.length);
  expectOneMessageEach(users);
  expect(sink.arrivals.length).toBe(users.length);
  expect(await statsOf('Entered')).toMatchObject({
    intended: 300,
    sent: 300,
    failed: 0,
    skipped: 0,
    pending: 0,
  });
  const { events } = await server.call('user.timeline', { userId: 'user 7', events: ['Message Sent'] });
  expect(events.map(({ properties }) => properties)).toEqual([
    {
      campaign: 'Entered',
      channel: 'webhook',
      messageId: sink.arrivals.find(({ body }) => (body as { user: string }).user === 'user 7')!.id,
    },
  ]);
});

test('also when the server is killed in the middle of sending: again under the same id, at most once more', async () => {
  const users = usersOf(300);
  await saveCampaign('Killed');
  sink.answer = (_, response) => void setTimeout(() => response.writeHead(204).end(), 20);
  await enter('Killed', users);
  for (const arrived of [50, 150]) {
    await until(() => sink.timesById.size > arrived);
    await server.kill();
    await server.restart();
  }
  await settled('Killed', users.length);
  expectOneMessageEach(users);
  const repeated = [...sink.timesById.values()].filter((times) => times > 1).length;
  expect(repeated).toBeLessThan(users.length / 2);
  expect(await statsOf('Killed')).toMatchObject({
    intended: 300,
    sent: 300,
    failed: 0,
    skipped: 0,
    pending: 0,
  });
});

test('a message that was refused is tried again under its id', async () => {
  await saveCampaign('Refused');
  sink.answer = ({ id }, response) => response.writeHead(sink.timesById.get(id) === 1 ? 503 : 204).end();
  await enter('Refused', usersOf(20));
  await settled('Refused', 20);
  expectOneMessageEach(usersOf(20));
  expect([...sink.timesById.values()]).toEqual(new Array(20).fill(2));
});

test('a user who leaves a live segment by time alone is announced within 2 s of that moment', async () => {
  const client = await server.client('read');
  const definition = { event: 'Looked', within: { last: '2s' } } as const;
  await server.call('segment.save', { name: 'looking', definition, live: true });
  const changes: (SegmentChange & { readonly lateMs: number })[] = [];
  await client.watch('looking', (change) =>
    changes.push({ ...change, lateMs: Date.now() - Date.parse(change.at) }),
  );
  const users = usersOf(50);
  await server.collect(...users.map((userId) => ({ type: 'track', userId, event: 'Looked' })));
  await until(() => changes.length === 100, { describe: () => `${changes.length} changes came` });

  const momentsOf = (kind: SegmentChange['change']) =>
    new Map(
      changes.filter(({ change }) => change === kind).map(({ userId, at }) => [userId, Date.parse(at)]),
    );
  const [entered, left] = [momentsOf('enter'), momentsOf('exit')];
  expect([...entered.keys()].sort()).toEqual([...users].sort());
  for (const user of users) expect(left.get(user)! - entered.get(user)!).toBe(2 * SECOND_MS);
  expect(Math.max(...changes.map(({ lateMs }) => lateMs))).toBeLessThan(2 * SECOND_MS);
});

test('an event answers queries within a second of its 200', async () => {
  const waitsMs: number[] = [];
  for (let i = 0; i < 30; i++) {
    await server.collect({ type: 'track', userId: `reader ${i}`, event: 'Read', properties: { i } });
    const segment = { event: 'Read', where: [{ prop: 'i', op: 'eq', value: i }] } as const;
    const startedMs = performance.now();
    await until(async () => (await server.call('segment.count', { segment })).count === 1, { everyMs: 1 });
    waitsMs.push(performance.now() - startedMs);
  }
  expect(Math.max(...waitsMs)).toBeLessThan(SECOND_MS);
});
