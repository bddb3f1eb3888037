import { scratch } from './arena.ts';
import { type CodeFilter, type Codes, gatherDecoded, KIND, PIECE_ROWS, selectDecoded } from './codes.ts';
import type { Draft, NumberVector } from './contract.ts';
import { kernels } from './kernels/chosen.ts';
import type { Differences } from './kernels/kernels.ts';
import { PackedCodes } from './packed.ts';

/**
 * Differences from row to row, and the code itself every CHECKPOINT_ROWS rows: for what ascends, or nearly.
 *
 *   varint  the least difference, zigzag: 2n for n >= 0, -2n - 1 below
 *   codes   of rows 0, 64, 128, …
 *   codes   per row but the first, its difference from the one before, less the least difference
 *
 * Valid: the sums of differences come to the checkpoints.
 */
const CHECKPOINT_ROWS = 64;
/** Codes from here on are not taken, so that differences fit 32 bits. */
export const DELTA_CODES_END = 0x8000_0000;

/** Measured. */
export const DELTA_SCAN_NS = 2;

export interface DeltaParts {
  readonly least: number;
  readonly checkpoints: Uint32Array;
  /** Less the least one. */
  readonly differences: Uint32Array;
}

/** At least two codes, all below DELTA_CODES_END; `least` is the least difference. */
export function deltaParts(codes: Uint32Array, least: number): DeltaParts {
  const checkpoints = scratch(Math.ceil(codes.length / CHECKPOINT_ROWS));
  for (let i = 0; i < checkpoints.length; i++) checkpoints[i] = codes[i * CHECKPOINT_ROWS]!;
  const differences = scratch(codes.length - 1);
  for (let i = 0; i < differences.length; i++) differences[i] = codes[i + 1]! - codes[i]! - least;
  return { least, checkpoints, differences };
}

/** The parts as they are to be encoded. */
export function deltasDraft(least: number, checkpoints: Draft, differences: Draft): Draft {
  return {
    bytes: 2 + checkpoints.bytes + differences.bytes,
    scanNsPerRow: DELTA_SCAN_NS,
    write(target) {
      target.byte(KIND.deltas);
      target.varint(least >= 0 ? 2 * least : -2 * least - 1);
      checkpoints.write(target);
      differences.write(target);
    },
  };
}

export function checkpointCount(rowCount: number): number {
  return Math.ceil(rowCount / CHECKPOINT_ROWS);
}

export function fromZigzag(zigzag: number): number {
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}

/** Rows decoded at a time when one is searched for. */
const SEARCH_ROWS = 16;
const piece = new Uint32Array(PIECE_ROWS);
/** Up to so many rows are added up sooner than a kernel is called. */
const FEW_ROWS = 64;

export class DeltaCodes implements Codes {
  readonly rowCount: number;
  readonly #least: number;
  readonly #checkpoints: Codes;
  readonly #differences: Codes;

  constructor(least: number, checkpoints: Codes, differences: Codes) {
    this.rowCount = differences.rowCount + 1;
    this.#least = least;
    this.#checkpoints = checkpoints;
    this.#differences = differences;
  }

  at(row: number): number {
    const checkpoint = Math.floor(row / CHECKPOINT_ROWS);
    const from = checkpoint * CHECKPOINT_ROWS;
    this.#differences.decode(from, row, piece);
    let code = this.#checkpoints.at(checkpoint) + (row - from) * this.#least;
    for (let i = 0; i < row - from; i++) code += piece[i]!;
    return code >>> 0;
  }

  decode(from: number, to: number, target: NumberVector): void {
    if (from === to) return;
    this.#decodeFromCode(from, to, this.at(from), target);
  }

  /** Of rows the first one of which has this code. */
  #decodeFromCode(from: number, to: number, first: number, target: NumberVector): void {
    let code = first;
    target[0] = code;
    const isLong = to - from > FEW_ROWS;
    if (isLong && target instanceof Uint32Array && this.#differences instanceof PackedCodes) {
      kernels().sum(this.differences(), from, to - from - 1, code, target.subarray(1));
      return;
    }
    for (let row = from; row < to - 1; row += PIECE_ROWS) {
      const count = Math.min(PIECE_ROWS, to - 1 - row);
      this.#differences.decode(row, row + count, piece);
      code = addUp(piece, count, this.#least, code, target, row + 1 - from);
    }
  }

  /** Each row's but the first one's: as they lie where they are packed, else a list of its own. */
  differences(): Differences {
    const least = this.#least;
    if (this.#differences instanceof PackedCodes) return this.#differences.asDifferences(least);
    const count = this.rowCount - 1;
    const unpacked = new Uint32Array(count);
    this.#differences.decode(0, count, unpacked);
    return { packed: new Uint8Array(unpacked.buffer), bits: 32, least, count };
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    gatherDecoded(this, rows, first, target);
  }

  firstFrom(code: number): number {
    return code === 0 ? 0 : this.firstAbove(code - 1);
  }

  select(filter: CodeFilter, words: Uint32Array): void {
    selectDecoded(this, filter, words);
  }

  /** The first row that has more than `code`, when codes ascend; rowCount when none has. */
  firstAbove(code: number): number {
    return this.#search(code).row;
  }

  /** The same; the codes of so many rows from it on, as far as there are, go to the target. */
  decodeAbove(code: number, count: number, target: Uint32Array): number {
    const found = this.#search(code);
    const end = Math.min(found.row + count, this.rowCount);
    if (found.row < end) this.#decodeFromCode(found.row, end, found.code, target);
    return found.row;
  }

  /** The first row that has more than `code`, and what it has. */
  #search(code: number): { readonly row: number; readonly code: number } {
    let checkpoint = 0;
    for (let end = this.#checkpoints.rowCount; end - checkpoint > 1; ) {
      const middle = (checkpoint + end) >>> 1;
      if (this.#checkpoints.at(middle) <= code) checkpoint = middle;
      else end = middle;
    }
    let row = checkpoint * CHECKPOINT_ROWS;
    let sum = this.#checkpoints.at(checkpoint);
    while (sum <= code && row < this.rowCount - 1) {
      const count = Math.min(SEARCH_ROWS, this.rowCount - 1 - row);
      this.#differences.decode(row, row + count, piece);
      for (let i = 0; sum <= code && i < count; i++, row++) sum += piece[i]! + this.#least;
    }
    return { row: sum > code ? row : this.rowCount, code: sum };
  }

  /** Whether the sums of differences come to the checkpoints. */
  isSound(): boolean {
    let code = this.#checkpoints.at(0);
    for (let row = 0; row < this.rowCount - 1; row += CHECKPOINT_ROWS) {
      if (this.#checkpoints.at(row / CHECKPOINT_ROWS) !== code) return false;
      const count = Math.min(CHECKPOINT_ROWS, this.rowCount - 1 - row);
      this.#differences.decode(row, row + count, piece);
      for (let i = 0; i < count; i++) {
        code += piece[i]! + this.#least;
        if (code < 0 || code >= DELTA_CODES_END) return false;
      }
    }
    const last = this.#checkpoints.rowCount - 1;
    return last * CHECKPOINT_ROWS < this.rowCount - 1 || this.#checkpoints.at(last) === code;
  }
}

/** target[at + i] = start + sums of the first i + 1 differences. Returns the last of them. */
function addUp(
  differences: Uint32Array,
  count: number,
  least: number,
  start: number,
  target: NumberVector,
  at: number,
): number {
  let code = start;
  for (let i = 0; i < count; i++) {
    code = (code + differences[i]! + least) | 0;
    target[at + i] = code;
  }
  return code;
}
