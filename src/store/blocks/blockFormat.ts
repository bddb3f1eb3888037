import { assert } from '../../base/assert.ts';
import { crc32c } from '../../base/crc32c.ts';
import { damaged, expectBytes } from '../../encoding/contract.ts';
import { kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import type { Window } from './windows.ts';

/**
 * A block: immutable rows of one window, sorted by ordinal, then time, then origin (those of merged users before the
 * user's own), then arrival. The same bytes in memory and on disk; all numbers little-endian.
 *
 *   0  u8[8]  "MUSTERBK"
 *   8  u32    version: 4, or 5 with origins; read too are 1, 2, and 3 with origins
 *  12  u32    checksum: CRC32C of the version, and then of bytes 16 to the end of the directory (version 1: of the latter alone)
 *  16  f64    window start, ms
 *  24  f64    window end, ms (exclusive)
 *  32  u32    bytes of the block
 *  36  u32    rows
 *  40  u32    users
 *  44  u32    rows of a chunk, a multiple of 32
 *  48  u32    bytes of the directory
 *  52  u32    texts that are codes of the tablet's dictionary
 *  56         directory: varints (encoding/bytes.ts)
 *   .         streams and text heaps, in the order in which the directory names them
 *   .         codes of the tablet's dictionary: u32 CRC32C of the rest, then 3 bytes each
 *
 * The directory:
 *
 *   streams: one a user, ascending: its ordinal (version 1: how many lie between it and the one before; before the
 *     first: from 0); and, one a row: 1 for a user's first row, else 0; number of the event name, from 0 in the list below; time, ms
 *   event names; for each, ascending: its code less the previous one's, its rows
 *   sets of event names; for each: how many names; for each, ascending: its number (from 0) less the previous one's
 *   columns; for each, ascending: property code less the previous column's, and
 *     0: it has a cell for each row; n: for each row of the n-th set's event names
 *     kinds of its cells: 1 missing, 2 number, 4 text, 8 array, 16 false, 32 true
 *     with texts: texts in the tablet's dictionary, texts in the block; with arrays: the same of their JSON texts
 *     with numbers and other kinds: cells that are numbers
 *     unless all cells have one code: a stream of codes
 *     with numbers: a stream of them
 *     with texts or arrays in the block: bytes of a heap of them
 *   with origins: a stream of them, one a row: 0 for the user's own; n: of the n-th user that was merged into this one
 *
 * A heap is u32 CRC32C of the rest, and a text heap (textHeap.ts) with texts before arrays.
 *
 * A cell's code says what it is: one code for each of the kinds missing, number, false and true that occur, in this
 * order; then one for each text in the dictionary, text in the block, array in the dictionary and array in the block.
 * The stream of numbers has just those cells that are numbers.
 *
 * A stream is chunks (encoding/chunk.ts) one after another, in the directory 0 and its bytes. Or another column of
 * equal rows determines it: n, for the n-th column, whose codes' stream is not determined itself; bytes of a stream with
 * the value for each code of that column; the number of exceptions and, if any, bytes of streams of their rows,
 * ascending, and of their values.
 *
 * From version 4 on, the CRC32C of each part behind the directory (each chunk, heap, and the dictionary's codes) is
 * stored XOR the salt of its place: (0x9e3779b1 times the part's offset, modulo 2^32) XOR the checksum at 12. So no part
 * is taken for another one, nor for another block's.
 *
 * Valid: all checksums fit; lengths are as stated; ordinals ascend; codes are below the number of what they stand for; each event name
 * has as many rows as stated.
 */
export const MAGIC = 'MUSTERBK';
export const VERSION = 4;
/** Of blocks with rows of merged users. */
export const VERSION_WITH_ORIGINS = 5;
/** Those that are read, and of them those with origins. */
export const VERSIONS: readonly number[] = [1, 2, 3, VERSION, VERSION_WITH_ORIGINS];
export const VERSIONS_WITH_ORIGINS: readonly number[] = [3, VERSION_WITH_ORIGINS];
export const DIRECTORY_AT = 56;
export const SHARED_CODE_BYTES = 3;
const HEAP_AT = 4;
const CHECKSUM_STEP_BYTES = 1 << 18;

export interface BlockHeader {
  readonly window: Window;
  readonly rowCount: number;
  readonly userCount: number;
  readonly chunkRows: number;
}

export interface EventRows {
  readonly eventCode: number;
  readonly rowCount: number;
}

/** Numbers of event names, in ascending order. Sets that are equal are the same one. */
export type EventSet = readonly number[];

/** What the header must say: of the version, the rest of the header, and the directory, which ends at `directoryEnd`. */
export function headerChecksum(bytes: Uint8Array, directoryEnd: number): number {
  const start = bytes[8] === 1 ? 0 : crc32c(bytes.subarray(8, 12));
  return crc32c(bytes.subarray(16, directoryEnd), start);
}

/** By the offset of a part behind the directory, what its checksum is XORed with. The header must be written. */
export function saltOf(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, DIRECTORY_AT);
  if (view.getUint32(8, true) < VERSION) return 0;
  return (Math.imul(offset, 0x9e3779b1) ^ view.getUint32(12, true)) >>> 0;
}

/** Salts the checksum that a part begins with. */
export function saltPart(bytes: Uint8Array, offset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(offset, view.getUint32(offset, true) ^ saltOf(bytes, offset), true);
}

/** Texts of a column: those the dictionary has, and those in the column's heap, in which texts come before arrays. */
export interface TextCounts {
  readonly shared: number;
  readonly own: number;
}

export interface ColumnShape {
  readonly propertyCode: number;
  /** It has a cell for each row of these event names, numbers of `eventRows`; undefined for each row of the block. */
  readonly eventSet: EventSet | undefined;
  /** Of its cells, see kindOf. */
  readonly kinds: number;
  readonly texts: TextCounts;
  readonly arrays: TextCounts;
  readonly numberCount: number;
}

/** Codes of the kinds that stand for themselves; the codes of texts come after them. */
export function specialCount({ kinds }: ColumnShape): number {
  return SPECIAL_TAGS.reduce<number>((count, tag) => count + ((kinds & kindOf(tag)) === 0 ? 0 : 1), 0);
}

export function codeCount(shape: ColumnShape): number {
  const { texts, arrays } = shape;
  return specialCount(shape) + texts.shared + texts.own + arrays.shared + arrays.own;
}

/** How many rows the names have; undefined for all. */
export function rowsOfSet(set: EventSet | undefined, eventRows: readonly EventRows[]): number | undefined {
  return set?.reduce((total, event) => total + eventRows[event]!.rowCount, 0);
}

export function hasNumbersAndOthers(kinds: number): boolean {
  const number = kindOf(TAG.number);
  return (kinds & number) !== 0 && kinds !== number;
}

/** Where bytes lie in the block. */
export interface Extent {
  readonly offset: number;
  readonly byteLength: number;
}

/** The dictionary's code of the block's i-th text that is in the dictionary. */
export function sharedCode(bytes: Uint8Array, { offset }: Extent, i: number): number {
  const at = offset + 4 + i * SHARED_CODE_BYTES;
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

/** sealSharedCodesSteps must run after the last change. */
export function setSharedCode(bytes: Uint8Array, { offset }: Extent, i: number, code: number): void {
  assert(code < 2 ** (8 * SHARED_CODE_BYTES), 'a code of the dictionary has 3 bytes');
  const at = offset + 4 + i * SHARED_CODE_BYTES;
  bytes[at] = code;
  bytes[at + 1] = code >>> 8;
  bytes[at + 2] = code >>> 16;
}

/** Writes the checksum of the dictionary's codes. */
export function* sealSharedCodesSteps(bytes: Uint8Array, { offset }: Extent): Generator<void, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(offset, yield* checksumSteps(bytes.subarray(offset + 4)), true);
  saltPart(bytes, offset);
}

/** A text heap as it lies in a block. */
export function* checkedHeapSteps(heap: Uint8Array): Generator<void, Uint8Array> {
  const checked = new Uint8Array(HEAP_AT + heap.length);
  checked.set(heap, HEAP_AT);
  new DataView(checked.buffer).setUint32(0, yield* checksumSteps(checked.subarray(4)), true);
  return checked;
}

/** The text heap in it. Throws DamageError unless the bytes are `trusted`, or as they were written. */
export function* openHeapSteps(
  bytes: Uint8Array,
  { offset, byteLength }: Extent,
  file: string,
  trusted: boolean,
): Generator<void, Uint8Array> {
  if (byteLength < HEAP_AT) damaged({ file, offset }, 'a text heap', `${byteLength} bytes`);
  const end = offset + byteLength;
  if (!trusted) {
    const stated = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(0, true);
    const actual = (yield* checksumSteps(bytes.subarray(offset + 4, end))) ^ saltOf(bytes, offset);
    expectBytes({ file, offset }, 'CRC32C', stated, actual >>> 0);
  }
  return bytes.subarray(offset + HEAP_AT, end);
}

function* checksumSteps(bytes: Uint8Array): Generator<void, number> {
  let checksum = 0;
  for (let at = 0; at < bytes.length; at += CHECKSUM_STEP_BYTES) {
    checksum = crc32c(bytes.subarray(at, at + CHECKSUM_STEP_BYTES), checksum);
    yield;
  }
  return checksum;
}

/** Where the codes of so many texts are in a block of so many bytes. */
export function sharedCodesExtent(blockBytes: number, count: number): Extent {
  const byteLength = 4 + count * SHARED_CODE_BYTES;
  return { offset: blockBytes - byteLength, byteLength };
}
