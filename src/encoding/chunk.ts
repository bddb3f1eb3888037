import { crc32c } from '../base/crc32c.ts';
import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import { clearArena } from './arena.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { classRunsDecoded } from './classRuns.ts';
import {
  type Classing,
  type EncodedValues,
  expectBytes,
  type Filter,
  type LinearCodes,
  type NumberVector,
  passes,
  type RowLengths,
  type Runs,
  selectAll,
  type Values,
} from './contract.ts';
import { kernels } from './kernels/chosen.ts';
import type { Packed } from './kernels/kernels.ts';
import type { Temperature } from './picker.ts';
import { openValues, valuesDraft } from './values.ts';

/**
 * One chunk of a column, as it lies in a block, at any offset:
 *
 *   0  u32     CRC32C of the chunk's other bytes, XOR the salt of its place
 *   4  varint  rows, 1 to CHUNK_ROWS_MAX
 *   .  varint  bytes of the body
 *   .          body: values, see values.ts
 *
 * Whoever puts chunks where others might be gives each place a salt, so that none is taken for another.
 *
 * Valid: the checksum fits, and the body is made of what its parts say and nothing else.
 */
const CRC_BYTES = 4;

const header = new ByteWriter(16);
const body = new ByteWriter(65_536);

/** At least one value, all of them finite; the salt is 0. The result is owned by the caller. */
export function encodeChunk(values: Values, temperature: Temperature): Uint8Array {
  clearArena();
  body.clear();
  valuesDraft(values, temperature).write(body);
  header.clear();
  header.bytes(new Uint8Array(CRC_BYTES));
  header.varint(values.length);
  header.varint(body.length);
  const chunk = new Uint8Array(header.length + body.length);
  chunk.set(header.written());
  chunk.set(body.written(), header.length);
  new DataView(chunk.buffer).setUint32(0, crc32c(chunk.subarray(CRC_BYTES)), true);
  return chunk;
}

export interface ChunkOptions {
  /** This process has made the bytes itself: only their lengths are checked. */
  readonly trusted?: boolean;
  /** Of the place at an offset; 0 everywhere unless it is given. */
  readonly saltOf?: (offset: number) => number;
}

const scratchWords = new Uint32Array(CHUNK_ROWS_MAX / 32);

export class Chunk {
  readonly rowCount: number;
  readonly min: number;
  readonly max: number;
  /** The next chunk starts so many bytes on. */
  readonly byteLength: number;
  readonly #values: EncodedValues;

  /**
   * Reads in place the chunk at `offset`. `bytes` must not change any more. Throws DamageError, whose offset is the
   * chunk's.
   */
  constructor(
    bytes: Uint8Array,
    offset: number,
    file: string,
    { trusted = false, saltOf }: ChunkOptions = {},
  ) {
    const place = { file, offset };
    const reader = new ByteReader(bytes, { offset, end: bytes.length }, place, trusted);
    const crcAt = reader.skip(CRC_BYTES);
    this.rowCount = reader.varint('rows', 1, CHUNK_ROWS_MAX);
    const bodyBytes = reader.varint('body bytes', 1, bytes.length);
    reader.endAfter(bodyBytes);
    this.byteLength = reader.offset + bodyBytes - offset;
    if (!trusted) {
      const stated = new DataView(bytes.buffer, bytes.byteOffset + crcAt).getUint32(0, true);
      const actual = crc32c(bytes.subarray(crcAt + CRC_BYTES, offset + this.byteLength));
      expectBytes(place, 'CRC32C', stated, (actual ^ (saltOf?.(offset) ?? 0)) >>> 0);
    }
    this.#values = openValues(reader, this.rowCount);
    reader.expectEnd();
    this.min = this.#values.min;
    this.max = this.#values.max;
  }

  at(row: number): number {
    return this.#values.at(row);
  }

  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void {
    this.#values.decode(from, to, target);
  }

  /** target[i] = value of row rows[i] - first. Rows ascend and may come again; at most GATHERED_ROWS. */
  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    this.#values.gather(rows, first, target);
  }

  /** See EncodedValues.readBits. */
  readBits(from: number, to: number, target: Uint8Array): boolean {
    return this.#values.readBits?.(from, to, target) ?? false;
  }

  /** See EncodedValues.rowCodes. */
  rowCodes(): LinearCodes | undefined {
    return this.#values.rowCodes?.();
  }

  /** See EncodedValues.rowLengths. */
  rowLengths(): RowLengths | undefined {
    return this.#values.rowLengths?.();
  }

  /** Where values ascend: the first row whose value is at least this; rowCount when none is. */
  firstFrom(value: number): number {
    return value <= this.min ? 0 : value > this.max ? this.rowCount : this.#values.firstFrom(value);
  }

  /** Bit i of `words` = whether row i passes; ⌈rowCount / 32⌉ words, all written. */
  select(filter: Filter, words: Uint32Array): void {
    const verdict = this.#verdict(filter);
    if (verdict === 'all') selectAll(words, this.rowCount);
    else if (verdict === 'none') words.fill(0);
    else this.#values.select(filter, words);
  }

  /** Clears the bits of rows that do not pass. Does not look at the rows when there are none in `words`. */
  and(filter: Filter, words: Uint32Array): void {
    if (!words.some(isSet)) return;
    const verdict = this.#verdict(filter);
    if (verdict === 'all') return;
    if (verdict === 'none') {
      words.fill(0);
      return;
    }
    const passing = scratchWords.subarray(0, words.length);
    this.#values.select(filter, passing, words);
    kernels().and(words, passing);
  }

  /** See EncodedValues.packed. */
  get packed(): Packed | undefined {
    return this.#values.packed;
  }

  /** See EncodedValues.classRuns. */
  classRuns(classing: Classing, target: Runs): number {
    return this.#values.classRuns?.(classing, target) ?? classRunsDecoded(this, classing, target);
  }

  /** What the bounds alone say about the rows that pass. */
  #verdict(filter: Filter): 'all' | 'none' | 'some' {
    const { min, max } = this;
    if (min === max) return passes(filter, min) ? 'all' : 'none';
    if (filter.kind === 'range') {
      if (filter.from <= min && max < filter.to) return 'all';
      return filter.from <= max && min < filter.to ? 'some' : 'none';
    }
    if (filter.kind !== 'in') return 'some';
    for (const value of filter.values) if (value >= min && value <= max) return 'some';
    return 'none';
  }
}

function isSet(word: number): boolean {
  return word !== 0;
}
