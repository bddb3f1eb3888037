import { popcount32 } from '../base/bitset.ts';
import { codeFilter } from './codeFilter.ts';
import type { NumberColumn } from './numberColumn.ts';

/** A sample is kept every so many rows: 4 bytes for 1,024 rows, and at most so many rows are looked at. */
const SAMPLE_ROWS = 1024;
const scratch = new Uint32Array(SAMPLE_ROWS);

/** How many rows before a row have one of some codes. Counts on from the last row asked about where that is near. */
export class Ranks {
  readonly #codes: NumberColumn;
  /** table[code] is 1 for the codes that count. */
  readonly #table: Uint8Array;
  #samples: Uint32Array | undefined;
  #lastRow = 0;
  #lastRank = 0;

  constructor(codes: NumberColumn, table: Uint8Array) {
    this.#codes = codes;
    this.#table = table;
  }

  get memoryBytes(): number {
    return this.#samples?.byteLength ?? 0;
  }

  rank(row: number): number {
    if (row < this.#lastRow || row - this.#lastRow > SAMPLE_ROWS) {
      this.#samples ??= samplesOf(this.#codes, this.#table);
      const sample = Math.floor(row / SAMPLE_ROWS);
      this.#lastRow = sample * SAMPLE_ROWS;
      this.#lastRank = this.#samples[sample]!;
    }
    const length = row - this.#lastRow;
    this.#codes.decode(this.#lastRow, row, scratch);
    this.#lastRank += counted(scratch, length, this.#table);
    this.#lastRow = row;
    return this.#lastRank;
  }
}

function counted(codes: Uint32Array, length: number, table: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < length; i++) count += table[codes[i]!]!;
  return count;
}

function samplesOf(codes: NumberColumn, table: Uint8Array): Uint32Array {
  const { words } = codes.select(codeFilter(table));
  const samples = new Uint32Array(Math.floor(codes.rowCount / SAMPLE_ROWS) + 1);
  let count = 0;
  for (let w = 0; w < words.length; w++) {
    if ((w << 5) % SAMPLE_ROWS === 0) samples[(w << 5) / SAMPLE_ROWS] = count;
    count += popcount32(words[w]!);
  }
  if (codes.rowCount % SAMPLE_ROWS === 0) samples[samples.length - 1] = count;
  return samples;
}
