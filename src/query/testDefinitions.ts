import { DateTime } from 'luxon';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import type { SeededRandom } from '../base/random.ts';
import type { Scalar, Value } from '../base/value.ts';

const NAMES = ['a', 'b', 'c'];
const PLACES = [
  [52.52, 13.405],
  [52.4, 13.1],
  [48.8566, 2.3522],
  [-41.3, 174.8],
  [-41.3, -178.9],
  [89.9, -120],
] as const;
const DURATIONS = ['0d', '90s', '150m', '6h', '1d', '2d', '1w'];
const PATTERNS = ['^x', 'y$', '.', '^$', '[xy]{2}', 'x|2', '^(?:true|yx)$', '\\d+', '\\bx\\b', '2026-0[37]'];

/** Definitions over the whole language, and values for them to be about, drawn by chance around a moment. */
export class TestDefinitions {
  static readonly events = ['Viewed', 'Added', 'Ordered'];
  /** Saved segments that definitions mention. */
  static readonly saved = {
    buyers: { event: 'Ordered', within: { last: '2d' } },
    others: { not: { or: [{ segment: 'buyers' }, { profile: 'a', op: 'exists' }] } },
    regulars: { and: [{ event: 'Viewed', days: { gte: 2 } }, { segment: 'buyers' }] },
  };
  readonly #random: SeededRandom;
  readonly #times: readonly string[];
  readonly #scalars: readonly Scalar[];
  readonly #arrays: readonly Value[];

  constructor(random: SeededRandom, atMs: number) {
    this.#random = random;
    this.#times = timesAround(atMs);
    this.#scalars = [
      ...[0, 1, 2, 2.5, -3, 0.1],
      ...['', 'x', 'xy', 'yx', '2', 'true', '\u{1f600}', '\uffee', ...this.#times],
      ...[true, false],
    ];
    this.#arrays = [[], ['x', 'y'], [1, 2], [2, 2], ['x', 1, true], [this.#times[0]!, 'x']];
  }

  /** Of an event or a profile. */
  values(): Record<string, Value> {
    const random = this.#random;
    const names = NAMES.filter(() => random.chance(0.6));
    const values = Object.fromEntries(
      names.map((name) => [name, random.pick(random.chance(0.2) ? this.#arrays : this.#scalars)]),
    );
    if (random.chance(0.5)) return values;
    const [lat, lon] = random.pick<readonly [Value, Value]>([...PLACES, [52.52, 'x'], [[48, 52.5], 13.4]]);
    return { ...values, ...(random.chance(0.9) ? { 'a.lat': lat } : {}), 'a.lon': lon };
  }

  criterion(depth: number): unknown {
    const random = this.#random;
    const inner = (): unknown => this.criterion(depth - 1);
    const kind = depth === 0 ? 3 + random.below(11) : random.below(14);
    if (kind < 2) return { [random.pick(['and', 'or'])]: this.#some(1, 3, inner) };
    if (kind === 2) return { not: inner() };
    if (kind === 3) return this.#leaf();
    if (kind < 6) return { profile: random.pick(NAMES), ...this.#test() };
    if (kind < 8) return this.#sequence();
    return { ...this.#filter(), ...this.#measure() };
  }

  /** Counts of events with one of some values of the same property: what is answered in one pass when it is asked at once. */
  rules(count: number): unknown[] {
    const random = this.#random;
    const prop = random.pick(NAMES);
    const values = this.#scalars.filter((value) => typeof value !== 'number');
    const test = () =>
      random.chance(0.8)
        ? { op: 'eq', value: random.pick(values) }
        : { op: 'in', value: this.#some(0, 3, () => random.pick(values)) };
    return Array.from({ length: count }, () => ({
      event: random.chance(0.8) ? random.pick(TestDefinitions.events) : TestDefinitions.events,
      where: [{ prop, ...test() }],
      ...(random.chance(0.6) ? { within: this.#within() } : {}),
      ...(random.chance(0.8) ? { count: this.#comparison() } : {}),
    }));
  }

  #leaf(): unknown {
    return this.#random.pick([
      { all: true },
      ...Object.keys(TestDefinitions.saved).map((segment) => ({ segment })),
      { sample: { percent: this.#random.below(101), salt: 'salt' } },
      { event: 'Never Seen', count: { lte: 0 } },
      { event: 'Never Seen', distinct: { prop: 'a', eq: 0 } },
    ]);
  }

  #filter(): { readonly event: unknown; readonly where?: unknown } {
    const random = this.#random;
    const event = random.pick(TestDefinitions.events);
    return {
      event: random.chance(0.7) ? event : [event, 'Viewed', 'Never Seen'],
      ...(random.chance(0.4) ? { where: this.#some(0, 2, () => this.#where()) } : {}),
    };
  }

  #sequence(): unknown {
    const random = this.#random;
    const duration = () => (random.chance(0.5) ? { within: random.pick(DURATIONS) } : {});
    return {
      sequence: this.#some(1, 4, () => ({ ...this.#filter(), ...duration() })),
      ...(random.chance(0.4) ? { window: random.pick(DURATIONS) } : {}),
      ...(random.chance(0.4) ? { within: this.#within() } : {}),
    };
  }

  #measure(): object {
    const random = this.#random;
    const prop = random.pick([...NAMES, 'never seen']);
    const kind = random.pick([
      ...['count', 'sum', 'avg', 'min', 'max', 'distinct', 'days'],
      ...['first', 'last', 'lastValue', 'mostFrequent', undefined],
    ]);
    if (kind === 'first' || kind === 'last') return { [kind]: this.#within() };
    return { ...(random.chance(0.6) ? { within: this.#within() } : {}), ...this.#measureOf(kind, prop) };
  }

  #measureOf(kind: string | undefined, prop: string): object {
    const scalar = this.#random.pick(this.#scalars);
    switch (kind) {
      case undefined:
        return {};
      case 'count':
      case 'days':
        return { [kind]: this.#comparison() };
      case 'lastValue':
        return { lastValue: { prop, ...this.#test() } };
      case 'mostFrequent':
        return { mostFrequent: { prop, value: scalar } };
      default:
        return { [kind]: { prop, ...this.#comparison() } };
    }
  }

  #where(): unknown {
    const test = () => ({ prop: this.#random.pick([...NAMES, 'never seen']), ...this.#test() });
    return this.#random.chance(0.3) ? { or: this.#some(1, 3, test) } : test();
  }

  #test(): { readonly op: string; readonly value?: unknown } {
    const random = this.#random;
    const low = random.pick(this.#scalars);
    const high = random.pick(this.#scalars.filter((value) => typeof value === typeof low));
    const text = random.pick(this.#scalars.filter((value) => typeof value === 'string'));
    const list = () => this.#some(0, 3, () => random.pick(this.#scalars));
    const [lat, lon] = random.pick(PLACES);
    const duration = random.pick(DURATIONS);
    return random.pick<{ op: string; value?: unknown }>([
      ...['exists', 'notExists'].map((op) => ({ op })),
      ...['in', 'notIn'].map((op) => ({ op, value: list() })),
      ...['eq', 'neq', 'contains', 'notContains', 'gt', 'gte', 'lt', 'lte'].map((op) => ({ op, value: low })),
      ...['startsWith', 'endsWith'].map((op) => ({ op, value: text })),
      ...['before', 'after'].map((op) => ({ op, value: random.pick([...this.#times, '-6h', '-1d']) })),
      ...['withinLast', 'withinNext'].map((op) => ({ op, value: duration })),
      { op: 'between', value: [low, high] },
      { op: 'matches', value: random.pick(PATTERNS) },
      { op: 'anniversary', value: { on: 'today' } },
      { op: 'anniversary', value: { [random.pick(['last', 'next'])]: random.pick([...DURATIONS, '400d']) } },
      { op: 'near', value: { lat, lon, km: random.pick([0, 1, 50, 1000, 30_000]) } },
    ]);
  }

  #within(): unknown {
    const random = this.#random;
    const point = (): string => random.pick([...this.#times, '-6h', '-2d']);
    return random.pick([
      { last: random.pick(DURATIONS) },
      { from: point() },
      { to: point() },
      { from: point(), to: point() },
      { on: random.pick(this.#times).slice(0, 10) },
    ]);
  }

  #comparison(): object {
    const random = this.#random;
    const op = random.pick(['eq', 'neq', 'gt', 'gte', 'lt', 'lte']);
    const n = () => random.pick([0, 1, 1, 2, 3, 2.5, -3]);
    return random.chance(0.2) ? { between: [n(), n()] } : { [op]: n() };
  }

  #some<T>(least: number, most: number, make: () => T): T[] {
    return Array.from({ length: least + this.#random.below(most - least + 1) }, make);
  }
}

/** Texts of times: dates and moments of the days around, with and without an offset, and birthdays. */
function timesAround(atMs: number): readonly string[] {
  const at = DateTime.fromMillis(atMs, { zone: 'utc' });
  const date = (days: number) => at.plus({ days }).toISODate()!;
  return [
    ...[date(-1), date(0), date(1)],
    `${date(0)}T02:30:00`,
    new Date(atMs - HOUR_MS).toISOString(),
    new Date(atMs - 2.5 * DAY_MS).toISOString(),
    `${date(1)}T06:00:00+13:00`,
    `1984-${date(0).slice(5)}`,
    `1951-${date(-2).slice(5)}T23:30:00Z`,
    '2000-02-29',
    '1999-03-01',
  ];
}
