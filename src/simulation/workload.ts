import { MusterError } from '../base/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../base/limits.ts';
import type { SeededRandom } from '../base/random.ts';
import { collect } from '../ingest/collect.ts';
import type { ShardApi } from '../shard/shardApi.ts';
import type { SimulatedClock } from './clock.ts';

export const ACCOUNT = 'shop';
export const SINK_URL = 'http://sink.test/hook';

/** Definitions that the workload asks for and, when live, keeps. */
export const SEGMENTS: Readonly<Record<string, { readonly definition: unknown; readonly live: boolean }>> = {
  buyers: { definition: { event: 'Order', count: { gte: 2 } }, live: true },
  recent: { definition: { event: ['Order', 'Page Viewed'], within: { last: '10m' } }, live: true },
  lapsed: {
    definition: { and: [{ event: 'Order' }, { not: { event: 'Order', within: { last: '5m' } } }] },
    live: true,
  },
  gold: { definition: { profile: 'plan', op: 'eq', value: 'gold' }, live: true },
  big: { definition: { event: 'Order', where: [{ prop: 'amount', op: 'gte', value: 50 }] }, live: false },
  either: { definition: { or: [{ segment: 'gold' }, { segment: 'big' }] }, live: false },
};

export const CAMPAIGNS: readonly unknown[] = [
  {
    name: 'receipt',
    trigger: { event: 'Order' },
    channel: 'webhook',
    message: { url: SINK_URL, body: { serial: '{{ event.serial }}', campaign: 'receipt' } },
  },
  {
    name: 'welcome',
    trigger: { segment: 'buyers', on: 'enter' },
    channel: 'webhook',
    message: { url: SINK_URL, body: { serial: '{{ user.id }}', campaign: 'welcome' } },
  },
];

/** What a client knows of what it sent. `serial` is in the event, so that it can be looked for. */
export interface Submission {
  readonly serial: number;
  acknowledged: boolean;
}

/** Clients of the simulated server: they send, repeat what was not acknowledged, merge users and ask. */
export class Workload {
  readonly submissions: Submission[] = [];
  readonly #random: SeededRandom;
  readonly #clock: SimulatedClock;
  #nextSerial = 1;

  constructor(random: SeededRandom, clock: SimulatedClock) {
    this.#random = random;
    this.#clock = clock;
  }

  /** One client for as long as the host lives; the crash simply ends its answers. */
  async client(api: ShardApi, requests: number): Promise<void> {
    for (let i = 0; i < requests; i++) {
      if (this.#random.chance(0.15)) await this.#ask(api);
      else await this.#send(api);
      await this.#clock.sleep(this.#random.fraction() * 40);
    }
  }

  async #send(api: ShardApi): Promise<void> {
    const submissions: Submission[] = [];
    const batch = Array.from({ length: 1 + this.#random.below(8) }, () => this.#item(submissions));
    this.submissions.push(...submissions);
    for (let tries = 0; tries < 3; tries++) {
      try {
        const receivedAtMs = this.#clock.now();
        const view = api.collecting(ACCOUNT);
        const accepted = collect({ type: 'batch', body: { batch }, receivedAtMs, view, bytes: 1000 });
        await api.accept(ACCOUNT, accepted, this.#random.chance(0.3));
        for (const submission of submissions) submission.acknowledged = true;
        // SDKs repeat a request whose answer got lost: the ids must keep it from counting twice.
        if (this.#random.chance(0.9)) return;
      } catch (error) {
        if (!(error instanceof MusterError)) throw error;
        await this.#clock.sleep(100);
      }
    }
  }

  #item(submissions: Submission[]): Readonly<Record<string, unknown>> {
    const serial = this.#nextSerial++;
    const messageId = `m${serial}`;
    const n = this.#random.below(20);
    const known = { userId: `u${n}` };
    const anonymous = { anonymousId: `a${this.#random.below(30)}` };
    const timestamp = new Date(this.#time()).toISOString();
    const kind = this.#random.fraction();
    if (kind < 0.12) {
      const both = this.#random.chance(0.6) ? { ...known, ...anonymous } : known;
      const traits = { plan: this.#random.pick(['gold', 'silver']), n };
      return { type: 'identify', messageId, timestamp, ...both, traits };
    }
    if (kind < 0.17) {
      return { type: 'alias', messageId, timestamp, ...known, previousId: anonymous.anonymousId };
    }
    submissions.push({ serial, acknowledged: false });
    const who = this.#random.chance(0.4) ? anonymous : known;
    if (kind < 0.4)
      return { type: 'page', messageId, timestamp, ...who, name: 'Home', properties: { serial } };
    const properties = { serial, amount: this.#random.below(100), sku: `s${this.#random.below(9)}` };
    return { type: 'track', event: 'Order', messageId, timestamp, ...who, properties };
  }

  /** Mostly now; sometimes late, and sometimes ahead of time. */
  #time(): number {
    const now = this.#clock.now();
    const kind = this.#random.fraction();
    if (kind < 0.7) return now;
    if (kind < 0.9) return now - this.#random.below(20 * MINUTE_MS);
    return kind < 0.95 ? now - this.#random.below(48 * HOUR_MS) : now + this.#random.below(10 * MINUTE_MS);
  }

  async #ask(api: ShardApi): Promise<void> {
    const signal = new AbortController().signal;
    const name = this.#random.pick(Object.keys(SEGMENTS));
    try {
      const request = { principal: { account: ACCOUNT, role: 'read' as const }, signal };
      if (this.#random.chance(0.5)) {
        await api.call({ ...request, method: 'segment.count', params: { segment: name } });
      } else {
        const userId = `u${this.#random.below(20)}`;
        await api.call({ ...request, method: 'user.timeline', params: { userId, limit: 10 } });
      }
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
    }
  }
}
