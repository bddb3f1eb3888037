import type { NumberVector } from './contract.ts';
import type { DeltaCodes } from './deltas.ts';
import { kernels } from './kernels/kernels.ts';

/** Where the runs of codes end: run r has the rows from where run r - 1 ends, or 0, to before its own end. */
export interface RunEnds {
  /** The run that has this row. */
  runOf(row: number): number;
  /** target[i] = the run that has row rows[i] - first. Rows ascend and may come again; at most GATHERED_ROWS. */
  runsOf(rows: Uint32Array, first: number, target: Uint32Array): void;
  /** target[i] = where run from + i ends, for runs [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** Bit i of `words` = whether row i is in a run whose bit in `runs` is set. Writes all of `words`. */
  fill(runs: Uint32Array, words: Uint32Array): void;
  /** Whether they ascend to the number of rows; asked before anything else of bytes that may be anything. */
  areSound(): boolean;
}

const PIECE_ENDS = 1024;
const piece = new Uint32Array(PIECE_ENDS);

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
    let run = this.#ends.firstAbove(rows[0]! - first);
    for (let i = 0; i < rows.length; run += PIECE_ENDS) {
      const count = Math.min(PIECE_ENDS, this.#ends.rowCount - run);
      this.#ends.decode(run, run + count, piece);
      for (let at = 0; at < count && i < rows.length; ) {
        if (rows[i]! - first < piece[at]!) target[i++] = run + at;
        else at++;
      }
    }
  }

  decode(from: number, to: number, target: NumberVector): void {
    this.#ends.decode(from, to, target);
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
