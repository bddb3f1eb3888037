import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { initHash } from '../base/hash.ts';
import { TestHost } from './testHost.ts';

beforeAll(initHash);

/** So many that evaluating takes thousands of steps in each tablet. */
const SEGMENTS = Object.fromEntries(
  Array.from({ length: 1500 }, (_, i) => [
    `s${i}`,
    { event: 'Order', where: [{ prop: 'n', op: 'gte', value: i % 50 }], count: { gte: 1 + (i % 9) } },
  ]),
);

describe('a query that nobody waits for any more', () => {
  let host: TestHost;

  async function started() {
    host = await TestHost.start({ shards: 2, tablets: 4 });
    const users = Array.from({ length: 200 }, (_, i) => `u${i}`);
    await host.accept(
      ...users.map((userId, n) => ({ type: 'track', userId, event: 'Order', properties: { n } })),
    );
    const call = (method: string, params: unknown, signal: AbortSignal) => {
      const principal = { account: TestHost.ACCOUNT, role: 'admin' as const };
      return host.apis[0]!.call({ principal, method, params, signal });
    };
    const waiting = () => host.apis.map(({ shard }) => shard.workUnderWay);
    const turns = async (count: number) => {
      for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
    };
    return { call, waiting, turns };
  }

  afterEach(() => {
    expect(host.fatal).toEqual([]);
  });

  test.each([
    ['segment.evaluate', { segments: SEGMENTS }],
    ['segment.explain', { segment: { or: Object.values(SEGMENTS).slice(0, 200) } }],
  ])('%s takes no more of any thread', async (method, params) => {
    const { call, waiting, turns } = await started();
    const gone = new AbortController();
    const asked = call(method, params, gone.signal);
    const failed = expect(asked).rejects.toMatchObject({ code: 'timeout' });
    while (waiting().some((pieces) => pieces === 0)) await turns(1);
    gone.abort(new MusterError('timeout', 'the caller has gone away'));
    await failed;
    await turns(20);
    expect(waiting()).toEqual([0, 0]);
    const { counts } = (await call(
      'segment.evaluate',
      { segments: { all: { all: true } } },
      new AbortController().signal,
    )) as { counts: object };
    expect(counts).toEqual({ all: 200 });
  });

  test('which fails on one thread is dropped on the others', async () => {
    const { call, waiting, turns } = await started();
    const asked = call('segment.count', { segment: { segment: 'unknown' } }, new AbortController().signal);
    await expect(asked).rejects.toMatchObject({ code: 'bad_request' });
    await turns(5);
    expect(waiting()).toEqual([0, 0]);
  });
});
