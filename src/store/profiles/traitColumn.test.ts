import { expect, it } from 'vitest';
import { Bitset } from '../../base/bitset.ts';
import { SeededRandom } from '../../base/random.ts';
import { isArray, type Scalar, type Value } from '../../base/value.ts';
import type { ValuePredicate } from '../part.ts';
import { PAGE_SLOTS } from './cellTable.ts';
import { TraitColumn } from './traitColumn.ts';
import { NO_STATE, type TraitState, traitValue } from './traitState.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

/** Kinds of values that columns hold, each in a way of its own. */
const KINDS: Readonly<Record<string, (random: SeededRandom) => Value>> = {
  'a few texts': (random) => `plan-${random.below(7)}`,
  'many texts': (random) => `text ${random.below(5000)}`,
  'unique texts': (random) => `${random.uint32()}@example.com`,
  'long texts': (random) => `é\u{1f600}${'x'.repeat(random.below(400))}${random.uint32()}`,
  booleans: (random) => random.chance(0.5),
  'a few numbers': (random) => random.below(60),
  'whole numbers': (random) => random.uint32() - 2 ** 31,
  'small and large whole numbers': (random) => random.below(1e6) * (random.chance(0.01) ? 1e6 : 1),
  prices: (random) => random.below(1e7) / 100,
  doubles: (random) => (random.fraction() - 0.5) * 10 ** random.below(300),
  arrays: (random) => Array.from({ length: random.below(3) }, () => `tag ${random.below(50)}`),
  'unique arrays': (random) => [`tag ${random.uint32()}`, random.uint32(), random.chance(0.5)],
  moments: (random) => new Date(random.below(2 ** 41)).toISOString(),
  'much like moments': (random) =>
    random.pick([
      `2026-02-30T09:30:00.${100 + random.below(900)}Z`,
      `2026-02-20T09:30:00.${100 + random.below(900)}z`,
      `2026-02-20T09:${10 + random.below(50)}:00.0000`,
      `1969-12-31T23:59:59.${100 + random.below(900)}Z`,
      new Date(random.below(2 ** 41)).toISOString().replace('.', ','),
    ]),
  'what no cell holds': (random) => random.pick<Value>([-0, [-0, 'x'], '\ud800']),
};

const TIMES: Readonly<Record<string, (random: SeededRandom) => number>> = {
  'of a day': (random) => NOW_MS + random.below(DAY_MS),
  'of years': (random) => NOW_MS - random.below(3000) * DAY_MS,
  'of any time': (random) => random.pick([0, 1, NOW_MS, 2 ** 48 - 1, 2 ** 48, 2 ** 52]),
};

it.each(Object.keys(KINDS))('%s: holds what was put, like a map', (kind) => {
  for (const [i, times] of Object.keys(TIMES).entries()) {
    const column = new ColumnAndMap(new SeededRandom(i));
    column.change([kind], times, { rounds: 3000, ordinals: 400 });
    column.change([kind], times, { rounds: 500, ordinals: 3 * PAGE_SLOTS });
    column.expectEqual();
  }
});

it('holds any mixture, sparse, dense and sparse again', () => {
  const random = new SeededRandom(9);
  const column = new ColumnAndMap(random);
  const kinds = Object.keys(KINDS);
  const times = Object.keys(TIMES);
  for (let phase = 0; phase < 12; phase++) {
    const some = [random.pick(kinds), random.pick(kinds)];
    const ordinals = random.pick([50, PAGE_SLOTS, 2 * PAGE_SLOTS + 100]);
    column.change(some, random.pick(times), { rounds: 4000, ordinals });
    if (phase % 4 === 3) column.fill(kinds[phase]!, 0, PAGE_SLOTS);
    if (phase % 4 === 1) column.empty(0, PAGE_SLOTS, phase / 12);
    column.expectEqual();
  }
});

it.each(Object.keys(KINDS))('%s: a child takes over some ordinals, page by page, and goes on', (kind) => {
  const random = new SeededRandom(10);
  for (const share of [0, 0.3, 0.6, 1]) {
    const column = new ColumnAndMap(random);
    column.fill(kind, 0, PAGE_SLOTS + 2000);
    column.change([kind, 'a few texts'], 'of any time', { rounds: 1000, ordinals: 3 * PAGE_SLOTS });
    column.inherit(share);
    column.expectEqual();
    column.change([kind, 'many texts'], 'of years', { rounds: 1000, ordinals: 3 * PAGE_SLOTS });
    column.expectEqual();
  }
});

it('keeps a text that comes and goes in the room it has', () => {
  const column = new TraitColumn();
  let settledBytes = 0;
  for (let round = 0; round < 40; round++) {
    for (let ordinal = 0; ordinal < 2000; ordinal++) {
      column.put(ordinal, stateOf(`${ordinal}-${round}@example.com`, round));
    }
    if (round === 3) settledBytes = column.memoryBytes;
  }
  expect(column.memoryBytes).toBeLessThan(settledBytes * 1.2);
  for (let ordinal = 0; ordinal < 2000; ordinal++) column.delete(ordinal);
  expect(column.memoryBytes).toBeLessThan(settledBytes / 5);
});

it.each<[string, number, (i: number) => Value]>([
  ['a number', 12, (i) => i * 7919],
  ['a price', 12, (i) => (500 + i) / 100],
  ['a text of a few', 10, (i) => `plan-${i % 5}`],
  ['a boolean', 10, (i) => i % 3 === 0],
  ['a time of its own', 16, (i) => new Date(NOW_MS + i * 997).toISOString()],
  ['a text of its own', 22 + 14, (i) => `user-${1_000_000 + i}@mail.com`],
])('%s takes at most %i bytes', (_, bytesMax, make) => {
  const column = new TraitColumn();
  const count = 4 * PAGE_SLOTS;
  for (let i = 0; i < count; i++) column.put(i, stateOf(make(i), NOW_MS - (i % 900) * DAY_MS));
  expect(column.memoryBytes / count).toBeLessThan(bytesMax);
});

const stateOf = (value: Value | null, timeMs: number): TraitState => ({
  ...NO_STATE,
  set: { value, timeMs },
});

/** A column, and a map that has had the same changes. */
class ColumnAndMap {
  readonly #random: SeededRandom;
  #column = new TraitColumn();
  readonly #states = new Map<number, TraitState>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  change(
    kinds: readonly string[],
    times: string,
    { rounds, ordinals }: { readonly rounds: number; readonly ordinals: number },
  ): void {
    for (let i = 0; i < rounds; i++) {
      const ordinal = this.#random.below(ordinals);
      if (this.#random.chance(0.1)) this.#delete(ordinal);
      else this.#put(ordinal, this.#state(this.#random.pick(kinds), times));
    }
  }

  fill(kind: string, from: number, to: number): void {
    for (let ordinal = from; ordinal < to; ordinal++) this.#put(ordinal, this.#state(kind, 'of years'));
  }

  empty(from: number, to: number, share: number): void {
    for (let ordinal = from; ordinal < to; ordinal++) if (this.#random.chance(share)) this.#delete(ordinal);
  }

  /** Goes on with a column that has taken over such a share of the ordinals. */
  inherit(share: number): void {
    const here = new Bitset(2 * PAGE_SLOTS + 100);
    for (let ordinal = 0; ordinal < here.size; ordinal++) if (this.#random.chance(share)) here.add(ordinal);
    for (const ordinal of this.#states.keys()) {
      if (ordinal >= here.size || !here.has(ordinal)) this.#states.delete(ordinal);
    }
    const child = new TraitColumn();
    for (const _ of child.inherit(this.#column, here));
    expect(child.memoryBytes).toBeLessThanOrEqual(this.#column.memoryBytes + 1000);
    this.#column = child;
  }

  expectEqual(): void {
    const visited: number[] = [];
    this.#column.forEach((ordinal) => {
      visited.push(ordinal);
    });
    expect(visited).toEqual([...this.#states.keys()].sort((a, b) => a - b));
    for (const [ordinal, state] of this.#states) {
      if (!same(this.#column.state(ordinal), state)) expect(this.#column.state(ordinal)).toEqual(state);
      const value = traitValue(state);
      if (!same(this.#column.value(ordinal), value)) expect(this.#column.value(ordinal)).toEqual(value);
    }
    expect(this.#column.state(1e6)).toEqual(NO_STATE);
    for (const predicate of this.#predicates()) this.#expectSelected(predicate);
  }

  #expectSelected(predicate: ValuePredicate): void {
    const size = this.#random.pick([1, 100, PAGE_SLOTS, 3 * PAGE_SLOTS + 5]);
    const steps = this.#column.selectSteps(predicate, size);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    const expected: number[] = [];
    for (let ordinal = 0; ordinal < size; ordinal++) {
      const state = this.#states.get(ordinal);
      const value = state && traitValue(state);
      if (value === undefined ? predicate.missing : predicate.test(value)) expected.push(ordinal);
    }
    expect([...step.value]).toEqual(expected);
  }

  /** Of any kind, about values that are there. */
  #predicates(): readonly ValuePredicate[] {
    const values = [...this.#states.values()].map(traitValue).filter((value) => value !== undefined);
    const scalars = values.flatMap((value): readonly Scalar[] => (isArray(value) ? value : [value]));
    if (scalars.length === 0) return [];
    const some = (count: number) => Array.from({ length: count }, () => this.#random.pick(scalars));
    const [middle] = some(1);
    return [
      ...[some(1), some(3), some(20)].map(equalTo),
      { missing: false, test: (value) => !isArray(value) && value <= middle! },
      ...this.#ranges(scalars),
      ...this.#spans(scalars),
      { missing: false, test: () => true, any: true },
      { missing: true, test: (value) => String(value).includes('1') },
    ];
  }

  #spans(scalars: readonly Scalar[]): readonly ValuePredicate[] {
    const times = scalars.map(timeOf).filter((timeMs) => timeMs !== undefined);
    if (times.length === 0) return [];
    const [a, b] = [this.#random.pick(times), this.#random.pick(times)];
    const spans = [
      { fromMs: Math.min(a, b), toMs: Math.max(a, b) },
      { fromMs: a, toMs: Number.POSITIVE_INFINITY },
      { fromMs: Number.NEGATIVE_INFINITY, toMs: b },
    ];
    const isIn =
      ({ fromMs, toMs }: (typeof spans)[0]) =>
      (value: Scalar) => {
        const timeMs = timeOf(value);
        return timeMs !== undefined && timeMs >= fromMs && timeMs < toMs;
      };
    return spans.map((span) => ({
      missing: false,
      test: (value) => (isArray(value) ? value.some(isIn(span)) : isIn(span)(value)),
      span,
    }));
  }

  #ranges(scalars: readonly Scalar[]): readonly ValuePredicate[] {
    const numbers = scalars.filter((scalar) => typeof scalar === 'number');
    if (numbers.length === 0) return [];
    const [a, b] = [this.#random.pick(numbers), this.#random.pick(numbers)];
    const ranges = [
      { from: Math.min(a, b), to: Math.max(a, b) },
      { from: a + 0.001, to: Number.POSITIVE_INFINITY },
      { from: Number.NEGATIVE_INFINITY, to: b - 0.001 },
    ];
    return ranges.map((range) => ({
      missing: false,
      test: (value) => typeof value === 'number' && value >= range.from && value < range.to,
      range,
    }));
  }

  #state(kind: string, times: string): TraitState {
    const random = this.#random;
    const timeMs = TIMES[times]!(random);
    const value = KINDS[kind]!(random);
    if (random.chance(0.05)) return { ...NO_STATE, once: { value, timeMs } };
    if (random.chance(0.02)) return { ...stateOf(1, timeMs), increments: [{ value: 2, timeMs }] };
    return stateOf(random.chance(0.05) ? null : value, timeMs);
  }

  #put(ordinal: number, state: TraitState): void {
    this.#column.put(ordinal, state);
    this.#states.set(ordinal, state);
  }

  #delete(ordinal: number): void {
    this.#column.delete(ordinal);
    this.#states.delete(ordinal);
  }
}

/** Some texts that are times in the eyes of the language are none here. */
function timeOf(value: Scalar): number | undefined {
  const timeMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function equalTo(scalars: readonly Scalar[]): ValuePredicate {
  const test = (value: Value) =>
    isArray(value) ? value.some((element) => scalars.includes(element)) : scalars.includes(value);
  return { missing: false, test, equalTo: scalars };
}

/** To the bit: 0 is not -0. Quicker than `toEqual`, which is for what differs. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}
