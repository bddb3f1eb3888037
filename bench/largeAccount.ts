import { sampleBucket } from '../src/base/hash.ts';
import { DAY_MS } from '../src/base/limits.ts';
import { SeededRandom } from '../src/base/random.ts';
import type { Value } from '../src/base/value.ts';
import type { OracleEvent, OracleUser } from '../src/query/oracle.ts';
import { PrefixTree } from '../src/tablet/placement.ts';
import type { Tablet } from '../src/tablet/tablet.ts';
import { BulkLoader, type Place } from './bulk.ts';
import { addSessions, SESSION_EVENTS, sessionEvent, sessionUserId } from './loadedEvents.ts';
import { SESSION_NAMES, SESSION_PERIOD, sessionColumns } from './sessions.ts';

/**
 * An account that fills a machine: users with profiles, half of them with events. It is made a tablet at a time, from
 * seeds of its own, so that it is the same on however many threads and no more of it is held than is loaded.
 */
export interface LargeOptions {
  readonly seed: number;
  readonly users: number;
  readonly events: number;
  readonly tablets: number;
  /** Of users who are also held as the oracle wants them. */
  readonly sample: Sample;
}

export interface Sample {
  readonly percent: number;
  readonly salt: string;
}

export interface LargeTablet {
  readonly tablet: Tablet;
  readonly sampled: readonly OracleUser[];
}

const PLANS = ['free', 'free', 'free', 'basic', 'basic', 'plus', 'pro', 'team'];
const NAMES = [
  'anna',
  'ben',
  'carla',
  'dana',
  'emil',
  'fatima',
  'georg',
  'hana',
  'ivan',
  'julia',
  'kofi',
  'lea',
];
const DOMAINS = ['example.com', 'example.org', 'mail.example.net', 'post.example.de'];
const TRAITS = ['plan', 'city', 'age', 'score', 'signedUp', 'email', 'newsletter'];
const SIGN_UP_DAYS = 1200;

/** Users by number: a user has the same id, profile and tablet wherever it is loaded. */
export class LargeAccount {
  readonly #options: LargeOptions;
  /** By user, the place of its tablet among all. */
  readonly #homes: Uint16Array;

  constructor(options: LargeOptions) {
    this.#options = options;
    const tree = PrefixTree.even(options.tablets);
    const places = new Map(tree.leaves.map((bits, place) => [bits, place]));
    this.#homes = new Uint16Array(options.users);
    for (let user = 0; user < options.users; user++)
      this.#homes[user] = places.get(tree.tabletOf(sessionUserId(user)))!;
  }

  /** The tablet at this place among all. */
  load(index: number): LargeTablet {
    const { seed, users, events, tablets, sample } = this.#options;
    const declared = { events: SESSION_EVENTS, traits: TRAITS };
    const loader = new BulkLoader(tablets, declared, (place) => place === index);
    const numbers = this.#usersOf(index);
    const sampled = new Map<number, OracleUser & { readonly events: OracleEvent[] }>();
    const places: Place[] = [];
    for (const [i, number] of numbers.entries()) {
      const id = sessionUserId(number);
      const place = loader.place({ known: true, id })!;
      places.push(place);
      const { traits, timeMs } = profileOf(seed, number);
      loader.identify(place, traits, timeMs);
      if (sampleBucket(id, sample.salt) < sample.percent * 100) sampled.set(i, { id, traits, events: [] });
    }
    const columns = sessionColumns({
      seed: seed * tablets + index,
      events: Math.round((events * numbers.length) / users),
      users: numbers.length,
    });
    addSessions(loader, columns, (user) => places[user]!);
    loader.finish();
    for (let row = 0; row < columns.event.length; row++)
      sampled.get(columns.user[row]!)?.events.push(sessionEvent(columns, row));
    return { tablet: loader.tablets[0]!, sampled: [...sampled.values()] };
  }

  #usersOf(index: number): Uint32Array {
    const homes = this.#homes;
    let count = 0;
    for (let user = 0; user < homes.length; user++) if (homes[user] === index) count++;
    const found = new Uint32Array(count);
    for (let user = homes.length; count > 0; ) if (homes[--user] === index) found[--count] = user;
    return found;
  }
}

/** What was last said of a user, and when. */
function profileOf(seed: number, user: number): { traits: Readonly<Record<string, Value>>; timeMs: number } {
  const random = new SeededRandom(seed * 2 ** 32 + user);
  const sinceMs = random.below(SIGN_UP_DAYS * DAY_MS);
  const traits = {
    plan: random.pick(PLANS),
    city: SESSION_NAMES.city[Math.floor(random.fraction() ** 2 * SESSION_NAMES.city.length)]!,
    ...(random.chance(0.8) && { age: 18 + random.below(60) }),
    score: random.below(100_000) / 100,
    signedUp: new Date(SESSION_PERIOD.endMs - sinceMs).toISOString(),
    email: `${NAMES[user % NAMES.length]}.${user.toString(36)}@${DOMAINS[user % DOMAINS.length]}`,
    newsletter: random.chance(0.6),
  };
  return { traits, timeMs: SESSION_PERIOD.endMs - random.below(sinceMs) };
}
