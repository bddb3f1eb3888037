import { beforeAll, expect, test } from 'vitest';
import type { Bitset } from '../base/bitset.ts';
import { initHash } from '../base/hash.ts';
import { HOUR_MS, QUERY_BYTES_MAX } from '../base/limits.ts';
import { MemoryBudget } from '../base/memoryBudget.ts';
import { SeededRandom } from '../base/random.ts';
import type { Value } from '../base/value.ts';
import type { TabletView } from '../store/view.ts';
import { evaluate, evaluateMany } from './evaluate.ts';
import { evaluateUser } from './evaluateUser.ts';
import { type OracleUser, oracleEvaluate, oracleUsers } from './oracle.ts';
import { parseSegment } from './parse.ts';
import type { QueryTimes } from './plan.ts';
import { newStats } from './stats.ts';
import { TestDefinitions } from './testDefinitions.ts';
import { TestLife } from './testLife.ts';
import { run, testStore } from './testStore.ts';
import { type TestEvent, type TestTablet, testView } from './testView.ts';

/** How many definitions are drawn: `MUSTER_DEFINITIONS=20000` for a long run. */
const DEFINITIONS = Number(process.env.MUSTER_DEFINITIONS ?? 500);
const DEFINITIONS_PER_TABLET = 20;
/** Beside those, asked of evaluateMany at the same time. */
const RULES_PER_TABLET = 40;
const ZONES = ['UTC', 'America/New_York', 'Pacific/Auckland'];
/** Nights in which clocks change in New York or Auckland, and the days of leap years. */
const MOMENTS_MS = [
  ...['2026-03-08T18:00:00Z', '2026-11-01T16:00:00Z', '2026-04-05T06:00:00Z', '2026-09-27T00:00:00Z'],
  ...['2024-02-29T12:00:00Z', '2025-03-01T04:30:00Z'],
].map((text) => Date.parse(text));

beforeAll(initHash);

const counts = { inside: 0, outside: 0 };
const seeds = Array.from({ length: Math.ceil(DEFINITIONS / DEFINITIONS_PER_TABLET) }, (_, seed) => seed);

test.each(seeds)('evaluate, evaluateMany, evaluateUser and the oracle agree, seed %i', (seed) => {
  const random = new SeededRandom(seed);
  const nowMs = random.pick(MOMENTS_MS);
  const drawn = new TestDefinitions(random, nowMs);
  const { view, oracle } = randomTablet(seed, random, drawn, nowMs);
  const times: QueryTimes = { atMs: nowMs - random.below(4) * 7 * HOUR_MS, nowMs };
  const options = {
    ...times,
    zone: view.settings.timezone,
    ...view.settings,
    saved: TestDefinitions.saved,
  };
  const definitions = new Map(
    Array.from({ length: DEFINITIONS_PER_TABLET }, (_, i) => [`${i}`, drawn.criterion(3)]),
  );
  const criteria = new Map([...definitions].map(([name, json]) => [name, parseSegment(json)]));

  const rules = drawn.rules(RULES_PER_TABLET);
  const ruleCriteria = new Map(rules.map((json, i) => [`rule ${i}`, parseSegment(json)]));

  const many = new Map<string, Bitset>();
  ask(view, (asked) =>
    evaluateMany(asked, new Map([...criteria, ...ruleCriteria]), times, newStats(), (name, found, everyone) =>
      many.set(name, found.copy().and(everyone)),
    ),
  );
  for (const [name, criterion] of ruleCriteria) {
    const { members } = ask(view, (asked) => evaluate(asked, criterion, times, newStats()));
    const label = `seed ${seed}: ${JSON.stringify(rules)}, ${name}`;
    expect([...many.get(name)!], label).toEqual([...members]);
  }
  for (const [i, json] of rules.entries()) {
    const ids = [...many.get(`rule ${i}`)!].map((ordinal) => view.users.refOf(ordinal).id);
    expect(ids.sort(), `seed ${seed}: ${JSON.stringify(json)}`).toEqual(
      [...oracleEvaluate(oracle, json, options)].sort(),
    );
  }
  for (const [name, json] of definitions) {
    const label = `seed ${seed}: ${JSON.stringify(json)}`;
    const expected = [...oracleEvaluate(oracle, json, options)].sort();
    const { members, users } = ask(view, (asked) => evaluate(asked, criteria.get(name)!, times, newStats()));
    const idsOf = (ordinals: Iterable<number>): string[] =>
      [...ordinals].map((ordinal) => view.users.refOf(ordinal).id).sort();
    expect(idsOf(members), label).toEqual(expected);
    expect(idsOf(many.get(name)!), label).toEqual(expected);
    expect(idsOf(users), label).toEqual(
      oracleUsers(oracle, options)
        .map(({ id }) => id)
        .sort(),
    );
    for (let ordinal = 0; ordinal < view.users.count; ordinal++) {
      const isIn = evaluateUser(view, criteria.get(name)!, ordinal, times);
      expect(isIn, `${label}, ordinal ${ordinal}`).toBe(members.has(view.users.canonical[ordinal]!));
    }
    counts.inside += expected.length;
    counts.outside += users.count() - expected.length;
  }
});

test('definitions that everyone or no one satisfies would prove little', () => {
  const { inside, outside } = counts;
  expect(Math.min(inside, outside) / (inside + outside)).toBeGreaterThan(0.2);
});

/** As a shard asks: from arrays in the kernels' memory, which are somebody else's afterwards. */
function ask<T>(view: TabletView, steps: (view: TabletView) => Generator<void, T>): T {
  const budget = new MemoryBudget(QUERY_BYTES_MAX);
  const answer = run(steps({ ...view, budget }));
  budget.close();
  return answer;
}

/** In plain arrays, in small blocks, or in a store that lived through merges, departures and deletions. */
function randomTablet(
  seed: number,
  random: SeededRandom,
  drawn: TestDefinitions,
  nowMs: number,
): { readonly view: TabletView; readonly oracle: OracleUser[] } {
  if (seed % 2 === 0) {
    const settings = randomSettings(random);
    const { events, saved } = TestDefinitions;
    const options = { atMs: nowMs, settings, saved, events, values: () => drawn.values() };
    const life = new TestLife(random, options).live(50 + random.below(200));
    return { view: life.view, oracle: life.oracleUsers() };
  }
  const tablet = randomArrays(random, drawn, nowMs);
  const view = seed % 4 === 1 ? testView(tablet) : testStore(tablet);
  return { view, oracle: oracleUsersOf(tablet) };
}

function randomSettings(random: SeededRandom) {
  const retention = random.chance(0.5) ? { retentionMs: random.below(72) * HOUR_MS } : {};
  return { timezone: random.pick(ZONES), ...retention };
}

/** Late events, equal times, merged users, deleted ones, users without anything, future events, retention. */
function randomArrays(random: SeededRandom, drawn: TestDefinitions, nowMs: number): TestTablet {
  const users = Array.from({ length: 12 }, (_, i) => ({ known: i >= 6, id: `user ${i}` }));
  const merges = [0, 1, 2].map((source) => [source, 6 + random.below(3)] as const);
  const event = (): TestEvent => ({
    ordinal: random.below(10),
    event: random.pick(TestDefinitions.events),
    timeMs: nowMs + (random.below(100) - 90) * HOUR_MS + random.below(2),
    properties: drawn.values(),
  });
  const parts = Array.from({ length: 4 }, () => Array.from({ length: random.below(40) }, event));
  const traits = new Map<number, Readonly<Record<string, Value>>>();
  for (let ordinal = 3; ordinal < 12; ordinal++) {
    if (random.chance(0.6)) traits.set(ordinal, drawn.values());
  }
  const deleted = new Set([3, 4, 5, 7, 8, 10].filter(() => random.chance(0.2)));
  const { saved } = TestDefinitions;
  return { users, merges, traits, deleted, parts, settings: randomSettings(random), saved };
}

/** The same users as the language sees them: merged ones are one. */
function oracleUsersOf({ users, merges = [], traits, deleted = new Set(), parts }: TestTablet): OracleUser[] {
  const target = new Map(merges);
  const eventsOf = (ordinal: number) => parts.flat().filter((event) => event.ordinal === ordinal);
  return users.flatMap(({ id }, ordinal) => {
    if (target.has(ordinal) || deleted.has(ordinal)) return [];
    const merged = merges.filter(([, known]) => known === ordinal).map(([anonymous]) => anonymous);
    const events = [...merged, ordinal].flatMap(eventsOf);
    return [{ id, events, traits: traits!.get(ordinal) ?? {} }];
  });
}
