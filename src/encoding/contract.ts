import { assert } from '../base/assert.ts';
import { DamageError } from '../base/errors.ts';
import type { Packed, RowCodes, RunRowCodes } from './kernels/kernels.ts';

/**
 * What encoded numbers can do. A chunk of a column is a vector of finite doubles, each of which comes back exactly, -0
 * included. It is stored as whole-number *codes* (codes.ts) that stand for values in ascending order: so many units from
 * the least value (scaled.ts), or places in a list of distinct values (dictionary.ts). Doubles that are neither are kept
 * as their bits (doubles.ts).
 */
export interface EncodedValues {
  /** Bounds of the values; exact when they were encoded here. */
  readonly min: number;
  readonly max: number;
  /** Rows are [0, rowCount); not checked. */
  at(row: number): number;
  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** target[i] = value of row rows[i] - first. Rows ascend and may come again; at most GATHERED_ROWS. */
  gather(rows: Uint32Array, first: number, target: NumberVector): void;
  /**
   * Where they are held as a bit each, zeros and ones: bit i of `target` = value of row from + i, for rows [from, to), and
   * 0 behind; from is a multiple of 8. Else false, and `target` stays as it is.
   */
  readBits?(from: number, to: number, target: Uint8Array): boolean;
  /** As kernels take them, where they are such. */
  rowCodes?(): LinearCodes | undefined;
  /** The same of how many lengths rows are above a base, rounded down. */
  rowLengths?(): RowLengths | undefined;
  /** All of them as they lie, where they are packed; see Kernels. */
  readonly packed?: Packed | undefined;
  /** Where values ascend: the first row whose value is at least this; rowCount when none is. */
  firstFrom(value: number): number;
  /**
   * Bit i of `words` = whether row i passes. Writes all of `words`, ⌈rowCount / 32⌉ of them. Where only the rows of another
   * bitmap are `wanted`, the bits of others may be anything.
   */
  select(filter: Filter, words: Uint32Array, wanted?: Uint32Array): void;
  /** The rows' classes as runs, for which `target` has room for one a row. Returns how many there are. */
  classRuns?(classing: Classing, target: Runs): number;
}

/** Values that are base + unit * code. */
export interface LinearCodes {
  readonly base: number;
  readonly unit: number;
  readonly codes: RowCodes;
}

/** Values are base + length * code, and a rest that is less than a length. */
export interface RowLengths {
  readonly base: number;
  readonly length: number;
  readonly codes: RunRowCodes;
  /** For a few rows. */
  readonly restAt: (row: number) => number;
}

/** What a chunk is made of: codes, ordinals and offsets as whole numbers, or any finite doubles. */
export type Values = Uint32Array | Float64Array;

/** Where values are decoded to; of a Uint32Array the caller knows that they fit. */
export type NumberVector = Uint32Array | Float64Array;

/**
 * `in`: equal to one of these (0 and -0 are equal). `range`: from <= value < to. `set`: table[value] is 1; for columns
 * of codes. `test`: pure, and asked only about values that rows have.
 */
export type Filter =
  | { readonly kind: 'in'; readonly values: ReadonlySet<number> }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'set'; readonly table: Uint8Array }
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
    case 'set':
      return filter.table[value] === 1;
    case 'test':
      return filter.test(value);
  }
}

/**
 * `table`: a value's class is table[value]; for columns of codes. `bounds`: how many of the bounds, which ascend, are at
 * most the value.
 */
export type Classing =
  | { readonly kind: 'table'; readonly table: Uint32Array }
  | { readonly kind: 'bounds'; readonly bounds: Float64Array };

/** Runs of rows: run r has class classes[r] and rows up to ends[r], which ascend. */
export interface Runs {
  readonly classes: Uint32Array;
  readonly ends: Uint32Array;
}

/** Sets the bits of all rows. */
export function selectAll(words: Uint32Array, rowCount: number): void {
  words.fill(0xffffffff);
  if ((rowCount & 31) !== 0) words[words.length - 1] = (1 << (rowCount & 31)) - 1;
}

/** What could be written for some values. */
export interface Draft {
  /** Bytes it takes, to within a few. */
  readonly bytes: number;
  /** What a filter over all rows costs, roughly. */
  readonly scanNsPerRow: number;
  /** The values must not have changed since. */
  write(target: Writer): void;
}

/** Bytes being written; see bytes.ts. */
export interface Writer {
  byte(value: number): void;
  /** A whole number from 0 to 2^53 - 1, in one to eight bytes. */
  varint(value: number): void;
  double(value: number): void;
  bytes(bytes: Uint8Array): void;
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

/** Codes are read and written as typed arrays, which follow the machine's byte order. */
assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, 'the machine is little-endian');
