import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import type { NumberVector } from './contract.ts';
import type { DeltaCodes } from './deltas.ts';
import { kernels } from './kernels/kernels.ts';

/** Where the runs of codes end: run r has the rows from where run r - 1 ends, or 0, to before its own end. */
export interface RunEnds {
  /** The run that has this row. */
  runOf(row: number): number;
  /** target[i] = where run from + i ends, for runs [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** Bit i of `words` = whether row i is in a run whose bit in `runs` is set. Writes all of `words`. */
  fill(runs: Uint32Array, words: Uint32Array): void;
  /** Whether they ascend to the number of rows; asked before anything else of bytes that may be anything. */
  areSound(): boolean;
}

const allEnds = new Uint32Array(CHUNK_ROWS_MAX);
/** Whose ends these are: a range of split codes selects thrice. Keeps no block alive. */
let allEndsOwner: WeakRef<DeltaEnds> | undefined;

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

  decode(from: number, to: number, target: NumberVector): void {
    this.#ends.decode(from, to, target);
  }

  fill(runs: Uint32Array, words: Uint32Array): void {
    kernels().fillRuns(runs, this.#all(), words);
  }

  areSound(): boolean {
    const ends = this.#all();
    let previous = 0;
    for (let run = 0; run < ends.length; run++) {
      if (ends[run]! <= previous) return false;
      previous = ends[run]!;
    }
    return previous === this.#rowCount;
  }

  /** Valid until it is asked of other runs. */
  #all(): Uint32Array {
    const ends = allEnds.subarray(0, this.#ends.rowCount);
    if (allEndsOwner?.deref() === this) return ends;
    this.#ends.decode(0, ends.length, ends);
    allEndsOwner = new WeakRef(this);
    return ends;
  }
}
