import { classRunsByBounds, classRunsByTable, classRunsDecoded } from './classRuns.ts';
import { type CodeFilter, type Codes, PIECE_ROWS } from './codes.ts';
import {
  type Classing,
  type EncodedValues,
  type Filter,
  type LinearCodes,
  type NumberVector,
  passes,
  type RowLengths,
  type Runs,
} from './contract.ts';
import type { Packed } from './kernels/kernels.ts';
import { PackedCodes } from './packed.ts';
import { SplitCodes } from './split.ts';

/** What codes stand for. A greater code never stands for a lesser value. */
export interface Frame {
  /** No row has a greater code. */
  readonly codeMax: number;
  valueOf(code: number): number;
  /** A guess of the least code whose value is at least this; 0 to codeMax + 1. */
  codeNear(value: number): number;
  /** Codes are the values themselves, and below 2^32. */
  readonly isIdentity: boolean;
  /** Values are base + unit * code, where they are. */
  readonly linear?: { readonly base: number; readonly unit: number } | undefined;
  /** The first `count` of `target` are codes, and become values. */
  toValues(target: NumberVector, count: number): void;
}

/** Making a table of codes pays while there are not many more of them than rows. */
const TABLE_CODES_PER_ROW_MAX = 4;
/** This many single values are looked for one after another where there is no table. */
const EQUALS_MAX = 8;

const pieceValues = new Float64Array(PIECE_ROWS);
const pieceCodes = new Uint32Array(PIECE_ROWS);

/** Values that stand in a frame. Filters become filters of codes. */
export class FramedValues implements EncodedValues {
  readonly #frame: Frame;
  readonly #codes: Codes;

  constructor(frame: Frame, codes: Codes) {
    this.#frame = frame;
    this.#codes = codes;
  }

  get min(): number {
    return this.#frame.valueOf(0);
  }

  get max(): number {
    return this.#frame.valueOf(this.#frame.codeMax);
  }

  at(row: number): number {
    return this.#frame.valueOf(this.#codes.at(row));
  }

  decode(from: number, to: number, target: NumberVector): void {
    this.#codes.decode(from, to, target);
    this.#frame.toValues(target, to - from);
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    this.#codes.gather(rows, first, target);
    this.#frame.toValues(target, rows.length);
  }

  readBits(from: number, to: number, target: Uint8Array): boolean {
    if (!(this.#codes instanceof PackedCodes) || !this.#frame.isIdentity) return false;
    return this.#codes.readBits(from, to, target);
  }

  rowCodes(): LinearCodes | undefined {
    const { linear } = this.#frame;
    const codes = linear && this.#codes.rowCodes?.();
    return codes && { ...linear!, codes };
  }

  rowLengths(): RowLengths | undefined {
    const { linear } = this.#frame;
    const runs = linear && this.#codes instanceof SplitCodes ? this.#codes.rowRuns() : undefined;
    if (runs === undefined) return undefined;
    const { base, unit } = linear!;
    return { base, length: unit * runs.length, codes: runs.codes, restAt: (row) => unit * runs.low.at(row) };
  }

  get packed(): Packed | undefined {
    return this.#codes instanceof PackedCodes && this.#frame.isIdentity ? this.#codes.packed : undefined;
  }

  firstFrom(value: number): number {
    return this.#codes.firstFrom(this.#codeFrom(value));
  }

  select(filter: Filter, words: Uint32Array, wanted?: Uint32Array): void {
    if (filter.kind === 'range') {
      const to = this.#codeFrom(filter.to) - 1;
      this.#codes.select({ kind: 'range', from: this.#codeFrom(filter.from), to }, words, wanted);
    } else if (filter.kind === 'in' && filter.values.size === 1) {
      const [value] = filter.values;
      this.#codes.select(this.#codesEqual(value!), words, wanted);
    } else if (filter.kind === 'set' && this.#frame.isIdentity) {
      this.#codes.select(filter, words, wanted);
    } else if (this.#frame.codeMax < TABLE_CODES_PER_ROW_MAX * this.#codes.rowCount) {
      this.#codes.select({ kind: 'set', table: this.#tableOf(filter) }, words);
    } else if (filter.kind === 'in' && filter.values.size <= EQUALS_MAX) {
      this.#selectEach(filter.values, words);
    } else {
      selectTested(this, filter, this.#codes.rowCount, words);
    }
  }

  classRuns(classing: Classing, target: Runs): number {
    if (classing.kind === 'bounds') {
      const bounds = classing.bounds.map((bound) => this.#codeFrom(bound));
      return classRunsByBounds(this.#codes, bounds, target);
    }
    if (this.#frame.isIdentity) return classRunsByTable(this.#codes, classing.table, target);
    const decoded = {
      rowCount: this.#codes.rowCount,
      decode: (from: number, to: number, values: NumberVector) => this.decode(from, to, values),
    };
    return classRunsDecoded(decoded, classing, target);
  }

  /** The codes that stand for exactly this value. */
  #codesEqual(value: number): CodeFilter {
    const from = this.#codeFrom(value);
    let to = from - 1;
    while (to < this.#frame.codeMax && this.#frame.valueOf(to + 1) === value) to++;
    return { kind: 'range', from, to };
  }

  #selectEach(values: ReadonlySet<number>, words: Uint32Array): void {
    const each = new Uint32Array(words.length);
    words.fill(0);
    for (const value of values) {
      this.#codes.select(this.#codesEqual(value), each);
      for (let w = 0; w < words.length; w++) words[w]! |= each[w]!;
    }
  }

  /** The least code whose value is at least this; codeMax + 1 when there is none. */
  #codeFrom(value: number): number {
    const { codeMax } = this.#frame;
    let low = 0;
    let high = codeMax + 1;
    const likely = this.#frame.codeNear(value);
    if (likely > 0 && this.#frame.valueOf(likely - 1) < value) low = likely;
    if (likely <= codeMax && this.#frame.valueOf(likely) >= value) high = likely;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      if (this.#frame.valueOf(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** table[code] = 1 for the codes whose values pass. */
  #tableOf(filter: Exclude<Filter, { kind: 'range' }>): Uint8Array {
    const { codeMax } = this.#frame;
    const table = new Uint8Array(codeMax + 1);
    if (filter.kind === 'in') {
      for (const value of filter.values) {
        for (
          let code = this.#codeFrom(value);
          code <= codeMax && this.#frame.valueOf(code) === value;
          code++
        ) {
          table[code] = 1;
        }
      }
      return table;
    }
    // A test is asked once per code that occurs.
    if (filter.kind === 'test') this.#markOccurring(table);
    else table.fill(1);
    for (let code = 0; code <= codeMax; code++) {
      if (table[code] === 1 && !passes(filter, this.#frame.valueOf(code))) table[code] = 0;
    }
    return table;
  }

  #markOccurring(table: Uint8Array): void {
    for (let from = 0; from < this.#codes.rowCount; from += PIECE_ROWS) {
      const count = Math.min(PIECE_ROWS, this.#codes.rowCount - from);
      this.#codes.decode(from, from + count, pieceCodes);
      for (let i = 0; i < count; i++) table[pieceCodes[i]!] = 1;
    }
  }
}

/** EncodedValues::select by decoding. */
export function selectTested(
  values: EncodedValues,
  filter: Filter,
  rowCount: number,
  words: Uint32Array,
): void {
  const [only] = filter.kind === 'in' && filter.values.size === 1 ? filter.values : [];
  words.fill(0);
  for (let from = 0; from < rowCount; from += PIECE_ROWS) {
    const count = Math.min(PIECE_ROWS, rowCount - from);
    values.decode(from, from + count, pieceValues);
    const target = words.subarray(from >>> 5);
    if (only !== undefined) testEqual(pieceValues, count, only, target);
    else testEach(pieceValues, count, filter, target);
  }
}

function testEqual(values: Float64Array, count: number, value: number, words: Uint32Array): void {
  for (let i = 0; i < count; i++) if (values[i] === value) words[i >>> 5]! |= 1 << (i & 31);
}

function testEach(values: Float64Array, count: number, filter: Filter, words: Uint32Array): void {
  for (let i = 0; i < count; i++) if (passes(filter, values[i]!)) words[i >>> 5]! |= 1 << (i & 31);
}
