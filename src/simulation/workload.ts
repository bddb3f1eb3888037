import { MusterError } from '../base/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../base/limits.ts';
import type { SeededRandom } from '../base/random.ts';
import { collect } from '../ingest/collect.ts';
import type { ShardApi } from '../shard/shardApi.ts';
import type { SimulatedClock } from './clock.ts';
import { SEGMENTS } from './definitions.ts';
import { fail, isRefusal } from './failures.ts';
import type { ModelEvent } from './model.ts';
import { Operator } from './operator.ts';

/** What a client knows of what it sent. `serial` is in the event, so that it can be looked for. */
export interface Submission {
  readonly serial: number;
  readonly timeMs: number;
  acknowledged: boolean;
}

type Item = Readonly<Record<string, unknown>>;

/** Clients of one account: they send, repeat what was not acknowledged, merge and delete users, ask and decide. */
export class Workload {
  readonly account: string;
  readonly operator: Operator;
  readonly submissions: Submission[] = [];
  /** What each request asked to be stored, as `requestKey` writes it. */
  readonly requests = new Set<string>();
  readonly #random: SeededRandom;
  readonly #clock: SimulatedClock;
  /** Share of requests. */
  readonly #deleting: number;
  #nextSerial = 1;

  constructor(account: string, random: SeededRandom, clock: SimulatedClock) {
    this.account = account;
    this.operator = new Operator(account, random);
    this.#random = random;
    this.#deleting = random.pick([0.02, 0.1, 0.3]);
    this.#clock = clock;
  }

  /** One client for as long as the host lives; the crash simply ends its answers. */
  async client(api: ShardApi, requests: number): Promise<void> {
    for (let i = 0; i < requests; i++) {
      const kind = this.#random.fraction();
      if (kind < 0.15) await this.#unlessRefused(() => this.#ask(api));
      else if (kind < 0.2) await this.#unlessRefused(() => this.operator.meddle(api));
      else if (kind < 0.2 + this.#deleting) await this.#unlessRefused(() => this.#delete(api));
      else await this.#send(api);
      await this.#clock.sleep(this.#random.fraction() * 40);
    }
  }

  /** A user by any id. What was seen of it before is not seen after the answer, whatever goes on meanwhile. */
  async #delete(api: ShardApi): Promise<void> {
    const userId = this.#random.chance(0.6) ? `u${this.#random.below(20)}` : `a${this.#random.below(30)}`;
    const before = await this.#serialsOf(api, userId);
    const answer = await this.#call(api, 'user.delete', { userId });
    const after = new Set(await this.#serialsOf(api, userId));
    const found = before.find((serial) => after.has(serial));
    if (answer !== undefined && found !== undefined) fail(`event ${found} is there after a deletion`);
  }

  async #serialsOf(api: ShardApi, userId: string): Promise<readonly unknown[]> {
    const page = await this.#call(api, 'user.timeline', { userId, limit: 1000 });
    const { events } = (page ?? { events: [] }) as { events: readonly ModelEvent[] };
    return events.flatMap(({ properties }) => properties.serial ?? []);
  }

  /** Undefined when what it is about is not found. */
  async #call(api: ShardApi, method: string, params: object): Promise<unknown> {
    const principal = { account: this.account, role: 'admin' as const };
    try {
      return await api.call({ principal, method, params, signal: new AbortController().signal });
    } catch (error) {
      if (error instanceof MusterError && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  /** Makes each of these anonymous users a known one who is new, one after the other. */
  async mergeIntoNewUsers(api: ShardApi, anonymousIds: readonly string[]): Promise<void> {
    for (const previousId of anonymousIds) {
      const timestamp = new Date(this.#clock.now()).toISOString();
      const messageId = `m${this.#nextSerial++}`;
      const item = { type: 'alias', messageId, timestamp, userId: `new-${previousId}`, previousId };
      await this.#submit(api, [item], this.#random.chance(0.5));
    }
  }

  async #send(api: ShardApi): Promise<void> {
    const submissions: Submission[] = [];
    const batch = Array.from({ length: 1 + this.#random.below(8) }, () => this.#item(submissions));
    this.submissions.push(...submissions);
    for (let tries = 0; tries < 3; tries++) {
      const isTaken = await this.#unlessRefused(() => this.#submit(api, batch, this.#random.chance(0.3)));
      if (isTaken) {
        for (const submission of submissions) submission.acknowledged = true;
        // SDKs repeat a request whose answer got lost: the ids must keep it from counting twice.
        if (this.#random.chance(0.9)) return;
      } else await this.#clock.sleep(100);
    }
  }

  async #submit(api: ShardApi, batch: readonly Item[], counted: boolean): Promise<void> {
    const view = api.collecting(this.account);
    const receivedAtMs = this.#clock.now();
    const accepted = collect({ type: 'batch', body: { batch }, receivedAtMs, view, bytes: 1000 });
    this.requests.add(requestKey(accepted.calls));
    await api.accept(this.account, accepted, counted);
  }

  #item(submissions: Submission[]): Item {
    const serial = this.#nextSerial++;
    const messageId = `m${serial}`;
    const n = this.#random.below(20);
    const known = { userId: `u${n}` };
    const anonymous = { anonymousId: `a${this.#random.below(30)}` };
    const timeMs = this.#time();
    const timestamp = new Date(timeMs).toISOString();
    const kind = this.#random.fraction();
    if (kind < 0.03) {
      // Always the same value: which trait of two survives a merge depends on when the transfer arrives.
      return { type: 'identify', messageId, timestamp, ...anonymous, traits: { visitor: 'yes' } };
    }
    if (kind < 0.14) {
      const both = this.#random.chance(0.6) ? { ...known, ...anonymous } : known;
      const traits = { plan: this.#random.pick(['gold', 'silver']), n };
      return { type: 'identify', messageId, timestamp, ...both, traits };
    }
    if (kind < 0.19) {
      return { type: 'alias', messageId, timestamp, ...known, previousId: anonymous.anonymousId };
    }
    submissions.push({ serial, timeMs, acknowledged: false });
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

  /** Only for what it does to everything else: answers are held against the model when that is exact (answers.ts). */
  async #ask(api: ShardApi): Promise<void> {
    const principal = { account: this.account, role: 'read' as const };
    const request = { principal, signal: new AbortController().signal };
    const segment = this.#random.pick(Object.keys(SEGMENTS));
    if (api.entry(this.account).state.segments.has(segment))
      await api.call({ ...request, method: 'segment.count', params: { segment } });
  }

  async #unlessRefused(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return false;
    }
  }
}

/** Names the calls of one request by their message ids. */
export function requestKey(calls: readonly { readonly messageId?: string }[]): string {
  const ids = new Set(calls.flatMap(({ messageId }) => messageId ?? []));
  return [...ids].sort().join();
}
