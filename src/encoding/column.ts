import { assert } from '../base/assert.ts';
import { Bitset } from '../base/bitset.ts';
import { firstFrom } from '../base/search.ts';
import { ordinaryArrays } from '../base/spareArrays.ts';
import { Chunk, type ChunkOptions } from './chunk.ts';
import { type Classing, damaged, type Filter, type NumberVector, type Runs } from './contract.ts';
import { GATHERED_ROWS, type Packed } from './kernels/kernels.ts';

/** What an open chunk's objects take, measured. */
const OPEN_CHUNK_BYTES = 300;

/** A column of numbers: chunks of `chunkRows` rows, the last one possibly shorter. */
export class Column {
  readonly rowCount: number;
  readonly #chunks: readonly Chunk[];
  readonly chunkRows: number;

  /** `chunkRows` is a multiple of 32, so that a chunk begins a word of a bitmap. */
  constructor(chunks: readonly Chunk[], chunkRows: number) {
    assert(chunkRows % 32 === 0, 'chunks begin at words of a bitmap');
    this.rowCount = chunks.reduce((total, chunk) => total + chunk.rowCount, 0);
    this.#chunks = chunks;
    this.chunkRows = chunkRows;
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
    return this.#chunks.length * OPEN_CHUNK_BYTES;
  }

  /** The one that begins at a row. */
  chunkFrom(row: number): Chunk {
    return this.#chunks[row / this.chunkRows]!;
  }

  at(row: number): number {
    if (this.#chunks.length === 1) return this.#chunks[0]!.at(row);
    const index = Math.floor(row / this.chunkRows);
    return this.#chunks[index]!.at(row - index * this.chunkRows);
  }

  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; ) {
      const index = Math.floor(row / this.chunkRows);
      const chunkFrom = index * this.chunkRows;
      const end = Math.min(to, chunkFrom + this.chunkRows);
      const rest = row === from ? target : target.subarray(row - from);
      this.#chunks[index]!.decode(row - chunkFrom, end - chunkFrom, rest);
      row = end;
    }
  }

  /** target[i] = value of row rows[i]. Rows ascend and may come again. */
  gather(rows: Uint32Array, target: NumberVector): void {
    for (let i = 0; i < rows.length; ) {
      const index = Math.floor(rows[i]! / this.chunkRows);
      const first = index * this.chunkRows;
      const end = firstFrom(rows, i, Math.min(rows.length, i + GATHERED_ROWS), first + this.chunkRows);
      this.#chunks[index]!.gather(rows.subarray(i, end), first, i === 0 ? target : target.subarray(i));
      i = end;
    }
  }

  /** See EncodedValues.readBits; false also where the rows are of several chunks. */
  readBits(from: number, to: number, target: Uint8Array): boolean {
    const index = Math.floor(from / this.chunkRows);
    const first = index * this.chunkRows;
    return to - first <= this.chunkRows && this.#chunks[index]!.readBits(from - first, to - first, target);
  }

  /** Chunk i's rows; see EncodedValues.packed. */
  packed(i: number): Packed | undefined {
    return this.#chunks[i]!.packed;
  }

  /** The classes of chunk i's rows as runs, which begin at the chunk's first row; see EncodedValues.classRuns. */
  classRuns(i: number, classing: Classing, target: Runs): number {
    return this.#chunks[i]!.classRuns(classing, target);
  }

  /** Where values ascend: the first row whose value is at least this; rowCount when none is. */
  firstFrom(value: number): number {
    for (let i = 0; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i]!;
      if (chunk.max >= value) return i * this.chunkRows + chunk.firstFrom(value);
    }
    return this.rowCount;
  }

  /** The rows that pass. A bitset taken from the arrays, owned by the caller. */
  select(filter: Filter, arrays = ordinaryArrays): Bitset {
    const rows = Bitset.takeFrom(arrays, this.rowCount);
    this.selectInto(filter, rows.words);
    return rows;
  }

  /** Bit i of `words` = whether row i passes; ⌈rowCount / 32⌉ words, all written. */
  selectInto(filter: Filter, words: Uint32Array): void {
    for (let i = 0; i < this.#chunks.length; i++) this.#chunks[i]!.select(filter, this.#wordsOf(i, words));
  }

  /** Takes the rows that do not pass out of `rows`. Chunks of which none is in it are not looked at. */
  and(rows: Bitset, filter: Filter): void {
    for (let i = 0; i < this.#chunks.length; i++) this.#chunks[i]!.and(filter, this.#wordsOf(i, rows.words));
  }

  #wordsOf(index: number, words: Uint32Array): Uint32Array {
    const from = (index * this.chunkRows) >>> 5;
    return words.subarray(from, from + ((this.#chunks[index]!.rowCount + 31) >>> 5));
  }
}

/** Reads the chunks of `rowCount` rows that lie one after another at `offset`. Yields between chunks; throws DamageError. */
export function* openColumnSteps(
  bytes: Uint8Array,
  offset: number,
  rowCount: number,
  chunkRows: number,
  file: string,
  options: ChunkOptions = {},
): Generator<void, Column> {
  const chunks: Chunk[] = [];
  for (let row = 0; row < rowCount; row += chunkRows) {
    const chunk = new Chunk(bytes, offset, file, options);
    const expected = Math.min(chunkRows, rowCount - row);
    if (chunk.rowCount !== expected) damaged({ file, offset }, `${expected} rows`, String(chunk.rowCount));
    chunks.push(chunk);
    offset += chunk.byteLength;
    yield;
  }
  return new Column(chunks, chunkRows);
}
