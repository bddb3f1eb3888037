import { ctz32, popcount32 } from '../base/bitset.ts';
import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import { firstFrom, lastAtMost } from '../base/search.ts';
import { bitmapOf } from './arena.ts';
import { KIND } from './codes.ts';
import type { Draft, NumberVector } from './contract.ts';
import { kernels } from './kernels/chosen.ts';
import { GATHERED_ROWS, type RunBounds } from './kernels/kernels.ts';
import type { RunEnds } from './runEnds.ts';

/**
 * Where runs end, as a bit a row: for runs that are short.
 *
 *   u8      kind, 37
 *   u8[]    ⌈rows / 8⌉ bytes: bit i is 1 when a run begins at row i
 *
 * Valid: a run begins at row 0, as many begin as there are runs, and bits past the rows are 0.
 */
export function runStartsDraft(ends: Uint32Array, rowCount: number): Draft {
  return {
    bytes: 1 + startBytes(rowCount),
    scanNsPerRow: STARTS_SCAN_NS,
    write(target) {
      const bytes = bitmapOf(ends.subarray(0, -1), startBytes(rowCount));
      bytes[0]! |= 1;
      target.byte(KIND.starts);
      target.bytes(bytes);
    },
  };
}

/** Measured. */
export const STARTS_SCAN_NS = 0.4;

export function startBytes(rowCount: number): number {
  return Math.ceil(rowCount / 8);
}

/** Rows between two counts of the runs that begin before: 2 bytes each. */
const RANK_ROWS = 512;
const RANK_WORDS = RANK_ROWS / 32;
const startWords = new Uint32Array(CHUNK_ROWS_MAX / 32);
const startWordsBytes = new Uint8Array(startWords.buffer);

export class RunStarts implements RunEnds {
  readonly #bytes: Uint8Array;
  readonly #rowCount: number;
  readonly #runCount: number;
  /** ranks[i] = runs that begin before row i * RANK_ROWS. */
  readonly #ranks: Uint16Array;

  constructor(bytes: Uint8Array, rowCount: number, runCount: number) {
    this.#bytes = bytes;
    this.#rowCount = rowCount;
    this.#runCount = runCount;
    const words = this.#words();
    this.#ranks = new Uint16Array(Math.ceil(rowCount / RANK_ROWS));
    for (let i = 1; i < this.#ranks.length; i++) {
      this.#ranks[i] = this.#ranks[i - 1]! + countWords(words, (i - 1) * RANK_WORDS, i * RANK_WORDS);
    }
  }

  areSound(): boolean {
    const words = this.#words();
    const past = this.#rowCount & 31;
    const lastIsClean = past === 0 || words[words.length - 1]! >>> past === 0;
    return (words[0]! & 1) === 1 && lastIsClean && countWords(words, 0, words.length) === this.#runCount;
  }

  runOf(row: number): number {
    const block = Math.floor(row / RANK_ROWS);
    let rank = this.#ranks[block]!;
    const last = row >>> 3;
    for (let at = block * (RANK_ROWS / 8); at < last; at++) rank += POPCOUNT8[this.#bytes[at]!]!;
    return rank + POPCOUNT8[this.#bytes[last]! & ((2 << (row & 7)) - 1)]! - 1;
  }

  runsOf(rows: Uint32Array, first: number, target: Uint32Array): void {
    const words = this.#words();
    for (let i = 0; i < rows.length; ) {
      // From where runs are counted, as far as a kernel takes it.
      const block = Math.floor((rows[i]! - first) / RANK_ROWS);
      const from = block * RANK_ROWS;
      const end = firstFrom(rows, i, rows.length, first + from + GATHERED_ROWS);
      const [piece, runs] = [rows.subarray(i, end), target.subarray(i, end)];
      kernels().ranks(words.subarray(block * RANK_WORDS), piece, first + from, this.#ranks[block]! - 1, runs);
      i = end;
    }
  }

  decodeFrom(row: number, count: number, target: Uint32Array): number {
    const run = this.runOf(row);
    this.decode(run, Math.min(run + count, this.#runCount), target);
    return run;
  }

  decode(from: number, to: number, target: NumberVector): void {
    if (from === to) return;
    if (from === 0 && to === this.#runCount && target instanceof Uint32Array) {
      kernels().positions(this.#words(), 0, 1, target.subarray(0, to));
      target[to - 1] = this.#rowCount;
      return;
    }
    // Run r ends where the next begins: at the bit that has r + 1 bits before it.
    let left = from + 1;
    const block = lastAtMost(this.#ranks, left);
    left -= this.#ranks[block]!;
    let i = 0;
    for (let at = (block * RANK_ROWS) >>> 3; i < to - from; at++) {
      if (at >= this.#bytes.length) {
        target[i] = this.#rowCount;
        return;
      }
      const byte = this.#bytes[at]!;
      const count = POPCOUNT8[byte]!;
      if (count <= left) {
        left -= count;
        continue;
      }
      for (let bits = byte; bits !== 0 && i < to - from; bits &= bits - 1) {
        if (left-- > 0) continue;
        left = 0;
        target[i++] = (at << 3) + ctz32(bits);
      }
    }
  }

  bounds(): RunBounds {
    return { starts: this.#bytes };
  }

  fill(runs: Uint32Array, words: Uint32Array): void {
    kernels().fillStarts(runs, this.#bytes, this.#rowCount, words);
  }

  /** Valid until the next call. */
  #words(): Uint32Array {
    const words = startWords.subarray(0, (this.#rowCount + 31) >>> 5);
    words[words.length - 1] = 0;
    startWordsBytes.set(this.#bytes);
    return words;
  }
}

const POPCOUNT8 = Uint8Array.from({ length: 256 }, (_, byte) => popcount32(byte));

function countWords(words: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let w = from; w < to; w++) count += popcount32(words[w]!);
  return count;
}
