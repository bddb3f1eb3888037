import { beforeAll, expect, test } from 'vitest';
import type { Bitset } from '../base/bitset.ts';
import { initHash } from '../base/hash.ts';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import type { Value } from '../base/value.ts';
import { evaluate, evaluateMany } from './evaluate.ts';
import { parseSegment } from './parse.ts';
import { newStats } from './stats.ts';
import { run, testStore } from './testStore.ts';
import { type TestEvent, testView } from './testView.ts';

const AT_MS = Date.parse('2026-03-08T18:00:00Z');
const EVENTS = ['Viewed', 'Added', 'Ordered', 'Opened'];
const USERS = 40;

beforeAll(initHash);

test.each([
  { rules: 300, seed: 1 },
  { rules: 300, seed: 2 },
  // Few enough of each value for their rows to be listed.
  { rules: 50, seed: 3 },
  { rules: 50, seed: 4 },
])('$rules rules at once are what each is alone, seed $seed', ({ rules, seed }) => {
  const random = new SeededRandom(seed);
  const tablet = {
    users: Array.from({ length: USERS }, (_, i) => ({ known: i >= 10, id: `user ${i}` })),
    merges: [
      [0, 12],
      [1, 30],
      [2, 12],
    ] as const,
    parts: [Array.from({ length: 1500 }, () => randomEvent(random)), [randomEvent(random)]],
  };
  for (const view of [testView(tablet), testStore(tablet)]) {
    const criteria = new Map(
      Array.from({ length: rules }, (_, i) => [`${i}`, parseSegment(randomRule(random))]),
    );
    const times = { atMs: AT_MS, nowMs: AT_MS };
    const stats = newStats();
    const members = new Map<string, Bitset>();
    run(
      evaluateMany(view, criteria, times, stats, (name, found, users) =>
        members.set(name, found.copy().and(users)),
      ),
    );
    let rowsAlone = 0;
    for (const [name, criterion] of criteria) {
      const alone = newStats();
      const expected = run(evaluate(view, criterion, times, alone)).members;
      rowsAlone += alone.rowsScanned;
      expect([...members.get(name)!], JSON.stringify(criterion)).toEqual([...expected]);
    }
    // Those about numbers, or large ones, are still on their own.
    expect(stats.rowsScanned).toBeLessThan(rowsAlone / 2);
  }
});

/** One user has very many; `place` is a column of some events only, `kind` of all. */
function randomEvent(random: SeededRandom): TestEvent {
  const event = random.pick(EVENTS);
  const kind = random.pick<Value>([true, false, 7, ['a', 'b'], ['b', true], ...'abcdefgh']);
  const place = random.pick<Value>([...'abcdefgh', 'x'.repeat(40)]);
  return {
    ordinal: random.chance(0.3) ? 20 : random.below(USERS),
    event,
    timeMs: AT_MS - random.below(30 * 24) * HOUR_MS - random.below(2),
    properties: { kind, ...(event === 'Viewed' || event === 'Added' ? { place } : {}) },
  };
}

function randomRule(random: SeededRandom): unknown {
  const prop = random.pick(random.chance(0.95) ? ['kind', 'place'] : ['unknown']);
  const value = random.pick([...'abcdefghz', true]);
  const test = random.pick([
    ...Array.from({ length: 12 }, () => ({ op: 'eq', value })),
    { op: 'in', value: [value, 'b', 'c'] },
    { op: 'in', value: [value, 7] },
    { op: 'neq', value },
  ]);
  const from = new Date(AT_MS - random.below(30) * DAY_MS).toISOString();
  return {
    event: random.chance(0.9) ? random.pick(EVENTS) : [...EVENTS, 'Never Seen'],
    where: [{ prop, ...test }],
    within: random.pick([{ last: `${1 + random.below(40)}d` }, { from }, { to: from }]),
    count: random.pick([
      ...[{ gte: 1 }, { gte: 2 }, { gte: 5 }, { eq: 0 }, { lt: 3 }, { neq: 2 }, { between: [1, 3] }],
      ...[{ gte: 255 }, { gte: 300 }, { lte: 300 }],
    ]),
  };
}
