import { expect, test } from 'vitest';
import { Bitset } from '../../base/bitset.ts';
import { DAY_MS, HOUR_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import { SpareArrays } from '../../base/spareArrays.ts';
import type { Value } from '../../base/value.ts';
import { calendarDaysOf } from '../calendarDays.ts';
import type { Comparison } from '../criterion.ts';
import { NO_VALUE, ValueIds } from '../valueIds.ts';
import { carriedMeasure, carriedNumbers, type UsersOfEvents } from './carried.ts';
import type { EventColumns } from './columns.ts';
import { holdsOfNothing, questionOf, type WalkMeasure } from './measure.ts';

const VALUES: readonly (Value | undefined)[] = [undefined, 0, 1, 2.5, -3, 'x', true, [1]];
const USERS = 70;

test('measures carried from page to page hold where they hold of all events at once', () => {
  let holding = 0;
  for (let seed = 0; seed < 400; seed++) {
    const random = new SeededRandom(seed);
    const values = new ValueIds();
    const events = Array.from({ length: random.below(300) }, () => {
      const value = random.pick(VALUES);
      return {
        user: random.below(USERS),
        timeMs: random.below(random.pick([10, 100])) * HOUR_MS,
        kinds: random.below(8),
        id: value === undefined ? NO_VALUE : values.idOf(value),
        number: typeof value === 'number' ? value : Number.NaN,
      };
    });
    events.sort((a, b) => a.user - b.user || a.timeMs - b.timeMs);
    const measure = randomMeasure(random);
    const kinds = measure.kind === 'sequence' ? [2, 0, 1] : [random.below(3)];
    const span = { fromMs: 0, toMs: random.pick([100 * HOUR_MS, Number.MAX_SAFE_INTEGER]) };
    const carried = carriedMeasure(measure, kinds, values, USERS, new SpareArrays(), span);
    const cuts = [-1, ...Array.from({ length: random.below(4) }, () => random.below(100)), 100];
    cuts.sort((a, b) => a - b);
    for (const [i, cut] of cuts.slice(1).entries()) {
      const era = events.filter(({ timeMs }) => timeMs > cuts[i]! * HOUR_MS && timeMs <= cut * HOUR_MS);
      const { users, columns } = pageOf(era, values);
      carried.add(users, columns);
    }
    const found = new Bitset(USERS);
    carried.findHolding(0, 2, found.words);
    carried.findHolding(2, 3, found.words);
    const { users, columns } = pageOf(events, values);
    const holds = questionOf(measure, kinds, values)(columns);
    const expected = new Set(holdsOfNothing(measure) ? Array.from({ length: USERS }, (_, i) => i) : []);
    for (let user = 0; user < users.userCount; user++) {
      if (holds(users.starts[user]!, users.starts[user + 1]!)) expected.add(users.ordinals[user]!);
      else expected.delete(users.ordinals[user]!);
    }
    expect([...found], `seed ${seed}`).toEqual([...expected].sort((a, b) => a - b));
    holding += expected.size;
  }
  expect(holding).toBeGreaterThan(4000);
});

test('what is kept of a user is little, or a measure is not carried', () => {
  const none = { kind: 'distinct', prop: 'p', compare: { op: 'gte', value: 1 } } as const;
  expect(carriedNumbers(none)).toBe(undefined);
  const NONE = { fromMs: 0, toMs: 0 };
  expect(() => carriedMeasure(none, [0], new ValueIds(), 1, new SpareArrays(), NONE)).toThrow(TypeError);
});

interface Event {
  readonly user: number;
  readonly timeMs: number;
  readonly kinds: number;
  readonly id: number;
  readonly number: number;
}

function pageOf(
  events: readonly Event[],
  values: ValueIds,
): { readonly users: UsersOfEvents; readonly columns: EventColumns } {
  const ordinals = [...new Set(events.map(({ user }) => user))];
  const starts = ordinals.map((ordinal) => events.findIndex(({ user }) => user === ordinal));
  return {
    users: {
      userCount: ordinals.length,
      ordinals: Uint32Array.from(ordinals),
      starts: Uint32Array.from([...starts, events.length]),
    },
    columns: {
      timesMs: Float64Array.from(events, ({ timeMs }) => timeMs),
      kinds: Uint32Array.from(events, ({ kinds }) => kinds),
      numbers: () => Float64Array.from(events, ({ number }) => number),
      valueIds: () => Uint32Array.from(events, ({ id }) => id),
      values,
    },
  };
}

function randomMeasure(random: SeededRandom): WalkMeasure {
  const compare: Comparison = random.chance(0.2)
    ? { op: 'between', low: -1, high: random.below(4) }
    : { op: random.pick(['eq', 'neq', 'gt', 'gte', 'lt', 'lte']), value: random.pick([0, 0.5, 1, 2, 2.5]) };
  switch (random.below(4)) {
    case 0:
      return { kind: 'days', compare, days: calendarDaysOf('Europe/Berlin') };
    case 1: {
      const wanted = random.pick(['x', true, 1]);
      const predicate = { missing: false, test: (value: Value) => value === wanted };
      return { kind: 'lastValue', test: { kind: 'value', prop: 'p', predicate } };
    }
    case 2: {
      const stepKinds = Array.from({ length: 2 + random.below(3) }, () => 1 << random.below(3));
      const withinMs = stepKinds.map(() => random.pick([Infinity, 30 * HOUR_MS]));
      const windowMs = random.pick([Infinity, 2 * DAY_MS]);
      return { kind: 'sequence', sequence: { stepKinds, withinMs, windowMs, fromMs: 0, toMs: 80 * HOUR_MS } };
    }
    default:
      return { kind: random.pick(['sum', 'avg', 'min', 'max']), prop: 'p', compare };
  }
}
