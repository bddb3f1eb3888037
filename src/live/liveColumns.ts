import { LIVE_KEPT_BYTES_MAX } from '../base/limits.ts';
import { firstFrom } from '../base/search.ts';
import type { EventColumns } from '../query/measures/columns.ts';
import { NO_VALUE, ValueIds } from '../query/valueIds.ts';
import type { LiveEvent } from './condition.ts';

const EVENTS_AT_FIRST = 4;
/** Of the objects of one user's matches, of what gives values ids, and of each value there. */
const USER_BYTES = 900;
const VALUES_BYTES = 400;
const VALUE_BYTES = 60;
/** Of those who keep no values. */
const NO_VALUES = new ValueIds();

/** Of which properties a user's matches have the numbers, and of which the values. */
export interface LiveProps {
  readonly numbers: readonly string[];
  readonly values: readonly string[];
}

/** One user's matches in trail order, as columns that one more match can be added to. */
export class LiveColumns implements EventColumns {
  readonly values: ValueIds;
  timesMs = new Float64Array(EVENTS_AT_FIRST);
  kinds = new Uint32Array(EVENTS_AT_FIRST);
  count = 0;
  readonly #props: LiveProps;
  /** In the order of the properties. */
  readonly #numbers: Float64Array[];
  readonly #ids: Uint32Array[];

  constructor(props: LiveProps) {
    this.#props = props;
    this.#numbers = props.numbers.map(() => new Float64Array(EVENTS_AT_FIRST));
    this.#ids = props.values.map(() => new Uint32Array(EVENTS_AT_FIRST));
    this.values = props.values.length === 0 ? NO_VALUES : new ValueIds();
  }

  /** As measured, but for what columns have room for and do not hold. */
  get memoryBytes(): number {
    const { numbers, values } = this.#props;
    const ofValues = values.length === 0 ? 0 : VALUES_BYTES + VALUE_BYTES * this.values.end;
    return USER_BYTES + ofValues + this.count * (8 + 4 + 8 * numbers.length + 4 * values.length);
  }

  numbers(prop: string): Float64Array {
    return this.#numbers[this.#props.numbers.indexOf(prop)]!;
  }

  valueIds(prop: string): Uint32Array {
    return this.#ids[this.#props.values.indexOf(prop)]!;
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
    if (place < this.count) this.#shiftFrom(place);
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

  #shiftFrom(place: number): void {
    for (const column of [this.timesMs, this.kinds, ...this.#numbers, ...this.#ids]) {
      column.copyWithin(place + 1, place, this.count);
    }
  }

  #set(place: number, { timeMs, property }: Omit<LiveEvent, 'event'>, kinds: number): void {
    this.timesMs[place] = timeMs;
    this.kinds[place] = kinds;
    for (const [i, prop] of this.#props.numbers.entries()) {
      const value = property(prop);
      this.#numbers[i]![place] = typeof value === 'number' ? value : Number.NaN;
    }
    for (const [i, prop] of this.#props.values.entries()) {
      const value = property(prop);
      this.#ids[i]![place] = value === undefined ? NO_VALUE : this.values.idOf(value);
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
    for (const [i, column] of this.#numbers.entries())
      this.#numbers[i] = longer(column, new Float64Array(size));
    for (const [i, column] of this.#ids.entries()) this.#ids[i] = longer(column, new Uint32Array(size));
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
let keptBytes = 0;

/** The columns of users who were asked about lately, as many as the thread has room for. */
export class LiveColumnsCache {
  readonly #kept = new Map<number, Kept>();

  get memoryBytes(): number {
    let bytes = 0;
    for (const { columns } of this.#kept.values()) bytes += columns.memoryBytes;
    return bytes;
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
    keptBytes += columns.memoryBytes;
    makeRoom();
  }

  /** One more match of a user whose columns are here. */
  insert(columns: LiveColumns, event: LiveEvent, kinds: number): void {
    const before = columns.memoryBytes;
    columns.insert(event, kinds);
    keptBytes += columns.memoryBytes - before;
    makeRoom();
  }

  delete(ordinal: number): void {
    const found = this.#kept.get(ordinal);
    if (found === undefined) return;
    this.#kept.delete(ordinal);
    kept.delete(found);
    keptBytes -= found.columns.memoryBytes;
  }
}

function makeRoom(): void {
  for (const oldest of kept) {
    if (keptBytes <= LIVE_KEPT_BYTES_MAX) return;
    if (oldest.isUsed) {
      oldest.isUsed = false;
      kept.delete(oldest);
      kept.add(oldest);
    } else oldest.owner.delete(oldest.ordinal);
  }
}
