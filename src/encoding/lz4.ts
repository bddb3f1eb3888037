import { compressSync, uncompressSync } from 'lz4-napi';
import { assert } from '../base/assert.ts';
import { LZ4_GROUPS_OPEN_MAX } from '../base/limits.ts';
import {
  damaged,
  type EncodedValues,
  type Encoding,
  type Filter,
  type NumberVector,
  type Place,
  statisticsOf,
} from './contract.ts';
import { PLAIN_ENCODINGS, smallest } from './plain.ts';

/**
 * LZ4 over another encoding, for cold columns. Rows are cut into groups whose plain body is 16 to 64 KB, each encoded
 * and compressed by itself, so that one row costs one group.
 *
 *   0  u32  rows of a group, a multiple of 32; the last group may have fewer
 *   4  u32  0
 *   8       per group: u8 encoding id, u8[3] 0, u32 plain bytes, u32 compressed bytes
 *   .       the groups' compressed bodies (LZ4 block format after a u32 of the plain bytes)
 */
const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;
const GROUP_BYTES = 32_768;
const GROUP_ROWS_MAX = 65_536;
const PLAIN_BYTES_MAX = GROUP_ROWS_MAX * 8 + 64;
/** Decompressing costs more than it saves unless the chunk becomes this much smaller. */
const GAIN_MIN = 2;
const SCAN_NS_PER_BYTE = 1;

interface Group {
  readonly encodingId: number;
  readonly plainBytes: number;
  readonly compressed: Uint8Array;
}

export const lz4: Encoding = {
  id: 5,
  name: 'lz4',

  /** Its bytes are an estimate from the first group. */
  analyze(values, statistics) {
    const plain = smallest(PLAIN_ENCODINGS, values, statistics).candidate;
    if (plain.bytes < GROUP_BYTES / 2) return undefined;
    const groupRows = groupRowsFor(plain.bytes / values.length);
    const first = compressGroup(values.subarray(0, groupRows));
    if (first.compressed.length * GAIN_MIN > first.plainBytes) return undefined;
    return {
      bytes: Math.ceil(plain.bytes * (first.compressed.length / first.plainBytes)),
      scanNsPerRow: plain.scanNsPerRow + (SCAN_NS_PER_BYTE * plain.bytes) / values.length,
      encode() {
        const groups = [first];
        for (let from = groupRows; from < values.length; from += groupRows) {
          groups.push(compressGroup(values.subarray(from, from + groupRows)));
        }
        return bodyOf(groups, groupRows);
      },
    };
  },

  open(body, rowCount, place): EncodedValues {
    if (body.length < HEADER_BYTES) damaged(place, 'an LZ4 body', `${body.length} bytes`);
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    const groupRows = view.getUint32(0, true);
    if (groupRows === 0 || groupRows % 32 !== 0)
      damaged(place, 'groups of a multiple of 32 rows', String(groupRows));
    const groupCount = Math.ceil(rowCount / groupRows);
    let offset = HEADER_BYTES + groupCount * ENTRY_BYTES;
    if (body.length < offset) damaged(place, `${groupCount} groups`, `${body.length} bytes`);
    const groups: Group[] = [];
    for (let g = 0; g < groupCount; g++) {
      const entry = HEADER_BYTES + g * ENTRY_BYTES;
      const compressedBytes = view.getUint32(entry + 8, true);
      const compressed = body.subarray(offset, offset + compressedBytes);
      groups.push({
        encodingId: view.getUint8(entry),
        plainBytes: view.getUint32(entry + 4, true),
        compressed,
      });
      offset += compressedBytes;
    }
    if (offset !== body.length) damaged(place, `${offset} body bytes`, String(body.length));
    return new Lz4Values(groups, groupRows, rowCount, place);
  },
};

/** A power of two of rows that come to 16 to 32 KB of plain body (fewer bytes when the rows are very narrow). */
function groupRowsFor(bytesPerRow: number): number {
  return Math.min(GROUP_ROWS_MAX, 2 ** Math.floor(Math.log2(GROUP_BYTES / bytesPerRow)));
}

function compressGroup(values: Float64Array): Group {
  const { encoding, candidate } = smallest(PLAIN_ENCODINGS, values, statisticsOf(values));
  const plain = candidate.encode();
  const compressed = compressSync(Buffer.from(plain.buffer, plain.byteOffset, plain.length));
  return { encodingId: encoding.id, plainBytes: plain.length, compressed };
}

function bodyOf(groups: readonly Group[], groupRows: number): Uint8Array {
  const dataAt = HEADER_BYTES + groups.length * ENTRY_BYTES;
  const body = new Uint8Array(groups.reduce((total, group) => total + group.compressed.length, dataAt));
  const view = new DataView(body.buffer);
  view.setUint32(0, groupRows, true);
  let offset = dataAt;
  groups.forEach((group, g) => {
    const entry = HEADER_BYTES + g * ENTRY_BYTES;
    view.setUint8(entry, group.encodingId);
    view.setUint32(entry + 4, group.plainBytes, true);
    view.setUint32(entry + 8, group.compressed.length, true);
    body.set(group.compressed, offset);
    offset += group.compressed.length;
  });
  return body;
}

class Lz4Values implements EncodedValues {
  readonly #groups: readonly Group[];
  readonly #groupRows: number;
  readonly #rowCount: number;
  readonly #place: Place;

  constructor(groups: readonly Group[], groupRows: number, rowCount: number, place: Place) {
    this.#groups = groups;
    this.#groupRows = groupRows;
    this.#rowCount = rowCount;
    this.#place = place;
  }

  at(row: number): number {
    const group = Math.floor(row / this.#groupRows);
    return opened(this, group).at(row - group * this.#groupRows);
  }

  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; ) {
      const group = Math.floor(row / this.#groupRows);
      const groupFrom = group * this.#groupRows;
      const end = Math.min(to, groupFrom + this.#groupRows);
      opened(this, group).decode(row - groupFrom, end - groupFrom, target.subarray(row - from));
      row = end;
    }
  }

  select(filter: Filter, words: Uint32Array): void {
    for (let group = 0; group < this.#groups.length; group++) {
      const from = (group * this.#groupRows) >>> 5;
      const wordCount = (this.#rowsOf(group) + 31) >>> 5;
      opened(this, group).select(filter, words.subarray(from, from + wordCount));
    }
  }

  open(group: number): EncodedValues {
    const { encodingId, plainBytes, compressed } = this.#groups[group]!;
    const encoding = PLAIN_ENCODINGS.find((each) => each.id === encodingId);
    if (encoding === undefined) damaged(this.#place, 'a plain encoding', String(encodingId));
    return encoding.open(decompressed(compressed, plainBytes, this.#place), this.#rowsOf(group), this.#place);
  }

  #rowsOf(group: number): number {
    return Math.min(this.#groupRows, this.#rowCount - group * this.#groupRows);
  }
}

/** The length that LZ4 would allocate is checked first. */
function decompressed(compressed: Uint8Array, plainBytes: number, place: Place): Uint8Array {
  const claimed =
    compressed.length < 4 ? -1 : new DataView(compressed.buffer, compressed.byteOffset).getUint32(0, true);
  if (claimed !== plainBytes) damaged(place, `${plainBytes} plain bytes`, String(claimed));
  if (claimed > PLAIN_BYTES_MAX) damaged(place, `at most ${PLAIN_BYTES_MAX} plain bytes`, String(claimed));
  const plain = uncompressSync(compressed);
  assert(plain.length === plainBytes, 'LZ4 fills what it was asked for');
  return plain.byteOffset % 8 === 0 ? plain : new Uint8Array(plain);
}

interface OpenGroup {
  readonly group: number;
  readonly values: EncodedValues;
}

/** Chunks whose last used group is kept decompressed, the longest unused first. One table a thread. */
const openGroups = new Map<Lz4Values, OpenGroup>();

function opened(chunk: Lz4Values, group: number): EncodedValues {
  const last = openGroups.get(chunk);
  openGroups.delete(chunk);
  const values = last?.group === group ? last.values : chunk.open(group);
  openGroups.set(chunk, { group, values });
  if (openGroups.size > LZ4_GROUPS_OPEN_MAX) {
    for (const [oldest] of openGroups) {
      openGroups.delete(oldest);
      break;
    }
  }
  return values;
}
