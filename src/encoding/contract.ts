import { assert } from '../base/assert.ts';
import { DamageError } from '../base/errors.ts';

/**
 * The contract of every encoding. Columns are vectors of finite doubles: codes and ordinals are whole numbers up to
 * 2^32 - 1, times are whole ms, property numbers are anything; each comes back exactly, -0 included. A column is cut
 * into chunks, and each chunk is encoded by whatever measures smallest (picker.ts).
 */
export interface Encoding {
  /** Written with every chunk; never reused for something else. */
  readonly id: number;
  readonly name: string;
  /** What it would make of these values (at least one); undefined when it cannot hold them. */
  analyze(values: Float64Array, statistics: Statistics): Candidate | undefined;
  /**
   * Reads a body of `rowCount` rows in place; it must start at a multiple of 8 in its buffer and not change any more.
   * Throws DamageError when the body cannot be of that many rows.
   */
  open(body: Uint8Array, rowCount: number, place: Place): EncodedValues;
}

export interface Candidate {
  /** Bytes of the body; exact unless the encoding says otherwise. */
  readonly bytes: number;
  /** What a filter over all rows costs, roughly. */
  readonly scanNsPerRow: number;
  /** The body. The analyzed values must not have changed since. */
  encode(): Uint8Array;
}

/** An encoded chunk, read without decoding it first. Rows are [0, rowCount); not checked again. */
export interface EncodedValues {
  at(row: number): number;
  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** Sets the bits of rows that pass the filter; `words` holds ⌈rowCount / 32⌉ zeros. */
  select(filter: Filter, words: Uint32Array): void;
}

export type NumberVector = Float64Array | Uint32Array;

/**
 * `in`: equal to one of these (0 and -0 are equal). `range`: from <= value < to. `test`: pure, and asked only about
 * values that rows have.
 */
export type Filter =
  | { readonly kind: 'in'; readonly values: ReadonlySet<number> }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'test'; readonly test: (value: number) => boolean };

export function equalTo(value: number): Filter {
  return { kind: 'in', values: new Set([value]) };
}

export function passes(filter: Filter, value: number): boolean {
  switch (filter.kind) {
    case 'in':
      return filter.values.has(value);
    case 'range':
      return value >= filter.from && value < filter.to;
    case 'test':
      return filter.test(value);
  }
}

/** Sets the bits of all rows. */
export function selectAll(words: Uint32Array, rowCount: number): void {
  words.fill(0xffffffff);
  if ((rowCount & 31) !== 0) words[words.length - 1] = (1 << (rowCount & 31)) - 1;
}

export interface Statistics {
  readonly min: number;
  readonly max: number;
  /** Whether all are safe integers and none is -0. */
  readonly whole: boolean;
}

/** min is Infinity and max -Infinity without values. */
export function statisticsOf(values: Float64Array): Statistics {
  let min = Infinity;
  let max = -Infinity;
  let whole = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    assert(value - value === 0, 'a column holds finite numbers');
    if (value < min) min = value;
    if (value > max) max = value;
    if (whole && (Math.trunc(value) !== value || (value === 0 && 1 / value < 0))) whole = false;
  }
  return { min, max, whole: whole && min >= Number.MIN_SAFE_INTEGER && max <= Number.MAX_SAFE_INTEGER };
}

/** Where a chunk's first byte is, for the error that names it. */
export interface Place {
  readonly file: string;
  readonly offset: number;
}

/** Throws DamageError unless what was found is what must be there. */
export function expectBytes(place: Place, what: string, expected: number, found: number): void {
  if (expected !== found) damaged(place, `${what} ${expected}`, String(found));
}

export function damaged(place: Place, expected: string, found: string): never {
  throw new DamageError({ file: place.file, offset: place.offset, expected, found });
}

/** Bodies and blocks are read in place as typed arrays, which follow the machine's byte order. */
assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, 'the machine is little-endian');
