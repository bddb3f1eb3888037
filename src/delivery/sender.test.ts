import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, SENDS_PER_DESTINATION_MAX } from '../base/limits.ts';
import { type HttpRequest, type HttpResponse, type Network, NetworkError } from '../base/network.ts';
import { SeededRandom } from '../base/random.ts';
import { SimulatedClock } from '../simulation/clock.ts';
import { SimulatedNetwork } from '../simulation/network.ts';
import { Sender, type SenderSettings } from './sender.ts';
import { HOOK, TestTablet } from './testTablet.ts';

const START_MS = 1_800_000_000_000;
const SECRET = 'whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==';

/** A tablet and its owner: what the sender records is applied after a while, what becomes due is offered. */
class World {
  readonly random: SeededRandom;
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly tablet = new TestTablet();
  readonly requests: HttpRequest[] = [];
  readonly recorded: string[] = [];
  /** URLs that take a request and never answer. */
  readonly hanging = new Set<string>();
  sender: Sender;
  readonly #settings: SenderSettings;

  constructor(seed = 1, settings: Partial<SenderSettings> = {}) {
    this.random = new SeededRandom(seed);
    this.clock = new SimulatedClock(this.random, START_MS);
    this.network = new SimulatedNetwork(this.random, this.clock);
    this.#settings = { allowPrivateNetworks: false, webhookSecret: SECRET, ...settings };
    this.sender = this.#newSender();
    this.tablet.advance(START_MS);
  }

  /** Answers at HOOK, or at another URL. */
  answer(answer: (request: HttpRequest) => number | HttpResponse, url = HOOK): void {
    this.network.sink(url, (request) => {
      this.requests.push(request);
      const response = answer(request);
      return typeof response === 'number' ? { status: response, headers: {}, bodyStart: '' } : response;
    });
  }

  /** Lets time pass, with a tick a second. */
  run(durationMs: number): Promise<void> {
    return this.clock.run(this.#pass(durationMs));
  }

  /** What was taken is forgotten; what has no outcome is offered again. */
  restart(): void {
    this.sender = this.#newSender();
    this.offerAgain();
  }

  offerAgain(): void {
    for (const intent of this.tablet.outbox.pendingAfterReplay()) this.#offer(intent);
  }

  get ids(): readonly string[] {
    return this.requests.map(({ headers }) => headers['webhook-id']!);
  }

  get bodies(): readonly unknown[] {
    return this.requests.map(({ body }) => JSON.parse(Buffer.from(body).toString()));
  }

  async #pass(durationMs: number): Promise<void> {
    const endMs = this.clock.now() + durationMs;
    while (this.clock.now() < endMs) {
      this.tablet.advance(this.clock.now());
      for (const intent of this.tablet.outbox.takeDue()) this.#offer(intent);
      const deadlineMs = Math.max(this.tablet.outbox.nextDeadlineMs() ?? endMs, this.clock.now() + SECOND_MS);
      await this.clock.sleep(Math.min(deadlineMs, endMs, this.clock.now() + MINUTE_MS) - this.clock.now());
    }
  }

  #offer(intent: Parameters<Sender['offer']>[0]): void {
    this.sender.offer(intent, {
      account: 'shop',
      read: async (steps) => {
        const generator = steps(this.tablet);
        for (;;) {
          const { done, value } = generator.next();
          if (done) return value;
          await this.clock.yield();
        }
      },
      record: async (outcome, suppression) => {
        await this.clock.sleep(this.random.below(20));
        this.recorded.push(outcome.result.kind);
        if (suppression !== undefined) this.tablet.outbox.setSuppression(suppression, {});
        this.tablet.outcome(outcome);
      },
    });
  }

  #newSender(): Sender {
    const { clock, random } = this;
    const network: Network = {
      request: async (request) => {
        if (!this.hanging.has(request.url)) return this.network.request(request);
        await clock.sleep(request.timeoutMs);
        throw new NetworkError('timeout', 'no answer in time');
      },
    };
    return new Sender({ clock, network, random, settings: this.#settings });
  }
}

describe('a message', () => {
  test('is rendered, signed and sent', async () => {
    const world = new World();
    world.tablet.save({
      message: {
        url: HOOK,
        headers: { 'X-Team': 'a' },
        body: { hi: '{{ user.first_name }}', n: '{{ event.n }}' },
      },
    });
    world.answer(() => 200);
    world.tablet.event(3, 'Go', '1', { n: 5 });
    await world.run(SECOND_MS);
    expect(world.bodies).toEqual([{ hi: 'User 3', n: '5' }]);
    const [{ headers, body, allowPrivateNetworks, method }] = world.requests as [HttpRequest];
    expect({ allowPrivateNetworks, method }).toEqual({ allowPrivateNetworks: false, method: 'POST' });
    expect(headers).toMatchObject({ 'x-team': 'a', 'content-type': 'application/json' });
    expect(world.tablet.outcomes).toMatchObject([
      {
        ordinal: 3,
        event: 'Message Sent',
        properties: { campaign: 'c', channel: 'webhook', messageId: headers['webhook-id'] },
      },
    ]);
    const atMs = Number(headers['webhook-timestamp']) * SECOND_MS;
    expect(Math.abs(atMs - START_MS)).toBeLessThanOrEqual(SECOND_MS);
    const text = Buffer.from(body).toString();
    expect(headers['webhook-signature']).toBe(
      new Webhook(SECRET).sign(headers['webhook-id']!, new Date(atMs), text),
    );
  });

  test.each<[string, Record<string, unknown>, string, Record<string, string>]>([
    [
      'not in the audience',
      { audience: { profile: 'odd', op: 'eq', value: true } },
      'Skipped',
      { reason: 'audience' },
    ],
    [
      'without the segment of its audience',
      { audience: { segment: 'gone' } },
      'Skipped',
      { reason: 'audience' },
    ],
    [
      'aborted',
      { message: { url: HOOK, body: '{% abort_message "no stock" %}' } },
      'Skipped',
      { reason: 'aborted', detail: 'no stock' },
    ],
    [
      'that does not render',
      { message: { url: HOOK, body: '{% for i in (1..99999999) %}{% endfor %}' } },
      'Failed',
      { reason: 'template' },
    ],
  ])('%s is not sent', async (_, parts, event, properties) => {
    const world = new World();
    world.tablet.save(parts);
    world.answer(() => 200);
    world.tablet.event(0, 'Go', '1');
    await world.run(SECOND_MS);
    expect(world.requests).toEqual([]);
    expect(world.tablet.outcomes).toMatchObject([{ event: `Message ${event}`, properties }]);
  });

  test('of a removed campaign is skipped', async () => {
    const world = new World();
    world.tablet.save({ trigger: { event: 'Go', delay: '1h' } });
    world.tablet.event(0, 'Go', '1');
    world.tablet.outbox.setCampaign('c', null);
    await world.run(2 * HOUR_MS);
    expect(world.tablet.outcomes).toMatchObject([
      { event: 'Message Skipped', properties: { reason: 'deleted' } },
    ]);
  });

  test('that waited too long for its campaign to be resumed is skipped', async () => {
    const world = new World();
    world.tablet.save({ limits: { expireAfter: '6h' } });
    world.tablet.event(0, 'Go', '1');
    world.tablet.save({ limits: { expireAfter: '6h' } }, 'paused');
    await world.run(7 * HOUR_MS);
    expect(world.tablet.outcomes).toEqual([]);
    world.tablet.save({});
    await world.run(MINUTE_MS);
    expect(world.tablet.outcomes).toMatchObject([
      { event: 'Message Skipped', properties: { reason: 'expired' } },
    ]);
  });
});

describe('answers', () => {
  test('a failing destination is tried again, ever later, until the message expires', async () => {
    const world = new World();
    world.tablet.save({ limits: { expireAfter: '6h' } });
    const times: number[] = [];
    world.answer(() => {
      times.push(world.clock.now() - START_MS);
      return 503;
    });
    world.tablet.event(0, 'Go', '1');
    await world.run(DAY_MS);
    expect(world.tablet.outcomes).toMatchObject([
      { event: 'Message Failed', properties: { reason: 'expired', detail: 'http_503' } },
    ]);
    expect(times.at(-1)).toBeGreaterThan(4 * HOUR_MS);
    expect(times.at(-1)).toBeLessThan(6 * HOUR_MS);
    expect(times.length).toBeGreaterThan(12);
    expect(times.length).toBeLessThan(24);
    expect(new Set(world.ids).size).toBe(1);
  });

  test('Retry-After is honoured', async () => {
    const world = new World();
    world.tablet.save({});
    const times: number[] = [];
    world.answer(() => {
      times.push(world.clock.now());
      return times.length === 1 ? { status: 429, headers: { 'retry-after': '300' }, bodyStart: '' } : 200;
    });
    world.tablet.event(0, 'Go', '1');
    await world.run(HOUR_MS);
    expect(world.recorded).toEqual(['retry', 'sent']);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(300 * SECOND_MS);
    expect(times[1]! - times[0]!).toBeLessThan(370 * SECOND_MS);
  });

  test('410 suppresses the address for every campaign', async () => {
    const world = new World();
    world.tablet.save({});
    world.tablet.save({ name: 'other' });
    world.tablet.save({ name: 'elsewhere', message: { url: `${HOOK}/2`, body: '{}' } });
    world.answer(() => 410);
    world.answer(() => 200, `${HOOK}/2`);
    world.tablet.event(0, 'Go', '1');
    await world.run(SECOND_MS);
    world.tablet.event(0, 'Go', '2');
    await world.run(SECOND_MS);
    expect(
      world.tablet.outcomes
        .slice(3)
        .map(({ event, properties: { campaign, reason } }) => [event, campaign, reason])
        .sort(),
    ).toEqual([
      ['Message Sent', 'elsewhere', undefined],
      ['Message Skipped', 'c', 'suppressed'],
      ['Message Skipped', 'other', 'suppressed'],
    ]);
  });

  test.each([302, 404])('%i fails for good', async (status) => {
    const world = new World();
    world.tablet.save({});
    world.answer(() => ({ status, headers: {}, bodyStart: 'no' }));
    world.tablet.event(0, 'Go', '1');
    await world.run(HOUR_MS);
    expect(world.requests).toHaveLength(1);
    expect(world.tablet.outcomes).toMatchObject([
      { event: 'Message Failed', properties: { reason: `http_${status}`, detail: 'no' } },
    ]);
  });

  test('401 closes the destination, ever longer, and one message tries whether it is open', async () => {
    const world = new World();
    world.tablet.save({});
    let status = 401;
    world.answer(() => status);
    for (let i = 0; i < 100; i++) world.tablet.event(0, 'Go', `${i}`);
    await world.run(30 * SECOND_MS);
    expect(world.requests.length).toBeLessThanOrEqual(SENDS_PER_DESTINATION_MAX);
    const before = world.requests.length;
    await world.run(HOUR_MS);
    expect(world.requests.length - before).toBeLessThan(10);
    status = 200;
    await world.run(2 * HOUR_MS);
    expect(world.tablet.outbox.statsOf('c')).toMatchObject({ sent: 100, pending: 0 });
  });
});

test('destinations that hang take few of the sends, and slow no other', async () => {
  const world = new World();
  for (let i = 0; i < 60; i++) {
    const url = `https://hanging${i}.example/`;
    world.hanging.add(url);
    world.tablet.save({ name: `hanging${i}`, trigger: { event: 'Hang' }, message: { url, body: '{}' } });
  }
  world.tablet.save({});
  world.answer(() => 200);
  for (let i = 0; i < 20; i++) world.tablet.event(0, 'Hang', `h${i}`);
  await world.run(MINUTE_MS);
  for (let i = 0; i < 300; i++) world.tablet.event(1, 'Go', `${i}`);
  await world.run(5 * SECOND_MS);
  expect(world.tablet.outbox.statsOf('c')).toMatchObject({ sent: 300 });
});

test('offering the same attempt twice is as good as once', async () => {
  const world = new World();
  world.tablet.save({});
  world.answer(() => 200);
  for (let i = 0; i < 100; i++) world.tablet.event(0, 'Go', `${i}`);
  world.offerAgain();
  world.offerAgain();
  await world.run(SECOND_MS);
  world.offerAgain();
  await world.run(SECOND_MS);
  expect(world.requests).toHaveLength(100);
});

test('stop starts nothing more and waits for what is under way', async () => {
  const world = new World();
  world.tablet.save({});
  world.answer(() => 200);
  for (let i = 0; i < 100; i++) world.tablet.event(0, 'Go', `${i}`);
  const running = world.run(MINUTE_MS);
  const stopped = world.sender.stop();
  await running;
  await stopped;
  const { sent, pending } = world.tablet.outbox.statsOf('c');
  expect(sent + pending).toBe(100);
  expect(sent).toBe(world.requests.length);
});

/** Runs campaigns against a world that loses, delays and fails, with restarts in between. */
async function chaos(seed: number, settings: Partial<SenderSettings>): Promise<World> {
  const world = new World(seed, settings);
  world.tablet.save({ message: { url: HOOK, body: { occurrence: '{{ event.n }}' } } });
  world.network.faults = { lostRequest: 0.2, lostResponse: 0.2, slow: 0.1 };
  world.answer(() => (world.random.chance(0.3) ? 500 : 200));
  for (let i = 0; i < 60; i++) {
    world.tablet.event(world.random.below(10), 'Go', `${i}`, { n: i });
    if (world.random.chance(0.1)) {
      await world.run(world.random.below(5 * SECOND_MS));
      if (world.random.chance(0.5)) world.restart();
    }
  }
  await world.run(DAY_MS - HOUR_MS);
  return world;
}

/** Message ids that the sink saw of each occurrence. */
function idsByOccurrence(world: World): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>();
  world.bodies.forEach((body, i) => {
    const { occurrence } = body as { occurrence: string };
    seen.set(occurrence, (seen.get(occurrence) ?? new Set()).add(world.ids[i]!));
  });
  return seen;
}

describe('whatever is lost, delayed or repeated', () => {
  test.each([1, 2, 3, 4, 5])('each message ends once and arrives under one id (seed %i)', async (seed) => {
    const world = await chaos(seed, {});
    const ended = world.tablet.outcomes.map(({ properties }) => properties.messageId);
    expect(ended).toHaveLength(60);
    expect(new Set(ended).size).toBe(60);
    expect(world.tablet.outbox.statsOf('c')).toMatchObject({ intended: 60, pending: 0, sent: 60 });
    const seen = idsByOccurrence(world);
    expect(seen.size).toBe(60);
    expect([...seen.values()].every((ids) => ids.size === 1)).toBe(true);
    expect(world.requests.length).toBeGreaterThan(60);
  });

  test('the deliberate bug is seen by the same check', async () => {
    const seen = idsByOccurrence(await chaos(1, { faults: { freshIdPerAttempt: true } }));
    expect([...seen.values()].some((ids) => ids.size > 1)).toBe(true);
  });

  test('a seed gives the same run again', async () => {
    const [first, second] = [await chaos(7, {}), await chaos(7, {})];
    expect(first.ids).toEqual(second.ids);
    expect(first.tablet.outcomes).toEqual(second.tablet.outcomes);
  });
});
