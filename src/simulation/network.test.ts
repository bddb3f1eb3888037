import { expect, test } from 'vitest';
import { SECOND_MS } from '../base/limits.ts';
import type { NetworkError } from '../base/network.ts';
import { SeededRandom } from '../base/random.ts';
import { SimulatedClock } from './clock.ts';
import { type NetworkFaults, NO_NETWORK_FAULTS, SimulatedNetwork } from './network.ts';

const URL = 'http://sink.test/';

/** What came of 200 requests, how many of them the sink saw, and when the last was over. */
async function requests(seed: number, faults: Partial<NetworkFaults>, url = URL) {
  const random = new SeededRandom(seed);
  const clock = new SimulatedClock(random, 0);
  const network = new SimulatedNetwork(random, clock);
  let seen = 0;
  network.sink(URL, () => {
    seen++;
    return { status: 201, headers: {}, bodyStart: '' };
  });
  network.faults = { ...NO_NETWORK_FAULTS, ...faults };
  const one = () =>
    network
      .request({
        method: 'POST',
        url,
        headers: {},
        body: new Uint8Array(),
        timeoutMs: 10 * SECOND_MS,
        allowPrivateNetworks: true,
      })
      .then(
        ({ status }) => String(status),
        (error: unknown) => (error as NetworkError).failure,
      );
  const results = await clock.run(Promise.all(Array.from({ length: 200 }, one)));
  const counts: Record<string, number> = {};
  for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
  return { counts, seen, endMs: clock.now() };
}

test('without faults every request is answered', async () => {
  const { counts, seen, endMs } = await requests(1, {});
  expect({ counts, seen }).toEqual({ counts: { 201: 200 }, seen: 200 });
  expect(endMs).toBeLessThan(SECOND_MS);
});

test('where nobody answers, connections fail', async () => {
  expect(await requests(1, {}, 'http://other.test/')).toMatchObject({ counts: { connection: 200 }, seen: 0 });
});

test('the sink does not see lost requests, but those whose answer is lost', async () => {
  const lostRequests = await requests(2, { lostRequest: 0.5 });
  expect(lostRequests.counts[201]).toBe(lostRequests.seen);
  expect(lostRequests.seen).toBeLessThan(150);
  expect(lostRequests.counts).toMatchObject({ connection: expect.any(Number), timeout: expect.any(Number) });
  const lostResponses = await requests(2, { lostResponse: 0.5 });
  expect(lostResponses.seen).toBe(200);
  expect(lostResponses.counts[201]).toBeLessThan(150);
});

test('slow ones take longer than the sender waits, or not', async () => {
  const { counts, seen } = await requests(3, { slow: 0.5 });
  expect(seen).toBeGreaterThan(counts[201]!);
  expect(counts.timeout).toBeGreaterThan(20);
  expect(counts[201]).toBeGreaterThan(20);
});

test('a seed gives the same run again', async () => {
  const faults = { lostRequest: 0.2, lostResponse: 0.2, slow: 0.2 };
  expect(await requests(4, faults)).toEqual(await requests(4, faults));
  expect(await requests(4, faults)).not.toEqual(await requests(5, faults));
});
