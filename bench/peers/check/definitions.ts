import { DAY_MS } from '../../../src/base/limits.ts';
import type { SeededRandom } from '../../../src/base/random.ts';
import type { Scalar, Value } from '../../../src/base/value.ts';
import type { Comparison, Within } from '../../../src/client/types.ts';
import type { OracleEvent } from '../../../src/query/oracle.ts';
import type { NaiveFile } from '../../naive.ts';
import type { Criterion, EventCriterion, Filter, PropertyTest, Test } from './definition.ts';

/** Values of a name that are remembered, from all over the file. */
const SAMPLES = 40;
const DURATIONS = ['12h', '2w', '60d', '60d', '400d'];
const STEP_DURATIONS = ['10m', '1h', '1d'];
/** So that sums and means that are added up in another order are on the same side of it. */
const OFF_BOUNDARY = 0.000_317;

interface Named {
  readonly name: string;
  readonly values: readonly Scalar[];
}

interface NamedEvent {
  readonly name: string;
  readonly properties: readonly Named[];
}

/** Definitions that a file's own names, values and times occur in, drawn by chance. */
export class FileDefinitions {
  readonly #random: SeededRandom;
  readonly #events: readonly NamedEvent[];
  readonly #traits: readonly Named[];
  readonly #fromMs: number;
  readonly #toMs: number;

  constructor(file: NaiveFile, random: SeededRandom) {
    this.#random = random;
    const byName = new Map<string, Readonly<Record<string, Value>>[]>();
    for (const { event, properties } of file.events) {
      const all = byName.get(event);
      if (all === undefined) byName.set(event, [properties]);
      else all.push(properties);
    }
    this.#events = [...byName].map(([name, all]) => ({ name, properties: namedOf(all) }));
    this.#traits = namedOf(file.users.map(({ traits }) => traits));
    const times = file.events.map(({ timeMs }: OracleEvent) => timeMs);
    this.#fromMs = times.reduce((least, timeMs) => Math.min(least, timeMs));
    this.#toMs = times.reduce((most, timeMs) => Math.max(most, timeMs));
  }

  /** When it is asked: mostly at the end. */
  atMs(): number {
    return this.#random.chance(0.6) ? this.#toMs : this.#time();
  }

  criterion(depth = 2): Criterion {
    const random = this.#random;
    const kind = random.below(depth === 0 ? 7 : 10);
    const inner = () => this.criterion(depth - 1);
    if (kind === 0 && this.#traits.length > 0) return this.#profile();
    if (kind === 1) return this.#sequence();
    if (kind < 7) return this.#event();
    if (kind === 7) return { not: inner() };
    const several = Array.from({ length: 2 + random.below(2) }, inner);
    return kind === 8 ? { and: several } : { or: several };
  }

  #profile(): Criterion {
    const { name, values } = this.#random.pick(this.#traits);
    return { profile: name, ...this.#test(values) };
  }

  #sequence(): Criterion {
    const random = this.#random;
    const length = this.#events.length >= 3 && random.chance(0.4) ? 3 : 2;
    const events = length === 3 ? this.#differentEvents(3) : [this.#pickEvent(), this.#pickEvent()];
    const sequence = events.map((event) => ({
      ...this.#filter([event]),
      within: random.pick(STEP_DURATIONS),
    }));
    return { sequence, ...(random.chance(0.5) && { within: this.#within() }) };
  }

  #event(): EventCriterion {
    const random = this.#random;
    const events = random.chance(0.7) ? [this.#pickEvent()] : this.#differentEvents(1 + random.below(3));
    const filter = this.#filter(events);
    const kind = random.below(12);
    if (kind === 0) return { ...filter, first: this.#within() };
    if (kind === 1) return { ...filter, last: this.#within() };
    const within = random.chance(0.6) ? { within: this.#within() } : {};
    return { ...filter, ...within, ...this.#measure(kind, events[0]!.properties) };
  }

  #measure(kind: number, properties: readonly Named[]): Partial<EventCriterion> {
    const random = this.#random;
    if (kind < 5 || properties.length === 0) return random.chance(0.3) ? {} : { count: this.#counted(8) };
    if (kind === 5) return { days: this.#counted(5) };
    const { name: prop, values } = random.pick(properties);
    const numbers = values.filter((value) => typeof value === 'number');
    if (kind === 6) return { distinct: { prop, ...this.#counted(4) } };
    if (kind === 7) return { lastValue: { prop, ...this.#test(values) } };
    if (kind === 8) return { mostFrequent: { prop, value: random.pick(values) } };
    if (numbers.length === 0) return { count: this.#counted(3) };
    const number = random.pick(numbers);
    if (kind === 9) return { sum: { prop, gte: number * (1 + random.below(20)) + OFF_BOUNDARY } };
    if (kind === 10) return { avg: { prop, lt: number + OFF_BOUNDARY } };
    return random.chance(0.5) ? { min: { prop, lte: number } } : { max: { prop, gt: number } };
  }

  #filter(events: readonly NamedEvent[]): Filter {
    const random = this.#random;
    const { properties } = random.pick(events);
    const event = events.map(({ name }) => name);
    if (properties.length === 0 || random.chance(0.4)) return { event };
    return {
      event,
      where: Array.from({ length: random.chance(0.8) ? 1 : 2 }, () => this.#where(properties)),
    };
  }

  #where(properties: readonly Named[]): PropertyTest {
    const { name, values } = this.#random.pick(properties);
    return { prop: name, ...this.#test(values) };
  }

  #test(values: readonly Scalar[]): Test {
    const random = this.#random;
    const value = random.pick(values);
    const texts = values.filter((each) => typeof each === 'string');
    const part = (text: string) => {
      const points = [...text];
      const from = random.below(points.length + 1);
      return points.slice(from, from + 1 + random.below(3)).join('');
    };
    const kind = random.below(texts.length > 0 ? 14 : 9);
    if (kind === 0) return { op: random.pick(['exists', 'notExists']) };
    if (kind === 1)
      return { op: random.pick(['in', 'notIn']), value: [value, random.pick(values), random.pick(values)] };
    if (kind < 4) return { op: random.pick(['eq', 'eq', 'neq']), value };
    if (kind === 4) return { op: random.pick(['contains', 'notContains']), value };
    if (kind < 9 && typeof value !== 'boolean') {
      const other = random.pick(values.filter((each) => typeof each === typeof value)) as typeof value;
      if (kind < 8) return { op: random.pick(['gt', 'gte', 'lt', 'lte']), value };
      return { op: 'between', value: value < other ? [value, other] : [other, value] };
    }
    if (texts.length === 0) return { op: 'eq', value };
    const text = random.pick(texts);
    if (kind < 11) return { op: random.pick(['contains', 'notContains']), value: part(text) };
    if (kind === 11) return { op: 'startsWith', value: text.slice(0, 1 + random.below(3)) };
    if (kind === 12) return { op: 'endsWith', value: text.slice(-1 - random.below(3)) };
    return {
      op: 'matches',
      value: random.pick(['^[A-M]', '[0-9]{2}', 'e.*e', '(?i)the', '^\\W', '[aeiou]$']),
    };
  }

  #within(): Within {
    const random = this.#random;
    const kind = random.below(8);
    if (kind < 4) return { last: random.pick(DURATIONS) };
    if (kind === 4) return { on: this.#timeText().slice(0, 10) };
    const [from, to] = [this.#timeText(), this.#timeText()].sort() as [string, string];
    return kind < 7 ? { from, to } : random.pick<Within>([{ from }, { to }]);
  }

  #counted(most: number): Comparison {
    const random = this.#random;
    const number = random.below(most);
    const op = random.pick(['eq', 'neq', 'gt', 'gte', 'gte', 'gte', 'lt', 'lte', 'between'] as const);
    return op === 'between' ? { between: [number, number + random.below(most)] } : { [op]: number };
  }

  #pickEvent(): NamedEvent {
    return this.#random.pick(this.#events);
  }

  #differentEvents(count: number): NamedEvent[] {
    const events = new Set<NamedEvent>();
    while (events.size < Math.min(count, this.#events.length)) events.add(this.#pickEvent());
    return [...events];
  }

  #time(): number {
    return (
      this.#fromMs +
      this.#random.below(Math.ceil((this.#toMs - this.#fromMs) / DAY_MS)) * DAY_MS +
      this.#random.below(DAY_MS)
    );
  }

  #timeText(): string {
    return new Date(this.#time()).toISOString();
  }
}

/** Names with some of their values, elements of arrays among them. Not those that a path in JSON cannot name. */
function namedOf(records: readonly Readonly<Record<string, Value>>[]): Named[] {
  const values = new Map<string, Scalar[]>();
  const seen = new Map<string, number>();
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) {
      const count = seen.get(name) ?? 0;
      seen.set(name, count + 1);
      const list = values.get(name) ?? [];
      values.set(name, list);
      // Ever more seldom, so that they are from all over.
      if (list.length >= SAMPLES || count < list.length ** 3) continue;
      list.push(...(Array.isArray(value) ? (value as readonly Scalar[]) : [value as Scalar]).slice(0, 3));
    }
  }
  return [...values]
    .filter(([name, list]) => !name.includes('"') && list.length > 0 && !list.some(isJsonText))
    .map(([name, list]) => ({ name, values: list }));
}

/** An array of objects is kept as its text, which SQL does not see. */
function isJsonText(value: Scalar): boolean {
  return typeof value === 'string' && /^\[.*\]$/.test(value);
}
