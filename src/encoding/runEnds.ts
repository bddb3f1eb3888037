import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import type { NumberVector } from './contract.ts';
import type { DeltaCodes } from './deltas.ts';
import { kernels } from './kernels/chosen.ts';
import type { RunBounds } from './kernels/kernels.ts';

/** Where the runs of codes end: run r has the rows from where run r - 1 ends, or 0, to before its own end. */
export interface RunEnds {
  /** The run that has this row. */
  runOf(row: number): number;
  /** target[i] = the run that has row rows[i] - first. Rows ascend and may come again; at most GATHERED_ROWS. */
  runsOf(rows: Uint32Array, first: number, target: Uint32Array): void;
  /** All of them, as kernels take them. */
  bounds(): RunBounds;
  /** Returns the run that has this row. target[i] = where the i-th run from it on ends, of so many, as far as there are. */
  decodeFrom(row: number, count: number, target: Uint32Array): number;
  /** target[i] = where run from + i ends, for runs [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** Bit i of `words` = whether row i is in a run whose bit in `runs` is set. Writes all of `words`. */
  fill(runs: Uint32Array, words: Uint32Array): void;
  /** Whether they ascend to the number of rows; asked before anything else of bytes that may be anything. */
  areSound(): boolean;
}

const PIECE_ENDS = 1024;
const piece = new Uint32Array(PIECE_ENDS);
/** All 0 between two uses. */
const marks = new Uint32Array(CHUNK_ROWS_MAX / 32);
/** The runs of rows so far apart are sooner looked for one by one. */
const SPARSE_ROWS = 64;

/** Ends as deltas: for runs that are long. */
export class DeltaEnds implements RunEnds {
  readonly #ends: DeltaCodes;
  readonly #rowCount: number;

  constructor(ends: DeltaCodes, rowCount: number) {
    this.#ends = ends;
    this.#rowCount = rowCount;
  }

  runOf(row: number): number {
    return this.#ends.firstAbove(row);
  }

  runsOf(rows: Uint32Array, first: number, target: Uint32Array): void {
    if (rows.length === 0) return;
    const from = rows[0]! - first;
    const last = rows[rows.length - 1]! - first;
    if (rows.length * SPARSE_ROWS < last - from) {
      for (let i = 0; i < rows.length; i++) target[i] = this.#ends.firstAbove(rows[i]! - first);
      return;
    }
    const run = this.#ends.firstAbove(from);
    this.#markEnds(run, this.#ends.firstAbove(last), from);
    const marked = marks.subarray(0, (last - from + 32) >>> 5);
    kernels().ranks(marked, rows, first + from, run, target);
    marked.fill(0);
  }

  /** Sets the bits of marks where runs [runFrom, runTo) end, counted from a row. */
  #markEnds(runFrom: number, runTo: number, row: number): void {
    for (let run = runFrom; run < runTo; run += PIECE_ENDS) {
      const count = Math.min(PIECE_ENDS, runTo - run);
      this.decode(run, run + count, piece);
      for (let i = 0; i < count; i++) {
        const at = piece[i]! - row;
        marks[at >>> 5]! |= 1 << (at & 31);
      }
    }
  }

  decodeFrom(row: number, count: number, target: Uint32Array): number {
    return this.#ends.decodeAbove(row, count, target);
  }

  decode(from: number, to: number, target: NumberVector): void {
    this.#ends.decode(from, to, target);
  }

  bounds(): RunBounds {
    return { firstEnd: this.#ends.at(0), lengths: this.#ends.differences() };
  }

  fill(runs: Uint32Array, words: Uint32Array): void {
    kernels().fillRuns(runs, this.#ends.at(0), this.#ends.differences(), words);
  }

  areSound(): boolean {
    const runCount = this.#ends.rowCount;
    let previous = 0;
    for (let from = 0; from < runCount; from += PIECE_ENDS) {
      const count = Math.min(PIECE_ENDS, runCount - from);
      this.decode(from, from + count, piece);
      for (let i = 0; i < count; i++) {
        if (piece[i]! <= previous) return false;
        previous = piece[i]!;
      }
    }
    return previous === this.#rowCount;
  }
}
