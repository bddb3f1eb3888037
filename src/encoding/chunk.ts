import { crc32c } from '../base/crc32c.ts';
import {
  damaged,
  type EncodedValues,
  expectBytes,
  type Filter,
  type NumberVector,
  type Place,
  passes,
  selectAll,
  statisticsOf,
} from './contract.ts';
import { encodingById, pick, type Temperature } from './picker.ts';

/**
 * One chunk of a column, as it lies in a block:
 *
 *   0  u32  CRC32C of bytes 4 to the end of the body
 *   4  u32  encoding id
 *   8  u32  rows, at least one
 *  12  u32  bytes of the body
 *  16  f64  least value
 *  24  f64  greatest value
 *  32       body, zero-padded to a multiple of 8 bytes
 *
 * Chunks start at multiples of 8, so that bodies are read in place. Valid: the checksum fits, the encoding is known and
 * takes a body of this length for so many rows.
 */
const HEADER_BYTES = 32;

export function encodeChunk(values: Float64Array, temperature: Temperature): Uint8Array {
  const statistics = statisticsOf(values);
  const { encoding, candidate } = pick(values, statistics, temperature);
  const body = candidate.encode();
  const bytes = new Uint8Array(HEADER_BYTES + Math.ceil(body.length / 8) * 8);
  const header = new DataView(bytes.buffer);
  header.setUint32(4, encoding.id, true);
  header.setUint32(8, values.length, true);
  header.setUint32(12, body.length, true);
  header.setFloat64(16, statistics.min, true);
  header.setFloat64(24, statistics.max, true);
  bytes.set(body, HEADER_BYTES);
  header.setUint32(0, crc32c(bytes.subarray(4, HEADER_BYTES + body.length)), true);
  return bytes;
}

export class Chunk {
  readonly rowCount: number;
  readonly min: number;
  readonly max: number;
  /** Padding included: the next chunk starts so many bytes on. */
  readonly byteLength: number;
  readonly #values: EncodedValues;

  /**
   * Reads in place the chunk at `offset`, a multiple of 8. `bytes` must not change any more. Throws DamageError, whose
   * offset is the chunk's.
   */
  constructor(bytes: Uint8Array, offset: number, file: string) {
    const place: Place = { file, offset };
    if (offset % 8 !== 0) damaged(place, 'a chunk at a multiple of 8', `offset ${offset}`);
    if (offset + HEADER_BYTES > bytes.length)
      damaged(place, 'a chunk header', `${bytes.length - offset} bytes`);
    const header = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_BYTES);
    const bodyAt = offset + HEADER_BYTES;
    const bodyBytes = header.getUint32(12, true);
    this.byteLength = HEADER_BYTES + Math.ceil(bodyBytes / 8) * 8;
    if (offset + this.byteLength > bytes.length) damaged(place, `${bodyBytes} body bytes`, 'the end');
    const checksum = crc32c(bytes.subarray(offset + 4, bodyAt + bodyBytes));
    expectBytes(place, 'CRC32C', header.getUint32(0, true), checksum);

    this.rowCount = header.getUint32(8, true);
    this.min = header.getFloat64(16, true);
    this.max = header.getFloat64(24, true);
    const encoding = encodingById(header.getUint32(4, true));
    if (encoding === undefined) damaged(place, 'a known encoding', String(header.getUint32(4, true)));
    this.#values = encoding.open(bytes.subarray(bodyAt, bodyAt + bodyBytes), this.rowCount, place);
  }

  at(row: number): number {
    return this.#values.at(row);
  }

  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void {
    this.#values.decode(from, to, target);
  }

  /** Sets the bits of rows that pass; `words` holds ⌈rowCount / 32⌉ zeros. Looks at the rows only when it must. */
  select(filter: Filter, words: Uint32Array): void {
    if (this.min === this.max) {
      if (passes(filter, this.min)) selectAll(words, this.rowCount);
    } else if (filter.kind === 'range' && filter.from <= this.min && this.max < filter.to) {
      selectAll(words, this.rowCount);
    } else if (this.#mayPass(filter)) {
      this.#values.select(filter, words);
    }
  }

  #mayPass(filter: Filter): boolean {
    if (filter.kind === 'range') return filter.from <= this.max && this.min < filter.to;
    if (filter.kind === 'test') return true;
    for (const value of filter.values) if (value >= this.min && value <= this.max) return true;
    return false;
  }
}
