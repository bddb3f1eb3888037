import { MusterError } from '../base/errors.ts';
import { type OracleUser, oracleEvaluate, oracleUsers } from '../query/oracle.ts';
import type { TimelineEvent } from '../query/timeline.ts';
import type { Tablet } from '../tablet/tablet.ts';
import type { SimulatedClock } from './clock.ts';
import type { Erased } from './erasures.ts';
import { expectSame, fail } from './failures.ts';
import type { SimulatedHost } from './host.ts';
import type { Model, ModelEvent, ModelUser } from './model.ts';
import type { Workload } from './workload.ts';

/** So few that every segment takes several pages. */
const PAGE_MEMBERS = 3;
const ASKERS = 3;

/** Invariant 4: queries and live segments answer what a naive reading of the log, just read, gives. For one account. */
export class Answers {
  readonly #account: string;
  readonly #host: SimulatedHost;
  readonly #clock: SimulatedClock;
  readonly #model: Model;
  readonly #users: readonly OracleUser[];
  readonly #saved: Readonly<Record<string, unknown>>;
  readonly #live: readonly string[];
  /** Messages from then on are not in the model: time alone makes some while the answers are checked. */
  readonly #readMs: number;

  readonly #erased: Erased;

  constructor(account: string, host: SimulatedHost, clock: SimulatedClock, model: Model, erased: Erased) {
    this.#account = account;
    this.#erased = erased;
    this.#host = host;
    this.#clock = clock;
    this.#model = model;
    this.#readMs = clock.now();
    this.#users = [...model.users.values()].map(oracleUser);
    const segments = [...this.#state.segments];
    this.#saved = Object.fromEntries(segments.map(([name, { definition }]) => [name, definition]));
    this.#live = segments.flatMap(([name, { live }]) => (live ? [name] : []));
  }

  /** For a host where nothing is under way. */
  async check(): Promise<void> {
    const atMs = this.#clock.now();
    for (const name of Object.keys(this.#saved)) {
      await this.#checkCount(name, atMs);
      const members = () => this.#pagesOfMembers(name, atMs);
      const expected = (nowMs: number) => sorted(this.#members(this.#users, name, atMs, nowMs));
      await this.#checkAnswer(`members of ${name}`, members, expected);
    }
    for (const tablet of this.#host.tablets) {
      if (tablet.account.name === this.#account) for (const name of this.#live) this.#checkLive(tablet, name);
    }
    for (const user of this.#model.users.values()) {
      // An alias alone makes nobody a user.
      const isUser = user.events.length > 0 || user.traits.size > 0;
      if (user.known && isUser) await this.#checkTimeline(user);
    }
    await this.#checkErased();
  }

  /** Whoever was deleted, and is no new user since, is not found by any id. */
  async #checkErased(): Promise<void> {
    for (const { id } of this.#erased.users) {
      if (this.#model.has({ known: true, id }) || this.#model.has({ known: false, id })) continue;
      const found = await this.#call('user.profile', { userId: id }).catch((error: unknown) => error);
      if (!(found instanceof MusterError) || found.code !== 'not_found') fail(`${id}, deleted, is found`);
    }
  }

  /**
   * Nobody who becomes a new user changes any count, so while the workload does that, whoever asks must get the same
   * answer at any moment: merges half done are not to be seen.
   */
  async checkCountsUnderMerges(workload: Workload): Promise<void> {
    const { apis } = this.#host;
    const atMs = this.#clock.now();
    const anonymous = [...this.#model.users.values()].filter(({ known }) => !known).map(({ id }) => id);
    let merging = true;
    const merge = async () => {
      await workload.mergeIntoNewUsers(apis.at(-1)!, anonymous);
      merging = false;
    };
    const names = Object.keys(this.#saved);
    const ask = async (first: number) => {
      for (let i = first; merging; i++) await this.#checkCount(names[i % names.length]!, atMs);
    };
    await Promise.all([merge(), ...Array.from({ length: ASKERS }, (_, i) => ask(2 * i))]);
  }

  get #state() {
    return this.#host.apis[0]!.entry(this.#account).state;
  }

  async #checkCount(name: string, atMs: number): Promise<void> {
    const ask = async () => {
      const params = { segment: name, at: new Date(atMs).toISOString() };
      const { count, total } = (await this.#call('segment.count', params)) as {
        count: number;
        total: number;
      };
      return [`${count} of ${total}`];
    };
    const expected = (nowMs: number) => {
      const users = oracleUsers(this.#users, this.#options(atMs, nowMs));
      return [`${this.#members(this.#users, name, atMs, nowMs).length} of ${users.length}`];
    };
    await this.#checkAnswer(`count of ${name}`, ask, expected);
  }

  async #pagesOfMembers(segment: string, atMs: number): Promise<string[]> {
    const members: string[] = [];
    const params = { segment, at: new Date(atMs).toISOString(), limit: PAGE_MEMBERS };
    for (let after: string | undefined; ; ) {
      const page = await this.#call('segment.members', { ...params, ...(after !== undefined && { after }) });
      const { users, next } = page as { users: readonly { id: string }[]; next?: string };
      members.push(...users.map(({ id }) => id));
      if (next === undefined) return sorted(members);
      after = next;
    }
  }

  #checkLive(tablet: Tablet, name: string): void {
    const { tree } = this.#state;
    const here = this.#users.filter(({ id }) => tree.tabletOf(id) === tablet.bits);
    const kept: string[] = [];
    for (let ordinal = 0; ordinal < tablet.users.count; ordinal++) {
      if (tablet.live.has(name, ordinal)) kept.push(tablet.users.refOf(ordinal).id);
    }
    const expected = this.#members(here, name, tablet.clockMs, tablet.clockMs);
    expectSame(text(sorted(kept)), text(sorted(expected)), `live members of ${name} in ${tablet.bits}`);
  }

  async #checkTimeline({ id, events }: ModelUser): Promise<void> {
    const ask = async () => {
      const params = { userId: id, limit: 1000, at: FAR_AHEAD };
      const page = (await this.#call('user.timeline', params)) as { events: TimelineEvent[] };
      return this.#timeline(
        page.events.map(({ time, ...event }) => ({ timeMs: Date.parse(time), ...event })),
      );
    };
    const expected = (nowMs: number) => {
      const { retentionMs = Number.POSITIVE_INFINITY } = this.#state.settings;
      const visible = events.filter(({ timeMs }) => timeMs > nowMs - retentionMs);
      return this.#timeline(visible.sort((a, b) => b.timeMs - a.timeMs));
    };
    await this.#checkAnswer(`timeline of ${id}`, ask, expected);
  }

  /**
   * A timeline as it is compared, from one that is newest first: the order at equal times does not count. Messages come
   * last, by their ids only: one has two outcomes in the log when its user moved while it was under way, and whichever
   * reaches the tablet first is the event. Of two with one id nobody can say which is told of.
   */
  #timeline(events: readonly ModelEvent[]): string[] {
    const lines: string[] = [];
    const same: string[] = [];
    let sameMs = Number.NaN;
    const messages: string[] = [];
    for (const { event, timeMs, properties } of events) {
      if (properties.messageId !== undefined) {
        const isClear = !this.#erased.again.has(String(properties.messageId));
        if (isClear && timeMs < this.#readMs) messages.push(`message ${properties.messageId}`);
        continue;
      }
      if (timeMs !== sameMs) lines.push(...same.splice(0).sort());
      sameMs = timeMs;
      same.push(`${timeMs} ${event} ${JSON.stringify(Object.entries(properties).sort())}`);
    }
    return [...lines, ...same.sort(), ...messages.sort()];
  }

  /** When time alone changes the answer, nobody can say at which moment it was given: then it is not looked at. */
  async #checkAnswer(
    what: string,
    ask: () => Promise<readonly string[]>,
    expected: (nowMs: number) => readonly string[],
  ): Promise<void> {
    const before = text(expected(this.#clock.now()));
    const answer = text(await ask());
    if (before === text(expected(this.#clock.now()))) expectSame(answer, before, what);
  }

  #members(users: readonly OracleUser[], segment: string, atMs: number, nowMs: number): string[] {
    return [...oracleEvaluate(users, { segment }, this.#options(atMs, nowMs))];
  }

  #options(atMs: number, nowMs: number) {
    const { retentionMs } = this.#state.settings;
    const kept = retentionMs === undefined ? {} : { retentionMs };
    return { atMs, nowMs, zone: 'UTC', saved: this.#saved, ...kept };
  }

  #call(method: string, params: unknown): Promise<unknown> {
    return this.#host.call(this.#account, method, params);
  }
}

/** Events may lie a little ahead; a timeline shows them when asked so late. */
const FAR_AHEAD = '2030-01-01T00:00:00Z';

function oracleUser({ id, events, traits }: ModelUser): OracleUser {
  return { id, events, traits: Object.fromEntries([...traits].map(([trait, { value }]) => [trait, value])) };
}

function sorted(members: readonly string[]): string[] {
  return [...members].sort();
}

function text(answer: readonly string[]): string {
  return answer.join('\n           ');
}
