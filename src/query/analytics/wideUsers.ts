import type { MemoryBudget } from '../../base/memoryBudget.ts';
import type { EventPage } from '../eventPage.ts';
import { NO_KEY_INDEX } from './wideKeys.ts';

/** Users who had several keys in one interval. */
export interface KeySets {
  readonly intervals: Uint32Array;
  readonly users: Float64Array;
  /** Set i has the keys [starts[i], starts[i + 1]) of these. */
  readonly keys: Uint32Array;
  readonly starts: Uint32Array;
}

/**
 * Different users of each key and interval, and what is needed to count those of any set of keys: how many had that one
 * key alone, and of all others which keys they had. `(none)` is no key in this. Cells are key · intervals + interval.
 */
export class WideUsers {
  /** Of each cell, users without another key in the interval; `(none)` counts as one here. */
  #alone = new Uint32Array(0);
  /** The others. */
  #shared = new Uint32Array(0);
  readonly #intervalCount: number;
  readonly #budget: MemoryBudget | undefined;
  /** By interval and keys. */
  readonly #sets = new Map<
    number | string,
    { readonly interval: number; readonly keys: number[]; users: number }
  >();
  /** Of one user. */
  readonly #keys: number[] = [];
  /** Where in the page a user has several keys in one interval: from, to. */
  #several = new Uint32Array(0);

  constructor(intervalCount: number, budget: MemoryBudget | undefined) {
    this.#intervalCount = intervalCount;
    this.#budget = budget;
  }

  get setCount(): number {
    return this.#sets.size;
  }

  /** `keys` are below `keyEnd`. A user's events are in order of time, so those of an interval lie together. */
  add(page: EventPage, bit: number, intervals: Int32Array, keys: Int32Array, keyEnd: number): void {
    this.reserve(keyEnd * this.#intervalCount);
    if (this.#several.length < 2 * page.eventCount) this.#several = new Uint32Array(2 * page.eventCount);
    const { starts, kinds, userCount } = page;
    const several = this.#several;
    const count = this.#intervalCount;
    const end = countUsers(starts, userCount, kinds, bit, intervals, keys, count, this.#alone, several);
    for (let i = 0; i < end; i += 2)
      this.#addSeveral(page, bit, intervals, keys, several[i]!, several[i + 1]!);
  }

  /** So many more users of a key, who have no other one, in an interval. */
  addAlone(key: number, interval: number, users: number): void {
    this.reserve((key + 1) * this.#intervalCount);
    this.#alone[key * this.#intervalCount + interval]! += users;
  }

  /** A user with these keys, ascending, in an interval. What is in the list afterwards may be anything. */
  addUser(interval: number, sorted: number[]): void {
    const count = this.#intervalCount;
    this.reserve((sorted.at(-1)! + 1) * count);
    if (sorted.length > 1 && sorted[0] === NO_KEY_INDEX) {
      this.#shared[NO_KEY_INDEX * count + interval]!++;
      sorted.shift();
    }
    if (sorted.length === 1) {
      this.#alone[sorted[0]! * count + interval]!++;
      return;
    }
    for (let i = 0; i < sorted.length; i++) this.#shared[sorted[i]! * count + interval]!++;
    const name = nameOf(interval, sorted, count);
    const set = this.#sets.get(name);
    if (set === undefined) this.#sets.set(name, { interval, keys: sorted.slice(), users: 1 });
    else set.users++;
  }

  /** Makes room for so many cells. */
  reserve(cellCount: number): void {
    if (cellCount <= this.#alone.length) return;
    const size = Math.max(cellCount, 2 * this.#alone.length);
    // Here half of it, and in the part.
    this.#budget?.charge((size - this.#alone.length) * 4 * Float64Array.BYTES_PER_ELEMENT);
    const [alone, shared] = [new Uint32Array(size), new Uint32Array(size)];
    alone.set(this.#alone);
    shared.set(this.#shared);
    this.#alone = alone;
    this.#shared = shared;
  }

  /** The first interval that has any. */
  firstInterval(): number {
    let first = this.#intervalCount;
    for (let cell = 0; cell < this.#alone.length; cell++) {
      if (this.#alone[cell]! + this.#shared[cell]! > 0) first = Math.min(first, cell % this.#intervalCount);
    }
    return first;
  }

  /** Different users of each cell. */
  all(): Float64Array {
    return Float64Array.from(this.#alone, (users, cell) => users + this.#shared[cell]!);
  }

  /** Those of them who have no other key in the interval. */
  alone(): Float64Array {
    return Float64Array.from(this.#alone);
  }

  sets(): KeySets {
    const sets = [...this.#sets.values()];
    const starts = new Uint32Array(sets.length + 1);
    for (const [i, { keys }] of sets.entries()) starts[i + 1] = starts[i]! + keys.length;
    return {
      intervals: Uint32Array.from(sets, ({ interval }) => interval),
      users: Float64Array.from(sets, ({ users }) => users),
      keys: Uint32Array.from(sets.flatMap(({ keys }) => keys)),
      starts,
    };
  }

  #addSeveral(
    { kinds }: EventPage,
    bit: number,
    intervals: Int32Array,
    keys: Int32Array,
    from: number,
    to: number,
  ): void {
    const sorted = this.#keys;
    sorted.length = 0;
    for (let i = from; i < to; i++) if ((kinds[i]! & bit) !== 0) addSorted(keys[i]!, sorted);
    this.addUser(intervals[from]!, sorted);
  }
}

/** Sets of so few keys, in so many intervals, have numbers that are small, and negative: they are found soonest. */
const KEYS_MASKED_MAX = 16;
const INTERVALS_MASKED_MAX = 1 << 13;
/** A pair of smaller ones has a number of its own, which is exact. */
const KEYS_PAIRED_MAX = 1 << 16;

/** Of several keys, ascending, in an interval. */
function nameOf(interval: number, sorted: readonly number[], intervalCount: number): number | string {
  const high = sorted[sorted.length - 1]!;
  if (high < KEYS_MASKED_MAX && interval < INTERVALS_MASKED_MAX) {
    let mask = 0;
    for (let i = 0; i < sorted.length; i++) mask |= 1 << sorted[i]!;
    return ~((interval << KEYS_MASKED_MAX) | mask);
  }
  if (sorted.length > 2 || high >= KEYS_PAIRED_MAX) return `${interval} ${sorted}`;
  return (sorted[0]! * intervalCount + interval) * KEYS_PAIRED_MAX + high;
}

/** Adds a key to those that are there, ascending, unless it is. Mostly they are few. */
export function addSorted(key: number, sorted: number[]): void {
  if (sorted.includes(key)) return;
  let at = sorted.length;
  sorted.push(key);
  for (; at > 0 && sorted[at - 1]! > key; at--) sorted[at] = sorted[at - 1]!;
  sorted[at] = key;
}

/** Counts those with one key in an interval; lists the others, two entries each, and returns how many entries. */
function countUsers(
  starts: Uint32Array,
  userCount: number,
  kinds: Uint32Array,
  bit: number,
  intervals: Int32Array,
  keys: Int32Array,
  intervalCount: number,
  alone: Uint32Array,
  several: Uint32Array,
): number {
  let listed = 0;
  for (let u = 0; u < userCount; u++) {
    const end = starts[u + 1]!;
    for (let i = starts[u]!; i < end; ) {
      if ((kinds[i]! & bit) === 0) {
        i++;
        continue;
      }
      const from = i;
      const interval = intervals[i]!;
      const key = keys[i]!;
      let others = 0;
      for (i++; i < end; i++) {
        if ((kinds[i]! & bit) === 0) continue;
        if (intervals[i]! !== interval) break;
        others |= keys[i]! ^ key;
      }
      if (others !== 0) {
        several[listed++] = from;
        several[listed++] = i;
        continue;
      }
      alone[key * intervalCount + interval]!++;
    }
  }
  return listed;
}
