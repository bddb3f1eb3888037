import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import type { Value } from '../base/value.ts';
import { evaluate, evaluateMany } from './evaluate.ts';
import { evaluateUser } from './evaluateUser.ts';
import { type OracleUser, oracleEvaluate, oracleUsers } from './oracle.ts';
import { parseSegment } from './parse.ts';
import type { QueryTimes } from './plan.ts';
import { newStats } from './stats.ts';
import { run, testStore } from './testStore.ts';
import { type TestEvent, type TestTablet, testView } from './testView.ts';

/** The night in which New York's clocks skip an hour; times below lie around it. */
const AT_MS = Date.parse('2026-03-08T18:00:00Z');
const ZONES = ['UTC', 'America/New_York', 'Pacific/Auckland'];
const EVENTS = ['Viewed', 'Added', 'Ordered'];
const NAMES = ['a', 'b', 'c'];
const TIMES = ['2026-03-08', '2026-03-08T02:30:00', '2026-03-08T17:00:00Z', '2026-03-09T06:00:00+13:00'];
const VALUES: readonly Value[] = [
  ...[0, 1, 2, 2.5, -3],
  ...['', 'x', 'xy', 'yx', '2', 'true', '\u{1f600}', '\uffee', ...TIMES],
  ...[true, false],
  ...[[], ['x', 'y'], [1, 2], ['x', 1, true], [TIMES[0]!, 'x']],
];
const SCALARS = VALUES.filter((value) => typeof value !== 'object');
const TEXTS = SCALARS.filter((value) => typeof value === 'string');
const DURATIONS = ['0d', '90s', '6h', '1d', '2d', '1w'];
const SAVED = {
  buyers: { event: 'Ordered', within: { last: '2d' } },
  others: { not: { or: [{ segment: 'buyers' }, { profile: 'a', op: 'exists' }] } },
};

beforeAll(initHash);

test('evaluate, evaluateMany, evaluateUser and the oracle agree', () => {
  let inside = 0;
  let outside = 0;
  for (let seed = 0; seed < 30; seed++) {
    const random = new SeededRandom(seed);
    const tablet = randomTablet(random);
    const view = seed % 2 === 0 ? testView(tablet) : testStore(tablet);
    const times: QueryTimes = { atMs: AT_MS - random.below(2) * 12 * HOUR_MS, nowMs: AT_MS };
    const options = { ...times, zone: view.settings.timezone, ...view.settings, saved: SAVED };
    const oracle = oracleUsersOf(tablet);
    const definitions = new Map(Array.from({ length: 20 }, (_, i) => [`${i}`, randomCriterion(random, 3)]));
    const criteria = new Map([...definitions].map(([name, json]) => [name, parseSegment(json)]));

    const many = run(evaluateMany(view, criteria, times, newStats()));
    for (const [name, json] of definitions) {
      const label = `seed ${seed}: ${JSON.stringify(json)}`;
      const expected = [...oracleEvaluate(oracle, json, options)].sort();
      const { members, users } = run(evaluate(view, criteria.get(name)!, times, newStats()));
      const idsOf = (ordinals: Iterable<number>): string[] =>
        [...ordinals].map((ordinal) => view.users.refOf(ordinal).id).sort();
      expect(idsOf(members), label).toEqual(expected);
      expect(idsOf(many.members.get(name)!), label).toEqual(expected);
      expect(idsOf(users), label).toEqual(
        oracleUsers(oracle, options)
          .map(({ id }) => id)
          .sort(),
      );
      for (let ordinal = 0; ordinal < view.users.count; ordinal++) {
        const isIn = evaluateUser(view, criteria.get(name)!, ordinal, times);
        expect(isIn, `${label}, ordinal ${ordinal}`).toBe(members.has(view.users.canonical[ordinal]!));
      }
      inside += expected.length;
      outside += users.count() - expected.length;
    }
  }
  // Definitions that everyone or no one satisfies would prove little.
  expect(Math.min(inside, outside) / (inside + outside)).toBeGreaterThan(0.2);
});

test('evaluation goes in steps, and parts out of reach are passed over', () => {
  const day = (n: number): TestEvent[] => [
    { ordinal: 0, event: 'Viewed', timeMs: AT_MS - n * DAY_MS, properties: { a: n } },
  ];
  const view = testView({
    users: [{ known: true, id: 'u' }],
    parts: [day(9), day(2), day(1), []],
  });
  const stats = newStats();
  const criterion = parseSegment({ event: 'Viewed', within: { last: '3d' }, count: { eq: 2 } });
  const steps = evaluate(view, criterion, { atMs: AT_MS, nowMs: AT_MS }, stats);
  let stepCount = 0;
  while (!steps.next().done) stepCount++;
  expect(stepCount).toBeGreaterThan(5);
  expect(stats).toMatchObject({ rowsScanned: 2, blocksSkipped: 2 });
});

test('the first and the last moment of a window, at the edges of a part', () => {
  const times = [-2, -1, 0, 1].map((hours) => AT_MS + hours * HOUR_MS);
  const part = times.map((timeMs, ordinal) => ({ ordinal, event: 'Viewed', timeMs, properties: {} }));
  const users = times.map((_, i) => ({ known: true, id: `${i}` }));
  const membersOf = (rows: TestEvent[], within: unknown): number[] => {
    const criterion = parseSegment({ event: 'Viewed', within });
    const queryTimes = { atMs: AT_MS + DAY_MS, nowMs: AT_MS + DAY_MS };
    return [
      ...run(evaluate(testView({ users, parts: [rows, []] }), criterion, queryTimes, newStats())).members,
    ];
  };
  const iso = (timeMs: number): string => new Date(timeMs).toISOString();
  for (const [i, from] of times.entries()) {
    for (const [j, to] of times.entries()) {
      const expected = [0, 1, 2, 3].filter((ordinal) => ordinal >= i && ordinal < j);
      expect(membersOf(part, { from: iso(from), to: iso(to) })).toEqual(expected);
      expect(membersOf(part.slice(i, j + 1), { from: iso(from), to: iso(to) })).toEqual(expected);
    }
  }
});

test('a scan that cannot change the result does not run', () => {
  const view = testView({
    users: [{ known: true, id: 'u' }],
    parts: [[{ ordinal: 0, event: 'Viewed', timeMs: AT_MS, properties: {} }], []],
  });
  const rowsScanned = (json: unknown): number => {
    const stats = newStats();
    run(evaluate(view, parseSegment(json), { atMs: AT_MS, nowMs: AT_MS }, stats));
    return stats.rowsScanned;
  };
  const viewed = { event: 'Viewed' };
  expect(rowsScanned({ and: [viewed, { profile: 'a', op: 'exists' }] })).toBe(0);
  expect(rowsScanned({ or: [viewed, { profile: 'a', op: 'notExists' }] })).toBe(0);
  expect(rowsScanned({ and: [viewed, { event: 'Viewed', count: { lt: 3 } }] })).toBe(1);
});

test('saved segments that share others take no exponential time', () => {
  const saved: Record<string, unknown> = { s0: { event: 'Viewed' } };
  for (let i = 1; i < 16; i++) {
    saved[`s${i}`] = { and: Array.from({ length: 20 }, () => ({ segment: `s${i - 1}` })) };
  }
  const view = testView({
    users: [{ known: true, id: 'u' }],
    parts: [[{ ordinal: 0, event: 'Viewed', timeMs: AT_MS, properties: {} }]],
    saved,
  });
  const times = { atMs: AT_MS, nowMs: AT_MS };
  const criterion = parseSegment({ segment: 's15' });
  expect(run(evaluate(view, criterion, times, newStats())).members.count()).toBe(1);
  expect(evaluateUser(view, criterion, 0, times)).toBe(true);
});

/** Late events, equal times, merged users, users without anything, future events, retention. */
function randomTablet(random: SeededRandom): TestTablet {
  const users = Array.from({ length: 12 }, (_, i) => ({ known: i >= 6, id: `user ${i}` }));
  const merges = [0, 1, 2].map((source) => [source, 6 + random.below(3)] as const);
  const event = (): TestEvent => ({
    ordinal: random.below(10),
    event: random.pick(EVENTS),
    timeMs: AT_MS + (random.below(100) - 90) * HOUR_MS + random.below(2),
    properties: randomValues(random),
  });
  const parts = Array.from({ length: 4 }, () => Array.from({ length: random.below(40) }, event));
  const traits = new Map<number, Readonly<Record<string, Value>>>();
  for (let ordinal = 3; ordinal < 12; ordinal++) {
    if (random.chance(0.6)) traits.set(ordinal, randomValues(random));
  }
  const retention = random.chance(0.5) ? { retentionMs: random.below(72) * HOUR_MS } : {};
  return {
    users,
    merges,
    traits,
    parts,
    settings: { timezone: random.pick(ZONES), ...retention },
    saved: SAVED,
  };
}

function randomValues(random: SeededRandom): Record<string, Value> {
  return Object.fromEntries(
    NAMES.filter(() => random.chance(0.6)).map((name) => [name, random.pick(VALUES)]),
  );
}

/** The same users as the language sees them: merged ones are one. */
function oracleUsersOf({ users, merges, traits, parts }: TestTablet): OracleUser[] {
  const target = new Map(merges);
  return users.flatMap(({ id }, ordinal) => {
    if (target.has(ordinal)) return [];
    const events = parts.flat().filter((event) => (target.get(event.ordinal) ?? event.ordinal) === ordinal);
    return [{ id, events, traits: traits!.get(ordinal) ?? {} }];
  });
}

function randomCriterion(random: SeededRandom, depth: number): unknown {
  const inner = (): unknown => randomCriterion(random, depth - 1);
  const kind = depth === 0 ? 3 + random.below(7) : random.below(10);
  if (kind < 2) return { [random.pick(['and', 'or'])]: Array.from({ length: 1 + random.below(3) }, inner) };
  if (kind === 2) return { not: inner() };
  if (kind === 3) return randomLeaf(random);
  if (kind < 6) return { profile: random.pick(NAMES), ...randomTest(random) };
  return {
    event: random.chance(0.7) ? random.pick(EVENTS) : [random.pick(EVENTS), 'Viewed', 'Never Seen'],
    ...(random.chance(0.6)
      ? { where: Array.from({ length: random.below(3) }, () => randomWhere(random)) }
      : {}),
    ...(random.chance(0.6) ? { within: randomWithin(random) } : {}),
    ...(random.chance(0.6) ? { count: randomComparison(random) } : {}),
  };
}

function randomLeaf(random: SeededRandom): unknown {
  return random.pick([
    { all: true },
    { segment: 'buyers' },
    { segment: 'others' },
    { sample: { percent: random.below(101), salt: 'salt' } },
    { event: 'Never Seen', count: { lte: 0 } },
  ]);
}

function randomWhere(random: SeededRandom): unknown {
  const test = (): unknown => ({ prop: random.pick([...NAMES, 'never seen']), ...randomTest(random) });
  return random.chance(0.3) ? { or: Array.from({ length: 1 + random.below(3) }, test) } : test();
}

function randomTest(random: SeededRandom): { op: string; value?: unknown } {
  const some = (): Value[] => Array.from({ length: random.below(4) }, () => random.pick(SCALARS));
  const low = random.pick(SCALARS);
  const high = random.pick(SCALARS.filter((value) => typeof value === typeof low));
  const point = random.pick([...TIMES, '-6h', '-1d']);
  return random.pick([
    ...['exists', 'notExists'].map((op) => ({ op })),
    ...['in', 'notIn'].map((op) => ({ op, value: some() })),
    ...['eq', 'neq', 'contains', 'notContains', 'gt', 'gte', 'lt', 'lte'].map((op) => ({ op, value: low })),
    ...['startsWith', 'endsWith'].map((op) => ({ op, value: random.pick(TEXTS) })),
    ...['before', 'after'].map((op) => ({ op, value: point })),
    ...['withinLast', 'withinNext'].map((op) => ({ op, value: random.pick(DURATIONS) })),
    { op: 'between', value: [low, high] },
  ]);
}

function randomWithin(random: SeededRandom): unknown {
  const point = (): string => random.pick([...TIMES, '-6h', '-2d', '2026-03-07']);
  return random.pick([
    { last: random.pick(DURATIONS) },
    { from: point() },
    { to: point() },
    { from: point(), to: point() },
    { on: random.pick(['2026-03-07', '2026-03-08', '2026-03-09']) },
  ]);
}

function randomComparison(random: SeededRandom): unknown {
  const op = random.pick(['eq', 'neq', 'gt', 'gte', 'lt', 'lte']);
  return random.chance(0.2) ? { between: [random.below(3), random.below(4)] } : { [op]: random.below(4) };
}
