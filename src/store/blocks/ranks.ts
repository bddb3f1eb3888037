import { assert } from '../../base/assert.ts';
import { popcount32 } from '../../base/bitset.ts';
import { lastAtMost } from '../../base/search.ts';
import { codeFilter } from './codeFilter.ts';
import type { NumberColumn } from './numberColumn.ts';

/** A sample is kept every so many rows: 4 bytes for 1,024 rows, and at most so many rows are looked at. */
const SAMPLE_ROWS = 1024;
const scratch = new Uint32Array(SAMPLE_ROWS);

/** Counts the rows of a column that have one of some codes. */
export class Ranks {
  readonly #codes: NumberColumn;
  /** table[code] is 1 for the codes that count. */
  readonly #table: Uint8Array;
  /** How many there are before each sampled row, and in all. */
  #samples: Uint32Array | undefined;
  #lastRow = 0;
  #lastRank = 0;

  constructor(codes: NumberColumn, table: Uint8Array) {
    this.#codes = codes;
    this.#table = table;
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    return this.#samples?.byteLength ?? 0;
  }

  /** How many of the rows before this one count. Goes on from the last row asked about where that is near. */
  rank(row: number): number {
    if (row < this.#lastRow || row - this.#lastRow > SAMPLE_ROWS) {
      this.#samples ??= samplesOf(this.#codes, this.#table);
      const sample = Math.floor(row / SAMPLE_ROWS);
      this.#lastRow = sample * SAMPLE_ROWS;
      this.#lastRank = this.#samples[sample]!;
    }
    const length = row - this.#lastRow;
    if (length > 0) this.#codes.decode(this.#lastRow, row, scratch);
    this.#lastRank += counted(scratch, length, this.#table);
    this.#lastRow = row;
    return this.#lastRank;
  }

  /** The row that counts and has so many before it, of which there must be one; then the next that counts, or rowCount. */
  find(rank: number): { readonly row: number; readonly next: number } {
    const { from, length, place } = this.#look(rank);
    const after = placeOf(0, scratch.subarray(place + 1), length - place - 1, this.#table);
    const next = from + place + 1 + after;
    const isFound = next < from + length || next === this.#codes.rowCount;
    return { row: from + place, next: isFound ? next : this.#rowOf(rank + 1) };
  }

  #rowOf(rank: number): number {
    if (rank === this.#samples!.at(-1)) return this.#codes.rowCount;
    const { from, place } = this.#look(rank);
    return from + place;
  }

  /** Decodes the sampled rows [from, from + length) of which one, at `place`, counts and has so many before it. */
  #look(rank: number): { readonly from: number; readonly length: number; readonly place: number } {
    this.#samples ??= samplesOf(this.#codes, this.#table);
    const sample = lastAtMost(this.#samples.subarray(0, -1), rank);
    const from = sample * SAMPLE_ROWS;
    const length = Math.min(SAMPLE_ROWS, this.#codes.rowCount - from);
    this.#codes.decode(from, from + length, scratch);
    const place = placeOf(rank - this.#samples[sample]!, scratch, length, this.#table);
    assert(place < length, 'there are as many rows as were counted');
    return { from, length, place };
  }
}

function counted(codes: Uint32Array, length: number, table: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < length; i++) count += table[codes[i]!]!;
  return count;
}

/** The place of the n-th, from 0, of the codes that count; `length` when there are fewer. */
function placeOf(n: number, codes: Uint32Array, length: number, table: Uint8Array): number {
  let left = n;
  for (let i = 0; i < length; i++) if (table[codes[i]!] === 1 && left-- === 0) return i;
  return length;
}

function samplesOf(codes: NumberColumn, table: Uint8Array): Uint32Array {
  const { words } = codes.select(codeFilter(table));
  const samples = new Uint32Array(Math.ceil(codes.rowCount / SAMPLE_ROWS) + 1);
  let count = 0;
  for (let w = 0; w < words.length; w++) {
    if ((w << 5) % SAMPLE_ROWS === 0) samples[(w << 5) / SAMPLE_ROWS] = count;
    count += popcount32(words[w]!);
  }
  samples[samples.length - 1] = count;
  return samples;
}
