import { LIVE_EVENTS_KEPT_MAX } from '../base/limits.ts';
import { firstFrom } from '../base/search.ts';
import type { EventColumns } from '../query/measures/columns.ts';
import { NO_VALUE, ValueIds } from '../query/valueIds.ts';
import type { LiveEvent } from './condition.ts';

const EVENTS_AT_FIRST = 4;
/** What is kept of a user takes as much as so many matches before there are any. */
const EVENTS_OF_USER = 48;

/** One user's matches in trail order, as columns that one more match can be added to. */
export class LiveColumns implements EventColumns {
  readonly values = new ValueIds();
  timesMs = new Float64Array(EVENTS_AT_FIRST);
  kinds = new Uint32Array(EVENTS_AT_FIRST);
  count = 0;
  readonly #numbers: Map<string, Float64Array>;
  readonly #ids: Map<string, Uint32Array>;

  /** Of each property of `numbers` it keeps the numbers, of each of `values` the values. */
  constructor(props: { readonly numbers: readonly string[]; readonly values: readonly string[] }) {
    this.#numbers = new Map(props.numbers.map((prop) => [prop, new Float64Array(EVENTS_AT_FIRST)]));
    this.#ids = new Map(props.values.map((prop) => [prop, new Uint32Array(EVENTS_AT_FIRST)]));
  }

  numbers(prop: string): Float64Array {
    return this.#numbers.get(prop)!;
  }

  valueIds(prop: string): Uint32Array {
    return this.#ids.get(prop)!;
  }

  /** The first event at or after this time. */
  placeOf(timeMs: number): number {
    return firstFrom(this.timesMs, 0, this.count, timeMs);
  }

  /** Behind others of its time: it arrived later. */
  insert({ timeMs, property }: LiveEvent, kinds: number): void {
    let place = this.placeOf(timeMs);
    while (place < this.count && this.timesMs[place] === timeMs) place++;
    if (this.count === this.timesMs.length) this.#grow();
    this.timesMs.copyWithin(place + 1, place, this.count);
    this.kinds.copyWithin(place + 1, place, this.count);
    for (const column of [...this.#numbers.values(), ...this.#ids.values()]) {
      column.copyWithin(place + 1, place, this.count);
    }
    this.#set(place, { timeMs, property }, kinds);
    this.count++;
  }

  /** Whether one of its matches has that time. */
  has(timeMs: number): boolean {
    const place = this.placeOf(timeMs);
    return place < this.count && this.timesMs[place] === timeMs;
  }

  /** Behind all others. */
  append(event: Omit<LiveEvent, 'event'>, kinds: number): void {
    if (this.count === this.timesMs.length) this.#grow();
    this.#set(this.count, event, kinds);
    this.count++;
  }

  #set(place: number, { timeMs, property }: Omit<LiveEvent, 'event'>, kinds: number): void {
    this.timesMs[place] = timeMs;
    this.kinds[place] = kinds;
    for (const [prop, column] of this.#numbers) {
      const value = property(prop);
      column[place] = typeof value === 'number' ? value : Number.NaN;
    }
    for (const [prop, column] of this.#ids) {
      const value = property(prop);
      column[place] = value === undefined ? NO_VALUE : this.values.idOf(value);
    }
  }

  #grow(): void {
    const size = 2 * this.timesMs.length;
    const longer = <T extends Float64Array | Uint32Array>(source: T, target: T): T => {
      target.set(source);
      return target;
    };
    this.timesMs = longer(this.timesMs, new Float64Array(size));
    this.kinds = longer(this.kinds, new Uint32Array(size));
    for (const [prop, column] of this.#numbers)
      this.#numbers.set(prop, longer(column, new Float64Array(size)));
    for (const [prop, column] of this.#ids) this.#ids.set(prop, longer(column, new Uint32Array(size)));
  }
}

interface Kept {
  readonly owner: LiveColumnsCache;
  readonly ordinal: number;
  readonly columns: LiveColumns;
  /** Since its turn to go came last. */
  isUsed: boolean;
}

/** Of all caches of the thread, in the order in which their turn to go comes: who was used meanwhile gets another. */
const kept = new Set<Kept>();
let keptEvents = 0;

/** The columns of users who were asked about lately, as many as the thread has room for. */
export class LiveColumnsCache {
  readonly #kept = new Map<number, Kept>();

  /** Matches that would take as much memory. */
  get size(): number {
    let size = 0;
    for (const { columns } of this.#kept.values()) size += EVENTS_OF_USER + columns.count;
    return size;
  }

  get(ordinal: number): LiveColumns | undefined {
    const found = this.#kept.get(ordinal);
    if (found === undefined) return undefined;
    found.isUsed = true;
    return found.columns;
  }

  put(ordinal: number, columns: LiveColumns): void {
    this.delete(ordinal);
    const added = { owner: this, ordinal, columns, isUsed: false };
    this.#kept.set(ordinal, added);
    kept.add(added);
    this.grew(EVENTS_OF_USER + columns.count);
  }

  /** Columns that are kept have so many events more. */
  grew(events: number): void {
    keptEvents += events;
    for (const oldest of kept) {
      if (keptEvents <= LIVE_EVENTS_KEPT_MAX) return;
      if (oldest.isUsed) {
        oldest.isUsed = false;
        kept.delete(oldest);
        kept.add(oldest);
      } else oldest.owner.delete(oldest.ordinal);
    }
  }

  delete(ordinal: number): void {
    const found = this.#kept.get(ordinal);
    if (found === undefined) return;
    this.#kept.delete(ordinal);
    kept.delete(found);
    keptEvents -= EVENTS_OF_USER + found.columns.count;
  }
}
