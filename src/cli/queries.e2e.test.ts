import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Definition } from '../client/types.ts';
import { LISTENER_KINDS } from '../server/testApi.ts';
import { KEYS, TestServer, until } from './testServer.ts';

const USERS = 3000;
/** Half a second of work and more. */
const SEGMENTS: Readonly<Record<string, Definition>> = Object.fromEntries(
  Array.from({ length: 1900 }, (_, i) => [
    `s${i}`,
    { event: 'Order', where: [{ prop: 'n', op: 'gte', value: i }], count: { gte: 1 + (i % 5) } },
  ]),
);

/** Queries end when they may, when nobody waits for them, and when they take too much. */
describe.each(LISTENER_KINDS)('over %s', (listener) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ listener, queryMemoryLimit: '300KiB' });
    const calls = Array.from({ length: USERS }, (_, n) => ({
      type: 'track',
      userId: `u${n}`,
      event: 'Order',
      properties: { n },
    }));
    for (let from = 0; from < USERS; from += 1000) {
      await server.call('ingest.batch', { calls: calls.slice(from, from + 1000) });
    }
  });
  afterAll(async () => {
    expect(server.output.stderr).toBe('');
    await server.dispose();
  });

  const evaluate = (segments: object, more: object = {}, signal?: AbortSignal) =>
    fetch(`${server.url}/rpc/segment.evaluate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEYS.read}` },
      body: JSON.stringify({ segments, ...more }),
      ...(signal !== undefined && { signal }),
    });
  const workUnderWay = async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^muster_work_under_way (\d+)$/m.exec(text)![1]);
  };
  const isBusy = () =>
    until(async () => (await workUnderWay()) > 0, { describe: () => 'nothing is worked on' });
  const isIdle = () =>
    until(async () => (await workUnderWay()) === 0, { describe: () => 'the query is still worked on' });
  const half = Object.fromEntries(Object.entries(SEGMENTS).slice(0, 900));

  test('a query within its limits is answered', async () => {
    const response = await evaluate({ all: { all: true } });
    expect([response.status, await response.json()]).toMatchObject([200, { counts: { all: USERS } }]);
  });

  test('timeoutMs ends it, and no thread goes on', async () => {
    const response = await evaluate(half, { timeoutMs: 1 });
    expect([response.status, await response.json()]).toEqual([
      504,
      { code: 'timeout', message: 'no answer within 1 ms' },
    ]);
    await isIdle();
  });

  test('a connection that is dropped ends it', async () => {
    const gone = new AbortController();
    const answered = evaluate(half, {}, gone.signal);
    await isBusy();
    gone.abort();
    await expect(answered).rejects.toThrow();
    await isIdle();
  });

  test('a WebSocket that is closed ends it', async () => {
    const client = await server.client();
    const answered = client.call('segment.evaluate', { segments: half });
    await isBusy();
    client.close();
    await expect(answered).rejects.toThrow();
    await isIdle();
  });

  test('one that takes too much memory is refused, with what to do', async () => {
    const response = await evaluate(SEGMENTS);
    expect([response.status, await response.json()]).toMatchObject([
      413,
      { code: 'too_large', message: expect.stringContaining('queryMemoryLimit') },
    ]);
    await isIdle();
  });
});
