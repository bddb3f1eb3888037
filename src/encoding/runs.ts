import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import { scratch } from './arena.ts';
import { type CodeFilter, type Codes, KIND, PIECE_ROWS, searchFirstFrom } from './codes.ts';
import type { Draft, NumberVector, Runs } from './contract.ts';
import { kernels } from './kernels/chosen.ts';
import { GATHERED_ROWS, type RunRowCodes } from './kernels/kernels.ts';
import { PackedCodes } from './packed.ts';
import type { RunEnds } from './runEnds.ts';

/**
 * Runs of equal codes: what there is to a row, its filter included, is asked per run.
 *
 *   varint  runs, at least two
 *   codes   a code per run
 *   .       per run, the row after its last: deltas, or starts (runStarts.ts)
 *
 * Valid: ends ascend from at least 1 to the number of rows. Runs next to each other may have the same code.
 */
export interface RunParts {
  readonly codes: Uint32Array;
  readonly ends: Uint32Array;
}

/** Of the codes without their lowest bits. The result is valid until clearArena(). */
export function runParts(codes: Uint32Array, lowBits: number): RunParts {
  const runCodes = scratch(codes.length);
  const ends = scratch(codes.length);
  const runCount = kernels().runs(codes, lowBits, runCodes, ends);
  return { codes: runCodes.subarray(0, runCount), ends: ends.subarray(0, runCount) };
}

/**
 * The same with runs of more than `rowsMax` rows cut into several: a few long ones would make all ends wider. The result
 * is valid until clearArena().
 */
export function cutRuns({ codes, ends }: RunParts, rowsMax: number): RunParts {
  let count = 0;
  for (let run = 0, start = 0; run < ends.length; start = ends[run++]!) {
    count += Math.ceil((ends[run]! - start) / rowsMax);
  }
  const cutCodes = scratch(count);
  const cutEnds = scratch(count);
  let at = 0;
  for (let run = 0, start = 0; run < ends.length; start = ends[run++]!) {
    for (let end = start + rowsMax; end < ends[run]!; end += rowsMax) {
      cutCodes[at] = codes[run]!;
      cutEnds[at++] = end;
    }
    cutCodes[at] = codes[run]!;
    cutEnds[at++] = ends[run]!;
  }
  return { codes: cutCodes, ends: cutEnds };
}

/** What a filter costs per run; measured. */
export const RUN_SCAN_NS = 1.2;

/** The parts as they are to be encoded; `ends` as deltas or starts. */
export function runsDraft(rowCount: number, runCount: number, codes: Draft, ends: Draft): Draft {
  return {
    bytes: 4 + codes.bytes + ends.bytes,
    scanNsPerRow: codes.scanNsPerRow * (runCount / rowCount) + ends.scanNsPerRow,
    write(target) {
      target.byte(KIND.runs);
      target.varint(runCount);
      codes.write(target);
      ends.write(target);
    },
  };
}

/** The runs of fewer rows are sooner looked for than all are gone through. */
const GATHERED_ROWS_MIN = 16;

const pieceCodes = new Uint32Array(PIECE_ROWS);
const pieceEnds = new Uint32Array(PIECE_ROWS);
const gatheredRuns = new Uint32Array(GATHERED_ROWS);
const selectedRuns = new Uint32Array(CHUNK_ROWS_MAX / 32);
/** Runs that are looked at together, and in how many places: with more, all low parts are looked at sooner. */
const GROUP_RUNS = 16;
const EDGE_GROUPS_MAX = 256;
const edgeGroups = new Uint32Array(EDGE_GROUPS_MAX);

/** Up to so many rows are filled sooner than a kernel is called. */
const FEW_ROWS = 64;

/** Some rows, and the code of each. */
export interface RowsAndCodes {
  readonly rows: Uint32Array;
  readonly codes: Uint32Array;
}

export class RunCodes implements Codes {
  readonly rowCount: number;
  readonly #codes: Codes;
  readonly #ends: RunEnds;

  constructor(codes: Codes, ends: RunEnds, rowCount: number) {
    this.rowCount = rowCount;
    this.#codes = codes;
    this.#ends = ends;
  }

  at(row: number): number {
    return this.#codes.at(this.#ends.runOf(row));
  }

  decode(from: number, to: number, target: NumberVector): void {
    if (from === to) return;
    const runsPerRow = this.#codes.rowCount / this.rowCount;
    for (let row = from; row < to; ) {
      // As many as these rows have if they are like all others.
      const likely = Math.min(PIECE_ROWS, Math.ceil((to - row) * runsPerRow) + 8);
      const run = this.#ends.decodeFrom(row, likely, pieceEnds);
      const runCount = Math.min(likely, this.#codes.rowCount - run);
      this.#codes.decode(run, run + runCount, pieceCodes);
      if (to - row <= FEW_ROWS) {
        row = repeatFew(runCount, row, to, target, from);
        continue;
      }
      const ends = pieceEnds.subarray(0, runCount);
      row = kernels().repeat(
        pieceCodes.subarray(0, runCount),
        ends,
        row,
        target.subarray(row - from, to - from),
      );
    }
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    const areMany = rows.length >= GATHERED_ROWS_MIN;
    if (areMany && this.#codes instanceof PackedCodes && target instanceof Uint32Array) {
      kernels().gatherRuns(this.#codes.packed, this.#ends.bounds(), rows, first, target);
      return;
    }
    const runs = gatheredRuns.subarray(0, rows.length);
    this.#ends.runsOf(rows, first, runs);
    this.#codes.gather(runs, 0, target);
  }

  /**
   * As `gather`, times 2^lowBits, plus what `low` has of each row. False, and nothing done, where that is sooner done in
   * parts.
   */
  gatherWithLow(
    low: Codes,
    lowBits: number,
    rows: Uint32Array,
    first: number,
    target: Float64Array,
  ): boolean {
    if (rows.length < GATHERED_ROWS_MIN) return false;
    if (!(this.#codes instanceof PackedCodes && low instanceof PackedCodes)) return false;
    const { packed } = low;
    if (packed.bits !== lowBits) return false;
    kernels().gatherSplit(this.#codes.packed, this.#ends.bounds(), packed, rows, first, target);
    return true;
  }

  rowCodes(): RunRowCodes | undefined {
    const codes = this.#codes;
    return codes instanceof PackedCodes ? { ...codes.packed, bounds: this.#ends.bounds() } : undefined;
  }

  /** See Kernels.classRuns; -1, and nothing done, where codes are not as it takes them. */
  classRuns(table: Uint32Array, shift: number, target: Runs): number {
    if (!(this.#codes instanceof PackedCodes)) return -1;
    return kernels().classRuns(this.#codes.packed, this.#ends.bounds(), this.rowCount, table, shift, target);
  }

  firstFrom(code: number): number {
    return searchFirstFrom(this, code);
  }

  select(filter: CodeFilter, words: Uint32Array): void {
    const runCount = this.#codes.rowCount;
    const runs = selectedRuns.subarray(0, (runCount + 31) >>> 5);
    this.#codes.select(filter, runs);
    if (runs.every(isZero)) {
      words.fill(0);
      return;
    }
    this.#ends.fill(runs, words);
  }

  /**
   * As `select` of a range. Of the rows whose codes are at its ends something else decides: they are put to `edges`, and
   * their number is returned; -1, and `words` not what they should be, when there are more than fit.
   */
  selectEdged(from: number, to: number, words: Uint32Array, edges: RowsAndCodes): number {
    if (!(this.#codes instanceof PackedCodes)) return -1;
    const runCount = this.#codes.rowCount;
    const runs = selectedRuns.subarray(0, (runCount + 31) >>> 5);
    const groupCount = this.#codes.selectBounds(from, to, runs, edgeGroups);
    if (groupCount > edgeGroups.length) return -1;
    this.#ends.fill(runs, words);
    let count = 0;
    for (let i = 0; i < groupCount; i++) {
      const first = edgeGroups[i]! * GROUP_RUNS;
      const end = Math.min(first + GROUP_RUNS, runCount);
      for (let run = first; run < end; run++) {
        const code = this.#codes.at(run);
        if (code !== from && code !== to) continue;
        this.#ends.decode(Math.max(0, run - 1), run + 1, pieceEnds);
        const start = run === 0 ? 0 : pieceEnds[0]!;
        const rowsEnd = run === 0 ? pieceEnds[0]! : pieceEnds[1]!;
        if (count + rowsEnd - start > edges.rows.length) return -1;
        for (let row = start; row < rowsEnd; row++, count++) {
          edges.rows[count] = row;
          edges.codes[count] = code;
        }
      }
    }
    return count;
  }
}

function isZero(word: number): boolean {
  return word === 0;
}

/** Fills target[row - first] from `row` up to `to` with the codes of so many pieces, as far as they go. Returns the next row. */
function repeatFew(runCount: number, row: number, to: number, target: NumberVector, first: number): number {
  let at = row;
  for (let run = 0; run < runCount && at < to; run++) {
    const end = Math.min(pieceEnds[run]! | 0, to);
    for (; at < end; at++) target[at - first] = pieceCodes[run]!;
  }
  return at;
}
