import { assert } from '../base/assert.ts';
import { Bitset, popcount32 } from '../base/bitset.ts';
import { Chunk } from './chunk.ts';
import { damaged, equalTo, type Filter, type NumberVector } from './contract.ts';

/** A rank sample is kept every so many rows: 4 bytes for 256 rows, and at most 256 rows are looked at. */
const RANK_ROWS = 256;
const rankScratch = new Float64Array(RANK_ROWS);

/** A column of numbers: chunks of `chunkRows` rows, the last one possibly shorter. */
export class Column {
  readonly rowCount: number;
  readonly #chunks: readonly Chunk[];
  readonly #chunkRows: number;
  /** Per value asked about: how many rows before row i * RANK_ROWS have it. */
  readonly #rankSamples = new Map<number, Uint32Array>();

  /** `chunkRows` is a multiple of 256, so that a chunk begins a word of a bitmap and a rank sample. */
  constructor(chunks: readonly Chunk[], chunkRows: number) {
    assert(chunkRows % RANK_ROWS === 0, 'chunks begin at rank samples');
    this.rowCount = chunks.reduce((total, chunk) => total + chunk.rowCount, 0);
    this.#chunks = chunks;
    this.#chunkRows = chunkRows;
  }

  /** Infinity for an empty column. */
  get min(): number {
    return this.#chunks.reduce((min, chunk) => Math.min(min, chunk.min), Infinity);
  }

  get max(): number {
    return this.#chunks.reduce((max, chunk) => Math.max(max, chunk.max), -Infinity);
  }

  /** Bytes held beside the block's own. */
  get memoryBytes(): number {
    let total = 0;
    for (const samples of this.#rankSamples.values()) total += samples.byteLength;
    return total;
  }

  at(row: number): number {
    if (this.#chunks.length === 1) return this.#chunks[0]!.at(row);
    const index = Math.floor(row / this.#chunkRows);
    return this.#chunks[index]!.at(row - index * this.#chunkRows);
  }

  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; ) {
      const index = Math.floor(row / this.#chunkRows);
      const chunkFrom = index * this.#chunkRows;
      const end = Math.min(to, chunkFrom + this.#chunkRows);
      this.#chunks[index]!.decode(row - chunkFrom, end - chunkFrom, target.subarray(row - from));
      row = end;
    }
  }

  /** The rows that pass. A fresh bitset, owned by the caller. */
  select(filter: Filter): Bitset {
    const rows = new Bitset(this.rowCount);
    const wordsPerChunk = this.#chunkRows >>> 5;
    this.#chunks.forEach((chunk, i) => {
      chunk.select(filter, rows.words.subarray(i * wordsPerChunk, (i + 1) * wordsPerChunk));
    });
    return rows;
  }

  /** How many of the rows before `row` hold this value. */
  rank(value: number, row: number): number {
    const samples = this.#samplesOf(value);
    const sample = Math.floor(row / RANK_ROWS);
    const from = sample * RANK_ROWS;
    this.decode(from, row, rankScratch);
    let rank = samples[sample]!;
    for (let i = 0; i < row - from; i++) if (rankScratch[i] === value) rank++;
    return rank;
  }

  #samplesOf(value: number): Uint32Array {
    const known = this.#rankSamples.get(value);
    if (known !== undefined) return known;
    const { words } = this.select(equalTo(value));
    const samples = new Uint32Array(Math.floor(this.rowCount / RANK_ROWS) + 1);
    let count = 0;
    for (let w = 0; w < words.length; w++) {
      if ((w << 5) % RANK_ROWS === 0) samples[(w << 5) / RANK_ROWS] = count;
      count += popcount32(words[w]!);
    }
    if (this.rowCount % RANK_ROWS === 0) samples[samples.length - 1] = count;
    this.#rankSamples.set(value, samples);
    return samples;
  }
}

/** Reads the chunks of `rowCount` rows that lie one after another at `offset`. Throws DamageError. */
export function* openColumnSteps(
  bytes: Uint8Array,
  offset: number,
  rowCount: number,
  chunkRows: number,
  file: string,
): Generator<void, Column> {
  const chunks: Chunk[] = [];
  for (let row = 0; row < rowCount; row += chunkRows) {
    const chunk = new Chunk(bytes, offset, file);
    const expected = Math.min(chunkRows, rowCount - row);
    if (chunk.rowCount !== expected) damaged({ file, offset }, `${expected} rows`, String(chunk.rowCount));
    chunks.push(chunk);
    offset += chunk.byteLength;
    yield;
  }
  return new Column(chunks, chunkRows);
}
