import { scratch } from './arena.ts';
import type { ByteReader } from './bytes.ts';
import type { Draft, EncodedValues, NumberVector, Values } from './contract.ts';
import { type Frame, FramedValues } from './frame.ts';
import { expectAtMost, openCodes } from './openCodes.ts';

/**
 * The distinct values once, ascending, and the place of each row's value among them.
 *
 *   u8      tag, 1
 *   varint  distinct values, 2 to DISTINCT_MAX
 *   values  scaled or doubles
 *   codes
 *
 * Valid: values ascend, -0 before 0; codes are below their number.
 */
export const DICTIONARY_TAG = 1;
/** They are sorted, and a filter looks at each: under a millisecond for so many. */
export const DISTINCT_MAX = 8192;

export function dictionaryDraft(distinctCount: number, distinct: Draft, codes: Draft): Draft {
  return {
    bytes: 3 + distinct.bytes + codes.bytes,
    scanNsPerRow: codes.scanNsPerRow,
    write(target) {
      target.byte(DICTIONARY_TAG);
      target.varint(distinctCount);
      distinct.write(target);
      codes.write(target);
    },
  };
}

/** After the tag and the number of values. */
export function openDictionary(
  reader: ByteReader,
  distinct: EncodedValues,
  distinctCount: number,
  rowCount: number,
): FramedValues {
  const frame = new DictionaryFrame(distinct, distinctCount);
  reader.expect(reader.trusted || frame.ascends(), 'distinct values in ascending order', 'others');
  const codes = openCodes(reader, rowCount);
  if (!reader.trusted) expectAtMost(reader, codes, distinctCount - 1);
  return new FramedValues(frame, codes);
}

const table = new Float64Array(DISTINCT_MAX);

class DictionaryFrame implements Frame {
  readonly codeMax: number;
  readonly isIdentity = false;
  readonly #distinct: EncodedValues;

  constructor(distinct: EncodedValues, distinctCount: number) {
    this.codeMax = distinctCount - 1;
    this.#distinct = distinct;
  }

  valueOf(code: number): number {
    return this.#distinct.at(code);
  }

  toValues(target: NumberVector, count: number): void {
    // A few are cheaper to look up one by one than to decode all for.
    if (count * 4 < this.codeMax) {
      for (let i = 0; i < count; i++) target[i] = this.#distinct.at(target[i]!);
    } else {
      this.#distinct.decode(0, this.codeMax + 1, table);
      lookUp(target, count, table);
    }
  }

  ascends(): boolean {
    this.#distinct.decode(0, this.codeMax + 1, table);
    for (let i = 1; i <= this.codeMax; i++) {
      const zeros = Object.is(table[i - 1], -0) && Object.is(table[i], 0);
      if (!(table[i - 1]! < table[i]!) && !zeros) return false;
    }
    return true;
  }
}

function lookUp(target: NumberVector, count: number, table: Float64Array): void {
  for (let i = 0; i < count; i++) target[i] = table[target[i]!]!;
}

export interface Distinct {
  /** Ascending. */
  readonly values: Float64Array;
  /** values[codes[row]] is the row's value. */
  readonly codes: Uint32Array;
}

/** undefined when there are more than `distinctMax`, at most DISTINCT_MAX. */
export function distinctOf(values: Values, distinctMax: number): Distinct | undefined {
  const codes = scratch(values.length);
  const found = values instanceof Uint32Array ? values : bitsOf(values);
  const firstRows =
    values instanceof Uint32Array
      ? numberByAppearance(found, found, 1, codes, distinctMax)
      : numberByAppearance(found, found.subarray(1), 2, codes, distinctMax);
  if (firstRows === undefined) return undefined;
  const appeared = Float64Array.from(firstRows, (row) => values[row]!);
  const order = Uint32Array.from(firstRows.keys()).sort((a, b) => compare(appeared[a]!, appeared[b]!));
  const places = new Uint32Array(order.length);
  for (let place = 0; place < order.length; place++) places[order[place]!] = place;
  for (let row = 0; row < codes.length; row++) codes[row] = places[codes[row]!]!;
  return { values: Float64Array.from(order, (appearance) => appeared[appearance]!), codes };
}

function bitsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

function compare(a: number, b: number): number {
  return a - b || (Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1);
}

/**
 * codes[row] = how many different values appeared before this one first did, told apart by their bits, so that -0 is not
 * 0. Returns the rows of first appearance. Open addressing.
 */
function numberByAppearance(
  lower: Uint32Array,
  upper: Uint32Array,
  stride: number,
  codes: Uint32Array,
  distinctMax: number,
): Uint32Array | undefined {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(distinctMax + 1) + 1)); // code + 1; 0 is free
  const firstRows = new Uint32Array(distinctMax);
  let count = 0;
  for (let row = 0; row < codes.length; row++) {
    const low = lower[row * stride]!;
    const high = upper[row * stride]!;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & (slots.length - 1);
    for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const first = firstRows[slots[slot]! - 1]! * stride;
      if (lower[first] === low && upper[first] === high) break;
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
