import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import type { Value } from '../base/value.ts';
import { oracleEvaluate } from '../query/oracle.ts';
import { StateHash } from '../store/stateHash.ts';
import type { Change } from './liveSegments.ts';
import { TestTablet } from './testTablet.ts';

beforeAll(initHash);

const START_MS = Date.UTC(2026, 10, 20, 12);
const USERS = [
  { known: true, id: 'u0' },
  { known: true, id: 'u1' },
  { known: true, id: 'u2' },
  { known: false, id: 'a3' },
  { known: false, id: 'a4' },
];

function newTablet(retentionMs?: number, timezone = 'UTC'): TestTablet {
  const settings = retentionMs === undefined ? { timezone } : { timezone, retentionMs };
  return new TestTablet({ clockMs: START_MS, settings, users: USERS });
}

/** Who is in at a moment, by the oracle and the tablet's present data. */
function expected(tablet: TestTablet, name: string, atMs: number): string[] {
  const { retentionMs, timezone } = tablet.settings;
  const options = { atMs, nowMs: atMs, zone: timezone, saved: tablet.saved };
  return [
    ...oracleEvaluate(
      tablet.oracleUsers(),
      tablet.saved[name],
      retentionMs === undefined ? options : { ...options, retentionMs },
    ),
  ].sort();
}

class RandomDefinitions {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  definition(depth = 0): unknown {
    const random = this.#random;
    const kind = random.below(depth < 2 ? 11 : 7);
    if (kind < 4) return this.#event();
    if (kind === 4) return this.#profile();
    if (kind === 5) return this.#sequence();
    if (kind === 6) {
      return random.pick<unknown>([
        { all: true },
        { segment: 'base' },
        { sample: { percent: 50, salt: 'x' } },
      ]);
    }
    if (kind === 7) return { not: this.definition(depth + 1) };
    return { [kind < 10 ? 'and' : 'or']: [this.definition(depth + 1), this.definition(depth + 1)] };
  }

  #event(): unknown {
    const random = this.#random;
    const within = random.chance(0.7) ? { within: this.#within() } : {};
    if (random.chance(0.5)) {
      const count = random.chance(0.8) ? { count: this.#comparison() } : {};
      return { ...this.#filter(), ...within, ...count };
    }
    const measure = random.pick([
      ...NUMBER_MEASURES,
      'distinct',
      'days',
      'first',
      'last',
      'lastValue',
      'most',
    ]);
    switch (measure) {
      case 'days':
        return { ...this.#filter(), ...within, days: this.#comparison() };
      case 'first':
      case 'last':
        return { ...this.#filter(), [measure]: this.#within() };
      case 'lastValue':
        return { ...this.#filter(), ...within, lastValue: this.#test('prop') };
      case 'most':
        return { ...this.#filter(), ...within, mostFrequent: { prop: 'prop', value: random.pick([1, 2]) } };
      default:
        return { ...this.#filter(), ...within, [measure]: { prop: 'prop', ...this.#comparison() } };
    }
  }

  #filter(): object {
    const random = this.#random;
    return {
      event: random.pick<unknown>(['view', 'buy', 'late', ['view', 'buy']]),
      ...(random.chance(0.3) ? { where: [this.#test('prop')] } : {}),
    };
  }

  #sequence(): unknown {
    const random = this.#random;
    const limit = () => random.pick(['0s', '10m', '1h', '5h']);
    const step = () => ({ ...this.#filter(), ...(random.chance(0.5) ? { within: limit() } : {}) });
    return {
      sequence: Array.from({ length: 1 + random.below(3) }, step),
      ...(random.chance(0.3) ? { window: limit() } : {}),
      ...(random.chance(0.5) ? { within: this.#within() } : {}),
    };
  }

  #within(): unknown {
    const random = this.#random;
    const from = random.pick(['-50m', '-3h', iso(START_MS - HOUR_MS)]);
    const to = random.pick(['-0s', '-10m', iso(START_MS + HOUR_MS)]);
    return random.pick<unknown>([
      { last: '20m' },
      { last: '1h' },
      { last: '5h' },
      { from },
      { to },
      { from, to },
      { on: '2026-11-20' },
    ]);
  }

  #comparison(): object {
    const op = this.#random.pick(['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between']);
    const n = this.#random.pick([0, 1, 1, 2, 3, 2.5, 100]);
    return { [op]: op === 'between' ? [n, n + this.#random.below(2)] : n };
  }

  #profile(): unknown {
    const { prop: profile, ...rest } = this.#test('prop');
    return { profile, ...rest };
  }

  #test(prop: string): { prop: string; op: string; value?: unknown } {
    const random = this.#random;
    const op = random.pick([
      ...['eq', 'neq', 'exists', 'before', 'after', 'withinLast', 'withinNext'],
      ...['matches', 'anniversary', 'near'],
    ]);
    switch (op) {
      case 'exists':
        return { prop, op };
      case 'withinLast':
      case 'withinNext':
        return { prop, op, value: '30m' };
      case 'before':
      case 'after':
        return { prop, op, value: '-15m' };
      case 'matches':
        return { prop, op, value: 'x|:[0-2]' };
      case 'anniversary':
        return { prop, op, value: random.pick([{ on: 'today' }, { last: '30h' }, { next: '2h' }]) };
      case 'near':
        return { prop, op, value: { lat: 50, lon: 10, km: 200 } };
      default:
        return { prop, op, value: 1 };
    }
  }
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Near the clock, behind it or ahead of it, often the same for many; exact to the ms now and then. */
function randomTimeMs(random: SeededRandom, clockMs: number): number {
  const offsetMs = (random.below(120) - 90) * MINUTE_MS;
  const scaledMs = random.chance(0.1) ? offsetMs * 20 : offsetMs;
  return clockMs + Math.min(scaledMs, DAY_MS) + (random.chance(0.2) ? random.below(1000) : 0);
}

/** Of an event or a profile, with a place now and then. */
function randomValues(random: SeededRandom, clockMs: number): Record<string, Value> {
  return {
    ...(random.chance(0.6) ? { prop: randomValue(random, clockMs) } : {}),
    ...(random.chance(0.3) ? { 'prop.lat': 50 + random.below(4), 'prop.lon': 10 } : {}),
  };
}

function randomValue(random: SeededRandom, clockMs: number): Value {
  return random.pick<() => Value>([
    () => 1,
    () => 2.5,
    () => 'text',
    () => iso(randomTimeMs(random, clockMs)),
    () => [iso(randomTimeMs(random, clockMs)), iso(randomTimeMs(random, clockMs))],
  ])();
}

function act(random: SeededRandom, tablet: TestTablet): void {
  const ordinal = random.below(USERS.length);
  const action = random.below(20);
  if (action < 14) {
    const event = random.pick(['view', 'view', 'buy', 'other', ...(tablet.rows.length > 20 ? ['late'] : [])]);
    tablet.event(ordinal, event, randomTimeMs(random, tablet.clockMs), randomValues(random, tablet.clockMs));
  } else if (action < 19) {
    tablet.setTraits(ordinal, randomValues(random, tablet.clockMs));
  } else if (random.chance(0.3)) {
    const { canonical } = tablet.users;
    const source = USERS.findIndex(({ known }, user) => !known && canonical[user] === user);
    if (source !== -1) tablet.merge(source, random.below(3));
  }
}

const NUMBER_MEASURES = ['sum', 'avg', 'min', 'max'];

const SEEDS = Array.from({ length: 24 }, (_, seed) => seed);

test.each(SEEDS)('agrees with the oracle at every moment, seed %i', (seed) => {
  const random = new SeededRandom(seed);
  const definitions = new RandomDefinitions(random);
  const retentionMs = random.pick([undefined, 2 * HOUR_MS, 40 * MINUTE_MS]);
  const tablet = newTablet(retentionMs, random.pick(['UTC', 'Asia/Kathmandu']));
  /** Members at the last save and every change since: what a watcher believes. */
  const told = new Map<string, Set<string>>();
  tablet.save('base', { event: 'buy', within: { last: '30m' } });
  for (let step = 0; step < 150; step++) {
    if (step % 30 === 0) {
      tablet.save(`segment${random.below(6)}`, definitions.definition());
      if (random.chance(0.3)) tablet.save('base', { event: 'view', within: { last: '25m' } });
      expect(tablet.live.takeChanges()).toEqual([]);
      for (const name of tablet.live.names()) told.set(name, new Set(tablet.members(name)));
    }
    if (random.chance(0.6)) {
      const { canonical } = tablet.users;
      act(random, tablet);
      for (const [ordinal, { id }] of USERS.entries()) {
        if (canonical[ordinal] === tablet.users.canonical[ordinal]) continue;
        for (const ids of told.values()) ids.delete(id); // merged away, which is not told
      }
      tablet.live.takeChanges().forEach(hear);
    } else pass(random.below(random.pick([2, 5 * MINUTE_MS, HOUR_MS, 8 * HOUR_MS])));
    checkTold(tablet.clockMs);
    for (const [name, ids] of told) expect(tablet.members(name)).toEqual([...ids].sort());
  }

  /** Time passes. What was told is right just before every change, at it, and at other moments. */
  function pass(durationMs: number): void {
    const startMs = tablet.clockMs;
    tablet.advance(startMs + durationMs);
    const changes = tablet.live.takeChanges();
    const moments = changes.flatMap(({ atMs }) => [atMs - 1, atMs]);
    for (let i = 0; i < 3; i++) moments.push(startMs + random.below(durationMs + 1));
    let heard = 0;
    for (const atMs of moments.sort((a, b) => a - b)) {
      while (heard < changes.length && changes[heard]!.atMs <= atMs) hear(changes[heard++]!);
      checkTold(atMs);
    }
  }

  function hear({ segment, ordinal, change }: Change): void {
    const ids = told.get(segment)!;
    const { id } = USERS[ordinal]!;
    expect(ids.has(id)).toBe(change === 'exit');
    if (change === 'enter') ids.add(id);
    else ids.delete(id);
  }

  function checkTold(atMs: number): void {
    for (const [name, ids] of told) {
      const message = `${JSON.stringify(tablet.saved[name])} at ${iso(atMs)}`;
      expect([...ids].sort(), message).toEqual(expected(tablet, name, atMs));
    }
  }
});

test('an event of the future counts from its moment on', () => {
  const tablet = newTablet();
  tablet.save('buyers', { event: 'buy', within: { last: '1h' } });
  tablet.event(0, 'buy', START_MS + 2 * HOUR_MS);
  tablet.event(0, 'buy', START_MS + 5 * HOUR_MS);
  tablet.advance(START_MS + DAY_MS);
  expect(tablet.live.takeChanges()).toEqual([
    { segment: 'buyers', ordinal: 0, change: 'enter', atMs: START_MS + 2 * HOUR_MS },
    { segment: 'buyers', ordinal: 0, change: 'exit', atMs: START_MS + 3 * HOUR_MS },
    { segment: 'buyers', ordinal: 0, change: 'enter', atMs: START_MS + 5 * HOUR_MS },
    { segment: 'buyers', ordinal: 0, change: 'exit', atMs: START_MS + 6 * HOUR_MS },
  ]);
});

test('who is merged away exits without a word, and the known user enters', () => {
  const tablet = newTablet();
  tablet.save('viewers', { event: 'view' });
  tablet.event(3, 'view', START_MS);
  tablet.live.takeChanges();
  tablet.merge(3, 0);
  expect(tablet.live.takeChanges()).toEqual([
    { segment: 'viewers', ordinal: 0, change: 'enter', atMs: START_MS },
  ]);
  expect(tablet.members('viewers')).toEqual(['u0']);
});

test('who leaves the tablet leaves every segment without a word', () => {
  const tablet = newTablet();
  tablet.save('viewers', { event: 'view', within: { last: '1h' } });
  tablet.event(3, 'view', START_MS);
  tablet.live.takeChanges();
  tablet.live.drop(3);
  tablet.advance(START_MS + DAY_MS);
  expect(tablet.live.takeChanges()).toEqual([]);
  expect(tablet.live.count('viewers')).toBe(0);
});

test('a user with nothing retained any more is none', () => {
  const tablet = newTablet(HOUR_MS);
  tablet.save('all', { all: true });
  tablet.event(0, 'view', START_MS - SECOND_MS);
  tablet.advance(START_MS + DAY_MS);
  expect(tablet.live.takeChanges()).toEqual([
    { segment: 'all', ordinal: 0, change: 'enter', atMs: START_MS },
    { segment: 'all', ordinal: 0, change: 'exit', atMs: START_MS - SECOND_MS + HOUR_MS },
  ]);
});

test('says which segments are recomputed, and what they take', () => {
  const tablet = newTablet();
  tablet.save('often', { event: 'view', count: { gte: 64 } });
  tablet.save('more often', { event: 'view', count: { gte: 65 } });
  tablet.save('timed', { event: 'view', where: [{ prop: 'until', op: 'withinNext', value: '1d' }] });
  expect(tablet.live.names().map((name) => tablet.live.strategyOf(name))).toEqual([
    'recomputed',
    'incremental',
    'recomputed',
  ]);
  tablet.event(0, 'view', START_MS);
  expect(tablet.live.memoryBytes('often')).toBeGreaterThan(0);
  expect(bytesOf(tablet)).toBeGreaterThan(tablet.live.memoryBytes('often'));
});

test('the logical hash tells members apart, not how they are numbered', () => {
  const hashOf = (users: typeof USERS, viewer: string) => {
    const tablet = new TestTablet({ clockMs: START_MS, settings: { timezone: 'UTC' }, users });
    tablet.save('viewers', { event: 'view' });
    tablet.event(
      users.findIndex(({ id }) => id === viewer),
      'view',
      START_MS,
    );
    const hash = new StateHash();
    tablet.live.hashInto(hash);
    return hash.digest();
  };
  expect(hashOf(USERS, 'u0')).toEqual(hashOf(USERS.toReversed(), 'u0'));
  expect(hashOf(USERS, 'u0')).not.toEqual(hashOf(USERS, 'u1'));
});

test('equal conditions are kept once', () => {
  const tablet = newTablet();
  const condition = { event: 'view', within: { last: '1h' } };
  tablet.save('a', condition);
  tablet.event(0, 'view', START_MS);
  const bytes = bytesOf(tablet);
  tablet.save('b', { and: [condition, { all: true }] });
  const memberBytes = bytesOf(tablet) - bytes;
  expect(memberBytes).toBeLessThan(64);
  tablet.live.remove('a');
  expect(tablet.members('b')).toEqual(['u0']);
});

const bytesOf = (tablet: TestTablet) =>
  Object.values(tablet.live.memoryBySegment()).reduce((total, bytes) => total + bytes, 0);
