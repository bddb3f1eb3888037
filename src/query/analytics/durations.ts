import { arraysUntilClosed, type MemoryBudget } from '../../base/memoryBudget.ts';
import type { ArraySource } from '../../base/spareArrays.ts';

/** Whole milliseconds, 0 or more, in any order. */
export type Durations = Uint32Array | Float64Array;

const UINT32_END = 2 ** 32;
const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;
/** Looked at between two yields: well under a millisecond of simple work. */
export const DURATIONS_PER_STEP = 1 << 17;
const LIST_START = 256;

/** A list that grows, of durations none of which is longer than `maxMs`. */
export function durationList(maxMs: number, budget?: MemoryBudget): NumberList<Durations> {
  return new NumberList<Durations>(maxMs < UINT32_END ? 'words' : 'numbers', budget);
}

/** A list that grows, of numbers that its array holds. Says to the budget what it takes. */
export class NumberList<T extends Uint32Array | Float64Array> {
  readonly #kind: 'words' | 'numbers';
  readonly #budget: MemoryBudget | undefined;
  readonly #arrays: ArraySource;
  #values: T;
  length = 0;

  constructor(kind: 'words' | 'numbers', budget?: MemoryBudget) {
    this.#kind = kind;
    this.#budget = budget;
    this.#arrays = arraysUntilClosed(budget);
    this.#values = this.#make(LIST_START);
    budget?.charge(this.#values.byteLength);
  }

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow();
    this.#values[this.length++] = value;
  }

  /** A copy that is as long as the list. */
  toArray(): T {
    this.#budget?.charge(this.length * this.#values.BYTES_PER_ELEMENT);
    return this.#values.slice(0, this.length) as T;
  }

  #grow(): void {
    const before = this.#values;
    this.#budget?.charge(2 * before.byteLength);
    this.#values = this.#make(2 * before.length);
    this.#values.set(before);
    this.#arrays.giveBack(before);
    this.#budget?.release(before.byteLength);
  }

  #make(length: number): T {
    return this.#arrays[this.#kind](length) as T;
  }
}

/** The middle one of all lists' durations, or the mean of the middle two; undefined for none. */
export function* medianSteps(lists: readonly Durations[]): Generator<void, number | undefined> {
  const count = lists.reduce((total, { length }) => total + length, 0);
  if (count === 0) return undefined;
  const { value: lower, upTo, next } = yield* selectSteps(lists, (count - 1) >> 1);
  if (count % 2 === 1 || upTo > count / 2) return lower;
  return (lower + (next ?? (yield* leastAboveSteps(lists, lower)))) / 2;
}

/** What is at a place, how many are at most that, and the least of the others, where that was found on the way. */
interface Selected {
  readonly value: number;
  readonly upTo: number;
  readonly next: number | undefined;
}

/**
 * What would be at this place if they were sorted: a digit at a time from the top, of those whose higher digits are the
 * answer's, so that nothing is moved.
 */
function* selectSteps(lists: readonly Durations[], place: number): Generator<void, Selected> {
  const counts = new Uint32Array(DIGITS);
  let unit = lists.every((list) => list instanceof Uint32Array) ? DIGITS : DIGITS ** 3;
  let left = place;
  let prefix = 0;
  let digit = 0;
  for (; unit >= 1; unit /= DIGITS) {
    counts.fill(0);
    for (const list of lists) {
      for (let from = 0; from < list.length; from += DURATIONS_PER_STEP) {
        countDigits(list.subarray(from, from + DURATIONS_PER_STEP), prefix, unit, counts);
        yield;
      }
    }
    digit = 0;
    for (; left >= counts[digit]!; digit++) left -= counts[digit]!;
    prefix = prefix * DIGITS + digit;
  }
  const upTo = place - left + counts[digit]!;
  const above = counts.findIndex((count, other) => other > digit && count > 0);
  return { value: prefix, upTo, next: above === -1 ? undefined : prefix - digit + above };
}

/** counts[d] += those whose digit at `unit` is d and whose higher digits are `prefix`. */
function countDigits(durations: Durations, prefix: number, unit: number, counts: Uint32Array): void {
  const base = prefix * DIGITS;
  if (durations instanceof Uint32Array) {
    countLowDigits(durations, base | 0, unit === 1 ? 0 : DIGIT_BITS, counts);
    return;
  }
  for (let i = 0; i < durations.length; i++) {
    const digit = Math.floor(durations[i]! / unit) - base;
    if (digit >= 0 && digit < DIGITS) counts[digit]!++;
  }
}

/** The same in 32-bit integers, which the engine need not divide. */
function countLowDigits(durations: Uint32Array, base: number, shift: number, counts: Uint32Array): void {
  for (let i = 0; i < durations.length; i++) {
    const digit = ((durations[i]! >>> shift) ^ base) >>> 0;
    if (digit < DIGITS) counts[digit]!++;
  }
}

/** The least that is greater. */
function* leastAboveSteps(lists: readonly Durations[], value: number): Generator<void, number> {
  let least = Infinity;
  for (const list of lists) {
    for (let from = 0; from < list.length; from += DURATIONS_PER_STEP) {
      const end = Math.min(from + DURATIONS_PER_STEP, list.length);
      for (let i = from; i < end; i++) {
        const duration = list[i]!;
        if (duration > value && duration < least) least = duration;
      }
      yield;
    }
  }
  return least;
}
