import { scratch } from './arena.ts';
import type { Values } from './contract.ts';

/** They are sorted here, and looked at one by one by filters: under a millisecond for so many. */
export const DISTINCT_MAX = 8192;

export interface Distinct {
  /** Ascending, -0 before 0. */
  readonly values: Float64Array;
  /** values[codes[row]] is the row's value. Valid until clearArena(). */
  readonly codes: Uint32Array;
}

/** The different values there are; undefined when there are more than `distinctMax`, at most DISTINCT_MAX. */
export function distinctOf(values: Values, distinctMax: number): Distinct | undefined {
  const codes = scratch(values.length);
  const firstRows = numberByAppearance(values, codes, distinctMax);
  if (firstRows === undefined) return undefined;
  const appeared = new Float64Array(firstRows.length);
  for (let i = 0; i < appeared.length; i++) appeared[i] = values[firstRows[i]!]!;
  const sorted = appeared.slice().sort();
  const places = scratch(appeared.length);
  for (let i = 0; i < places.length; i++) places[i] = placeOf(appeared[i]!, sorted);
  for (let row = 0; row < codes.length; row++) codes[row] = places[codes[row]!]!;
  return { values: sorted, codes };
}

function placeOf(value: number, sorted: Float64Array): number {
  let low = 0;
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return Object.is(sorted[low], value) ? low : low + 1; // past a -0
}

/**
 * codes[row] = how many different values appeared before this one first did. Returns the rows of first appearance.
 * Values are told apart by their bits, so that -0 is not 0. Open addressing.
 */
function numberByAppearance(
  values: Values,
  codes: Uint32Array,
  distinctMax: number,
): Uint32Array | undefined {
  const stride = values.BYTES_PER_ELEMENT / 4;
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * stride);
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(distinctMax + 1) + 1)); // code + 1; 0 is free
  const firstRows = new Uint32Array(distinctMax);
  let count = 0;
  for (let row = 0; row < codes.length; row++) {
    const low = bits[row * stride]!;
    const high = bits[row * stride + stride - 1]!;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & (slots.length - 1);
    for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const first = firstRows[slots[slot]! - 1]! * stride;
      if (bits[first] === low && bits[first + stride - 1] === high) break;
    }
    if (slots[slot] === 0) {
      if (count === distinctMax) return undefined;
      firstRows[count] = row;
      slots[slot] = ++count;
    }
    codes[row] = slots[slot]! - 1;
  }
  return firstRows.slice(0, count);
}
