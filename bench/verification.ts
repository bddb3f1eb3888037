import { isDeepStrictEqual } from 'node:util';
import { DAY_MS } from '../src/base/limits.ts';
import type { SeededRandom } from '../src/base/random.ts';
import { readableBytes, readableCount, readableMs } from '../src/cli/print.ts';
import { type TestServer, until } from '../src/cli/testServer.ts';
import type { Counts, Definition } from '../src/client/types.ts';
import { oracleEvaluate } from '../src/query/oracle.ts';
import type { NaiveFile, NaiveUser } from './naive.ts';
import { drawSegments } from './segments.ts';

/**
 * Imports a file into a server of its own and holds every answer against a naive reading of the file. The server is a
 * real one: processes, threads, disk and sockets.
 */
export class Verification {
  /** Of each check: a mark, what it was, and its figures or what was wrong. */
  readonly rows: (readonly [mark: '✓' | '✗', what: string, text: string])[] = [];
  readonly #path: string;
  readonly #file: NaiveFile;
  readonly #server: TestServer;
  readonly #random: SeededRandom;

  constructor(path: string, file: NaiveFile, server: TestServer, random: SeededRandom) {
    this.#path = path;
    this.#file = file;
    this.#server = server;
    this.#random = random;
  }

  get isRight(): boolean {
    return this.rows.every(([mark]) => mark === '✓');
  }

  /** With `kill`, the server is killed several times during the import. A round asks for a segment of each kind. */
  async run(options: { readonly kill: boolean; readonly rounds: number }): Promise<void> {
    const live = drawSegments(this.#file, this.#random, Date.now());
    if (options.kill) await this.#saveLive(live);
    if (options.kill) await this.#importUnderKills();
    else await this.#importOnce();
    await this.#totals();
    if (!options.kill) await this.#saveLive(live);
    await this.#liveSegments(live);
    for (let round = 0; round < options.rounds; round++) await this.#segments(round);
    await this.#users();
    await this.#importAgain();
    await this.#restart(live);
  }

  #check(what: string, expected: unknown, found: unknown, figure = ''): void {
    if (isDeepStrictEqual(found, expected)) this.rows.push(['✓', what, figure]);
    else this.rows.push(['✗', what, `expected ${brief(expected)}, found ${brief(found)}`]);
  }

  async #import(): Promise<Counts & { readonly ms: number }> {
    const startedMs = performance.now();
    const { code, stdout, stderr } = await this.#server.command('import', this.#path, '--json').ended;
    if (code !== 0) throw new Error(`the import ended with ${code}: ${stderr}`);
    const { accepted, duplicate, rejected } = JSON.parse(stdout) as Counts;
    return { accepted, duplicate, rejected, ms: performance.now() - startedMs };
  }

  async #importOnce(): Promise<void> {
    const { lines } = this.#file;
    const { ms, ...counts } = await this.#import();
    const rate = `${readableCount(Math.round((lines / ms) * 1000))} lines/s`;
    this.#check('import takes every line', { accepted: lines, duplicate: 0, rejected: 0 }, counts, rate);
  }

  /** Kills at shares of the file, so that it happens during the import on any machine. */
  async #importUnderKills(): Promise<void> {
    const restartSeconds: number[] = [];
    const killAt = async (share: number, kill: () => Promise<unknown>) => {
      const events = share * this.#file.events.length;
      await until(async () => (await this.#server.call('account.stats', {})).events >= events, {
        withinMs: 600_000,
      });
      await kill();
    };
    const killServer = async () => {
      await this.#server.kill();
      const startedMs = performance.now();
      await this.#server.restart();
      restartSeconds.push((performance.now() - startedMs) / 1000);
    };
    const first = this.#server.command('import', this.#path);
    for (const share of [0.05, 0.2, 0.4]) await killAt(share, killServer);
    await killAt(0.5, () => first.end('SIGKILL'));
    const second = this.#importStubbornly();
    for (const share of [0.7, 0.9]) await killAt(share, killServer);
    const { accepted, duplicate, rejected } = await second;
    this.#check(
      'import after 5 kills of the server and 1 of itself',
      [this.#file.lines, 0],
      [accepted + duplicate, rejected],
      `restarts ${restartSeconds.map((seconds) => seconds.toFixed(2)).join(', ')} s`,
    );
  }

  /** As a person would who finds the server gone. */
  async #importStubbornly(): Promise<Counts> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#import();
      } catch (error) {
        if (tries === 10) throw error;
      }
    }
  }

  async #totals(): Promise<void> {
    const { events, users } = this.#file;
    const stats = await this.#server.call('account.stats', {});
    const perEvent = `${stats.bytesPerEvent.toFixed(1)} B an event, ${readableBytes(stats.memoryBytes)} in all, ${readableBytes(this.#server.memoryBytes)} resident`;
    this.#check('events', events.length, stats.events, `${readableCount(stats.events)}; ${perEvent}`);
    this.#check('users', users.length, stats.users, readableCount(stats.users));
    const expected = new Map<string, number>();
    for (const { event } of events) expected.set(event, (expected.get(event) ?? 0) + 1);
    const schema = await this.#server.call('schema.get', {});
    const found = schema.events
      .map(({ event, count }) => [event, count] as const)
      .filter(([, count]) => count > 0);
    this.#check('events by name', sorted([...expected]), sorted(found), `${expected.size} names`);
  }

  async #saveLive(live: Readonly<Record<string, Definition>>): Promise<void> {
    for (const [name, definition] of Object.entries(live)) {
      await this.#server.call('segment.save', { name, definition, live: true });
    }
  }

  async #liveSegments(live: Readonly<Record<string, Definition>>, when = 'live segments'): Promise<void> {
    const expected = Object.entries(live).map(([name, definition]) => [
      name,
      this.#naiveMembers(definition, Date.now()).length,
    ]);
    const found: unknown[] = [];
    for (const name of Object.keys(live)) {
      found.push([name, (await this.#server.call('segment.get', { name })).count]);
    }
    this.#check(when, expected, found, expected.map(([, count]) => count).join(', '));
  }

  /** A segment of each kind at one moment: by number, by member, and all in one pass. Shown in the first round, or when wrong. */
  async #segments(round: number): Promise<void> {
    const { timeMs } = this.#random.pick(this.#file.events);
    const atMs = timeMs + this.#random.below(DAY_MS);
    const at = new Date(atMs).toISOString();
    const segments = drawSegments(this.#file, this.#random, atMs);
    const counts: Record<string, number> = {};
    for (const [name, segment] of Object.entries(segments)) {
      const members = this.#naiveMembers(segment, atMs);
      counts[name] = members.length;
      const expected = { count: members.length, total: this.#file.users.length, members };
      const { count, total, stats } = await this.#server.call('segment.count', { segment, at });
      const found = { count, total, members: await this.#members(segment, at) };
      const isRight = isDeepStrictEqual(found, expected);
      const what = isRight ? name : `${name} ${JSON.stringify({ at, segment })}`;
      const figure = `${readableCount(count)} users, ${readableMs(stats.ms)}`;
      if (round === 0 || !isRight) this.#check(what, expected, found, figure);
    }
    const evaluated = await this.#server.call('segment.evaluate', { segments, at });
    const isRight = isDeepStrictEqual(evaluated.counts, counts);
    if (round === 0 || !isRight) {
      this.#check('all in one pass', counts, evaluated.counts, readableMs(evaluated.stats.ms));
    }
  }

  #naiveMembers(definition: Definition, atMs: number): string[] {
    return [...oracleEvaluate(this.#file.users, definition, { atMs, nowMs: Date.now(), zone: 'UTC' })].sort();
  }

  async #members(segment: Definition, at: string): Promise<string[]> {
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await this.#server.call('segment.members', { segment, at, after, limit: 3000 });
      ids.push(...page.users.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    return ids.sort();
  }

  /** Timelines and profiles of the users with most events, and of some others. */
  async #users(): Promise<void> {
    const { users } = this.#file;
    const most = [...users].sort((a, b) => b.events.length - a.events.length).slice(0, 3);
    const some = Array.from({ length: 50 }, () => this.#random.pick(users));
    const chosen = [...most, ...some];
    const expected = chosen.map((user) => ({
      id: user.id,
      traits: user.traits,
      events: naiveTimeline(user),
    }));
    const found: unknown[] = [];
    let events = 0;
    for (const { id } of chosen) {
      const { traits } = await this.#server.call('user.profile', { userId: id });
      const timeline = await this.#timeline(id);
      events += timeline.length;
      found.push({ id, traits, events: timeline });
    }
    const wrong = expected.findIndex((user, i) => !isDeepStrictEqual(user, found[i]));
    const what = 'profiles and timelines';
    if (wrong === -1)
      this.#check(what, true, true, `${chosen.length} users, ${readableCount(events)} events`);
    else this.#check(what, ...firstDifference(expected[wrong]!, found[wrong]));
  }

  async #timeline(userId: string): Promise<unknown[]> {
    const events: unknown[] = [];
    let before: string | undefined;
    do {
      const page = await this.#server.call('user.timeline', { userId, before, limit: 1000 });
      events.push(...page.events);
      before = page.next;
    } while (before !== undefined);
    return events;
  }

  async #importAgain(): Promise<void> {
    const { ms: _, ...counts } = await this.#import();
    const expected = { accepted: 0, duplicate: this.#file.lines, rejected: 0 };
    this.#check('import again adds nothing', expected, counts);
    const { events } = await this.#server.call('account.stats', {});
    this.#check('events after it', this.#file.events.length, events);
  }

  async #restart(live: Readonly<Record<string, Definition>>): Promise<void> {
    await this.#server.kill();
    const startedMs = performance.now();
    await this.#server.restart();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
    const { events, users } = await this.#server.call('account.stats', {});
    this.#check(
      'kill and restart',
      [this.#file.events.length, this.#file.users.length],
      [events, users],
      `${seconds} s`,
    );
    await this.#liveSegments(live, 'live segments after it');
    await this.#segments(1);
  }
}

function naiveTimeline({ events }: NaiveUser): unknown[] {
  return events
    .map((event, arrived) => ({ ...event, arrived }))
    .sort((a, b) => b.timeMs - a.timeMs || b.arrived - a.arrived)
    .map(({ event, timeMs, properties }) => ({ event, time: new Date(timeMs).toISOString(), properties }));
}

/** Two like things that differ, down to where they do. */
function firstDifference(expected: unknown, found: unknown): [unknown, unknown] {
  if (typeof expected !== 'object' || typeof found !== 'object' || !expected || !found)
    return [expected, found];
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const [a, b] = [expected[key as never], found[key as never]];
    if (!isDeepStrictEqual(a, b)) return firstDifference(a, b);
  }
  return [expected, found];
}

function sorted<T>(pairs: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
