import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { compressSync, uncompressSync } from 'lz4-napi';
import { GROUPS_OPEN_MAX } from '../base/limits.ts';
import { type CodeFilter, type Codes, KIND, searchFirstFrom } from './codes.ts';
import { type Draft, damaged, type NumberVector, type Place } from './contract.ts';
import { PackedCodes, pack } from './packed.ts';

/**
 * Lanes of 1, 2 or 4 bytes, compressed in groups of GROUP_BYTES, so that one row costs one group. For cold columns: it
 * finds what repeats and what is frequent, but a row takes tens of microseconds.
 *
 *   u8      bytes of a lane
 *   u8      codec: 1 LZ4, 2 deflate
 *   varint  per group, its compressed bytes
 *   .       the groups: LZ4 blocks, or raw deflate (RFC 1951)
 *
 * Valid: every group inflates to its rows' lanes.
 */
const GROUP_BYTES = 16_384;
const CODEC = { lz4: 1, deflate: 2 } as const;
/** Fewer bytes than this are not worth it. */
const PLAIN_BYTES_MIN = 256;
/** Deflate takes five times as long to inflate: it must be smaller than LZ4 by a tenth. */
const DEFLATE_GAIN = 0.9;

/** undefined unless it comes to at most `bytesMax`; one group shows early what they will come to. */
export function compressedDraft(codes: Uint32Array, bits: number, bytesMax: number): Draft | undefined {
  const laneBytes = bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
  const plain = pack(codes, laneBytes * 8);
  if (plain.length < PLAIN_BYTES_MIN) return undefined;
  const first = plain.subarray(0, GROUP_BYTES);
  const fast = lz4Of(first);
  const dense = deflateOf(first);
  const codec = dense.length < fast.length * DEFLATE_GAIN ? CODEC.deflate : CODEC.lz4;
  const compress = codec === CODEC.deflate ? deflateOf : lz4Of;
  const groups = [codec === CODEC.deflate ? dense : fast];
  if (groups[0]!.length * plain.length > bytesMax * first.length) return undefined;
  for (let from = GROUP_BYTES; from < plain.length; from += GROUP_BYTES) {
    groups.push(compress(plain.subarray(from, from + GROUP_BYTES)));
  }
  const bytes = groups.reduce((total, group) => total + 2 + group.length, 3);
  if (bytes > bytesMax) return undefined;
  return {
    bytes,
    // Inflated at about 3 ns a byte.
    scanNsPerRow: 3 * laneBytes,
    write(target) {
      target.byte(KIND.compressed);
      target.byte(laneBytes);
      target.byte(codec);
      for (const group of groups) target.varint(group.length);
      for (const group of groups) target.bytes(group);
    },
  };
}

function deflateOf(plain: Uint8Array): Uint8Array {
  return deflateRawSync(plain, { level: 6 });
}

/** Without the length that lz4-napi puts first. */
function lz4Of(plain: Uint8Array): Uint8Array {
  return compressSync(Buffer.from(plain.buffer, plain.byteOffset, plain.length)).subarray(4);
}

export function groupCount(laneBytes: number, rowCount: number): number {
  return Math.ceil((laneBytes * rowCount) / GROUP_BYTES);
}

export function isCodec(byte: number): boolean {
  return byte === CODEC.lz4 || byte === CODEC.deflate;
}

export class CompressedCodes implements Codes {
  readonly rowCount: number;
  readonly #bytes: Uint8Array;
  readonly #laneBytes: number;
  readonly #codec: number;
  /** Where group g begins in `bytes`; one more for the end. */
  readonly #offsets: Uint32Array;
  readonly #place: Place;
  /** The group used last, inflated; see keepOpen(). */
  #open: { readonly group: number; readonly codes: Codes } | undefined;

  constructor(
    bytes: Uint8Array,
    layout: { readonly laneBytes: number; readonly codec: number; readonly offsets: Uint32Array },
    rowCount: number,
    place: Place,
  ) {
    this.rowCount = rowCount;
    this.#bytes = bytes;
    this.#laneBytes = layout.laneBytes;
    this.#codec = layout.codec;
    this.#offsets = layout.offsets;
    this.#place = place;
  }

  get #groupRows(): number {
    return GROUP_BYTES / this.#laneBytes;
  }

  at(row: number): number {
    const group = Math.floor(row / this.#groupRows);
    return this.#opened(group).at(row - group * this.#groupRows);
  }

  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; ) {
      const group = Math.floor(row / this.#groupRows);
      const groupFrom = group * this.#groupRows;
      const end = Math.min(to, groupFrom + this.#groupRows);
      this.#opened(group).decode(row - groupFrom, end - groupFrom, target.subarray(row - from));
      row = end;
    }
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    for (let i = 0; i < rows.length; i++) target[i] = this.at(rows[i]! - first);
  }

  firstFrom(code: number): number {
    return searchFirstFrom(this, code);
  }

  select(filter: CodeFilter, words: Uint32Array): void {
    for (let from = 0; from < this.rowCount; from += this.#groupRows) {
      const codes = this.#opened(from / this.#groupRows);
      codes.select(filter, words.subarray(from >>> 5, (from + codes.rowCount + 31) >>> 5));
    }
  }

  close(): void {
    this.#open = undefined;
  }

  #opened(group: number): Codes {
    if (this.#open?.group === group) return this.#open.codes;
    const codes = this.#codesOf(group);
    if (this.#open === undefined) keepOpen(this);
    this.#open = { group, codes };
    return codes;
  }

  #codesOf(group: number): Codes {
    const from = group * this.#groupRows;
    const rowCount = Math.min(this.#groupRows, this.rowCount - from);
    const bytes = this.#bytes.subarray(this.#offsets[group]!, this.#offsets[group + 1]!);
    const plain = this.#inflate(bytes, rowCount * this.#laneBytes);
    return new PackedCodes(plain, 0, this.#laneBytes * 8, rowCount);
  }

  /** Never more than `plainBytes` are allocated. */
  #inflate(bytes: Uint8Array, plainBytes: number): Uint8Array {
    let plain: Uint8Array;
    try {
      plain =
        this.#codec === CODEC.deflate
          ? inflateRawSync(bytes, { maxOutputLength: plainBytes })
          : uncompressSync(withLength(bytes, plainBytes));
    } catch (error) {
      damaged(this.#place, `a compressed group of ${plainBytes} bytes`, String(error));
    }
    if (plain.length !== plainBytes) damaged(this.#place, `${plainBytes} plain bytes`, String(plain.length));
    return plain;
  }
}

/** With the length that lz4-napi wants first. */
function withLength(bytes: Uint8Array, plainBytes: number): Uint8Array {
  const block = new Uint8Array(4 + bytes.length);
  new DataView(block.buffer).setUint32(0, plainBytes, true);
  block.set(bytes, 4);
  return block;
}

/** Chunks that keep a group open, in the order in which they opened their first. One table a thread. */
const openChunks: (WeakRef<CompressedCodes> | undefined)[] = new Array(GROUPS_OPEN_MAX);
let nextOpen = 0;

/** Closes the group of the chunk that has kept one for longest. */
function keepOpen(chunk: CompressedCodes): void {
  openChunks[nextOpen]?.deref()?.close();
  openChunks[nextOpen] = new WeakRef(chunk);
  nextOpen = (nextOpen + 1) % GROUPS_OPEN_MAX;
}
