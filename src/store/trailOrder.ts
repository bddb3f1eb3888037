import { type ArraySource, ordinaryArrays } from '../base/spareArrays.ts';
import { kernels } from '../encoding/kernels/chosen.ts';
import { SORTED_BITS_MAX } from '../encoding/kernels/kernels.ts';

/** Up to so many rows are sorted by insertion. */
const INSERTION_ROWS = 32;

export interface TrailOrder {
  readonly order: Uint32Array;
  /** Of these rows. */
  readonly ordinals: Uint32Array;
  readonly times: Float64Array;
}

/**
 * The rows by ordinal, then time; equal ones stay in their order. By ordinal in passes of a stable counting sort, one a
 * digit, each about a millisecond for a head's rows. Rows mostly arrive in the order of time, so that then only a user
 * whose do not is sorted by time. What comes of it is from `arrays`.
 */
export function* trailOrderSteps(
  rows: Uint32Array,
  ordinals: Uint32Array,
  times: Float64Array,
  arrays: ArraySource = ordinaryArrays,
): Generator<void, TrailOrder> {
  const { length } = rows;
  let [order, otherOrder] = [arrays.words(length), arrays.words(length)];
  let [keys, otherKeys] = [arrays.words(length), arrays.words(length)];
  order.set(rows);
  kernels().take(ordinals, order, keys);
  const keyBits = 32 - Math.clz32(greatest(keys));
  const passes = Math.ceil(keyBits / SORTED_BITS_MAX);
  const digitBits = Math.ceil(keyBits / passes);
  for (let pass = 0; pass < passes; pass++) {
    yield;
    kernels().sortByDigit(keys, order, pass * digitBits, digitBits, otherKeys, otherOrder);
    [keys, otherKeys] = [otherKeys, keys];
    [order, otherOrder] = [otherOrder, order];
  }
  yield;
  arrays.giveBack(otherOrder, otherKeys);
  const sortedTimes = arrays.numbers(length);
  kernels().take(times, order, sortedTimes);
  yield* sortUsersSteps(keys, order, sortedTimes);
  return { order, ordinals: keys, times: sortedTimes };
}

/** target[i] = source[rows[i]]. */
export function gathered<T extends Uint8Array | Uint32Array | Float64Array>(
  source: T,
  rows: Uint32Array,
  target: T,
): T {
  for (let i = 0; i < rows.length; i++) target[i] = source[rows[i]!]!;
  return target;
}

/** 0 for none. */
export function greatest(values: Uint32Array): number {
  return kernels().bounds(values).max;
}

/** Sorts the rows of each key by time, where they are not. `times` are those of `order`, and are sorted along. */
export function* sortUsersSteps(
  keys: Uint32Array,
  order: Uint32Array,
  times: Float64Array,
): Generator<void, void> {
  let from = 0;
  while (from < keys.length) {
    let to = from + 1;
    let isSorted = true;
    for (; to < keys.length && keys[to] === keys[from]; to++) {
      if (times[to]! < times[to - 1]!) isSorted = false;
    }
    if (!isSorted) {
      if (to - from <= INSERTION_ROWS) insertionSort(times, order, from, to);
      else yield* mergeSortSteps(times.subarray(from, to), order.subarray(from, to));
    }
    from = to;
  }
}

function insertionSort(times: Float64Array, order: Uint32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const time = times[i]!;
    const row = order[i]!;
    let at = i;
    for (; at > from && times[at - 1]! > time; at--) {
      times[at] = times[at - 1]!;
      order[at] = order[at - 1]!;
    }
    times[at] = time;
    order[at] = row;
  }
}

/** Bottom up, from runs sorted by insertion. */
function* mergeSortSteps(times: Float64Array, order: Uint32Array): Generator<void, void> {
  const { length } = times;
  for (let from = 0; from < length; from += INSERTION_ROWS) {
    insertionSort(times, order, from, Math.min(from + INSERTION_ROWS, length));
  }
  const otherTimes = new Float64Array(length);
  const otherOrder = new Uint32Array(length);
  for (let width = INSERTION_ROWS; width < length; width *= 2) {
    yield;
    otherTimes.set(times);
    otherOrder.set(order);
    for (let from = 0; from < length; from += width * 2) {
      mergeRuns(otherTimes, otherOrder, from, Math.min(from + width, length), width, times, order);
    }
  }
}

/** Merges the run [from, middle) with the next one, of up to `width` rows. */
function mergeRuns(
  times: Float64Array,
  order: Uint32Array,
  from: number,
  middle: number,
  width: number,
  targetTimes: Float64Array,
  targetOrder: Uint32Array,
): void {
  const end = Math.min(middle + width, times.length);
  let left = from;
  let right = middle;
  for (let at = from; at < end; at++) {
    const next = right >= end || (left < middle && times[left]! <= times[right]!) ? left++ : right++;
    targetTimes[at] = times[next]!;
    targetOrder[at] = order[next]!;
  }
}
