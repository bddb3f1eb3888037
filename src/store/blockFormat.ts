import { assert } from '../base/assert.ts';
import { crc32c } from '../base/crc32c.ts';
import { BLOCK_ROWS_MAX } from '../base/limits.ts';
import { ByteReader, ByteWriter } from '../encoding/bytes.ts';
import { damaged, expectBytes, type Place } from '../encoding/contract.ts';
import { KINDS_MAX, kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import type { Window } from './windows.ts';

/**
 * A block: immutable rows of one window, sorted by ordinal, then time, then arrival. The same bytes in memory and on
 * disk; all numbers little-endian.
 *
 *   0  u8[8]  "MUSTERBK"
 *   8  u32    version, 1
 *  12  u32    CRC32C of bytes 16 to the end of the directory
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
 *   streams of rows: ordinals (one a user, ascending), starts (the user's first row), numbers (from 0, in the list
 *     below) of event names, times (ms; one a row each)
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
 * Valid: all checksums fit; lengths are as stated; codes are below the number of what they stand for; each event name
 * has as many rows as stated.
 */
const MAGIC = 'MUSTERBK';
const VERSION = 1;
const DIRECTORY_AT = 56;
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

export type Chunks = readonly Uint8Array[];

export function bytesOf(chunks: Chunks): number {
  return chunks.reduce((total, chunk) => total + chunk.length, 0);
}

export interface WrittenStream {
  /** The values; of a determined stream the value for each code of the column that determines it. */
  readonly chunks: Chunks;
  readonly determined?: {
    /** The column's property code. */
    readonly by: number;
    readonly exceptionCount: number;
    readonly exceptionRows: Chunks;
    readonly exceptionValues: Chunks;
  };
}

export interface WrittenColumn extends ColumnShape {
  readonly codes: WrittenStream | undefined;
  readonly numbers: WrittenStream | undefined;
  readonly heap: Uint8Array | undefined;
}

export interface WrittenBlock extends BlockHeader {
  readonly ordinals: Chunks;
  readonly starts: Chunks;
  readonly events: Chunks;
  readonly times: Chunks;
  /** By code. */
  readonly eventRows: readonly EventRows[];
  /** By property code. */
  readonly columns: readonly WrittenColumn[];
  /** The dictionary's codes of the columns' texts, then arrays, column by column. */
  readonly sharedCodes: Uint32Array;
}

/** Lays a block out, in a SharedArrayBuffer. Yields between chunks. */
export function* writeBlockSteps(block: WrittenBlock): Generator<void, Uint8Array> {
  const parts: Uint8Array[] = [];
  const directory = writeDirectory(block, parts);
  const dataAt = DIRECTORY_AT + directory.length;
  const sharedAt = dataAt + bytesOf(parts);
  const length = sharedAt + sharedCodesExtent(0, block.sharedCodes.length).byteLength;
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < MAGIC.length; i++) bytes[i] = MAGIC.charCodeAt(i);
  view.setUint32(8, VERSION, true);
  view.setFloat64(16, block.window.startMs, true);
  view.setFloat64(24, block.window.endMs, true);
  const { rowCount, userCount, chunkRows } = block;
  [length, rowCount, userCount, chunkRows, directory.length, block.sharedCodes.length].forEach((field, i) => {
    view.setUint32(32 + 4 * i, field, true);
  });
  bytes.set(directory, DIRECTORY_AT);
  view.setUint32(12, crc32c(bytes.subarray(16, dataAt)), true);
  let offset = dataAt;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
    yield;
  }
  const shared = sharedCodesExtent(length, block.sharedCodes.length);
  for (let i = 0; i < block.sharedCodes.length; i++) setSharedCode(bytes, shared, i, block.sharedCodes[i]!);
  yield* sealSharedCodesSteps(bytes, shared);
  return bytes;
}

/** Adds the parts in the order in which the directory, which is returned, names them. */
function writeDirectory(block: WrittenBlock, parts: Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(1024);
  const addChunks = (chunks: Chunks) => {
    parts.push(...chunks);
    writer.varint(bytesOf(chunks));
  };
  const columnNumbers = new Map(block.columns.map(({ propertyCode }, i) => [propertyCode, i]));
  const addStream = ({ chunks, determined }: WrittenStream) => {
    writer.varint(determined === undefined ? 0 : columnNumbers.get(determined.by)! + 1);
    addChunks(chunks);
    if (determined === undefined) return;
    writer.varint(determined.exceptionCount);
    if (determined.exceptionCount === 0) return;
    addChunks(determined.exceptionRows);
    addChunks(determined.exceptionValues);
  };
  const addCounts = ({ shared, own }: TextCounts) => {
    writer.varint(shared);
    writer.varint(own);
  };
  for (const chunks of [block.ordinals, block.starts, block.events, block.times]) addChunks(chunks);
  writer.varint(block.eventRows.length);
  let previous = 0;
  for (const { eventCode, rowCount } of block.eventRows) {
    writer.varint(eventCode - previous);
    writer.varint(rowCount);
    previous = eventCode;
  }
  const sets = [...new Set(block.columns.flatMap(({ eventSet }) => (eventSet === undefined ? [] : [eventSet])))];
  writer.varint(sets.length);
  for (const set of sets) {
    writer.varint(set.length);
    set.forEach((event, i) => writer.varint(event - (i === 0 ? 0 : set[i - 1]!)));
  }
  writer.varint(block.columns.length);
  previous = 0;
  for (const column of block.columns) {
    const { propertyCode, eventSet, kinds, texts, arrays, numberCount, codes, numbers, heap } = column;
    writer.varint(propertyCode - previous);
    previous = propertyCode;
    writer.varint(eventSet === undefined ? 0 : sets.indexOf(eventSet) + 1);
    writer.varint(kinds);
    if ((kinds & kindOf(TAG.text)) !== 0) addCounts(texts);
    if ((kinds & kindOf(TAG.array)) !== 0) addCounts(arrays);
    if (hasNumbersAndOthers(kinds)) writer.varint(numberCount);
    if (codes !== undefined) addStream(codes);
    if (numbers !== undefined) addStream(numbers);
    if (heap !== undefined) addChunks([heap]);
  }
  return writer.written();
}

function hasNumbersAndOthers(kinds: number): boolean {
  const number = kindOf(TAG.number);
  return (kinds & number) !== 0 && kinds !== number;
}

/** Where bytes lie in the block. */
export interface Extent {
  readonly offset: number;
  readonly byteLength: number;
}

export interface StreamExtent extends Extent {
  readonly valueCount: number;
}

export interface FoundStream extends StreamExtent {
  readonly determined?: {
    readonly by: number;
    readonly exceptionRows: StreamExtent;
    readonly exceptionValues: StreamExtent;
  };
}

export interface FoundColumn extends ColumnShape {
  readonly rowCount: number;
  readonly codes: FoundStream | undefined;
  readonly numbers: FoundStream | undefined;
  readonly heap: Extent | undefined;
  /** Of its first text in the dictionary, among the block's codes. */
  readonly sharedFrom: number;
}

export interface FoundBlock extends BlockHeader {
  readonly ordinals: StreamExtent;
  readonly starts: StreamExtent;
  readonly events: StreamExtent;
  readonly times: StreamExtent;
  readonly eventRows: readonly EventRows[];
  readonly columns: readonly FoundColumn[];
  readonly directoryBytes: number;
  readonly sharedCodes: Extent;
}

/**
 * Where everything is. Checks header, directory and the dictionary's codes; the streams' and heaps' bytes are checked by
 * whoever opens them. Throws DamageError.
 */
export function readBlock(bytes: Uint8Array, file: string): FoundBlock {
  const at = (offset: number): Place => ({ file, offset });
  if (bytes.length < DIRECTORY_AT) damaged(at(0), 'a block', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1');
  if (magic !== MAGIC) damaged(at(0), MAGIC, magic);
  expectBytes(at(8), 'version', VERSION, view.getUint32(8, true));
  const dataAt = DIRECTORY_AT + view.getUint32(48, true);
  if (dataAt > bytes.length) damaged(at(48), `at most ${bytes.length} bytes`, `${dataAt}`);
  expectBytes(at(12), 'CRC32C', view.getUint32(12, true), crc32c(bytes.subarray(16, dataAt)));
  expectBytes(at(32), 'bytes', view.getUint32(32, true), bytes.length);
  const rowCount = view.getUint32(36, true);
  if (rowCount === 0 || rowCount > BLOCK_ROWS_MAX)
    damaged(at(36), `1 to ${BLOCK_ROWS_MAX} rows`, String(rowCount));
  const userCount = view.getUint32(40, true);
  if (userCount === 0 || userCount > rowCount) damaged(at(40), `1 to ${rowCount} users`, String(userCount));
  const chunkRows = view.getUint32(44, true);
  if (chunkRows === 0 || chunkRows % 32 !== 0) damaged(at(44), 'a multiple of 32', String(chunkRows));
  const sharedCodes = findSharedCodes(bytes, view, file);
  const directory = { offset: DIRECTORY_AT, end: dataAt };
  const reader = new DirectoryReader(
    new ByteReader(bytes, directory, at(DIRECTORY_AT), false),
    dataAt,
    sharedCodes.offset,
  );
  return {
    window: { startMs: view.getFloat64(16, true), endMs: view.getFloat64(24, true) },
    rowCount,
    userCount,
    chunkRows,
    ...reader.read(rowCount, userCount, view.getUint32(52, true)),
    directoryBytes: dataAt,
    sharedCodes,
  };
}

/** How many rows the names have; undefined for all. */
export function rowsOfSet(set: EventSet | undefined, eventRows: readonly EventRows[]): number | undefined {
  return set?.reduce((total, event) => total + eventRows[event]!.rowCount, 0);
}

class DirectoryReader {
  readonly #reader: ByteReader;
  readonly #dataEnd: number;
  /** Where what is named next begins. */
  #offset: number;

  constructor(reader: ByteReader, dataAt: number, dataEnd: number) {
    this.#reader = reader;
    this.#offset = dataAt;
    this.#dataEnd = dataEnd;
  }

  read(
    rowCount: number,
    userCount: number,
    sharedCount: number,
  ): Pick<FoundBlock, 'ordinals' | 'starts' | 'events' | 'times' | 'eventRows' | 'columns'> {
    const ordinals = this.#extent(userCount);
    const starts = this.#extent(userCount);
    const events = this.#extent(rowCount);
    const times = this.#extent(rowCount);
    const eventRows = this.#eventRows(rowCount);
    const sets = this.#eventSets(eventRows.length);
    const columns = this.#columns(rowCount, eventRows, sets, sharedCount);
    this.#reader.expectEnd();
    this.#expect(this.#offset === this.#dataEnd, `streams to ${this.#dataEnd}`, this.#offset);
    return { ordinals, starts, events, times, eventRows, columns };
  }

  #eventRows(rowCount: number): readonly EventRows[] {
    const eventRows: EventRows[] = [];
    let rest = rowCount;
    let eventCode = 0;
    for (let left = this.#next('event names', rowCount); left > 0; left--) {
      eventCode += this.#next('event codes', 0xffffffff - eventCode);
      this.#expect(eventCode !== eventRows.at(-1)?.eventCode, 'ascending event codes', eventCode);
      const rows = this.#reader.varint('rows of an event name', 1, rest);
      rest -= rows;
      eventRows.push({ eventCode, rowCount: rows });
    }
    this.#expect(rest === 0, `${rowCount} rows`, rowCount - rest);
    return eventRows;
  }

  #eventSets(eventCount: number): readonly EventSet[] {
    const sets: EventSet[] = [];
    // Here and below, each takes bytes of the directory, so that damage cannot make this long.
    for (let left = this.#next('sets'); left > 0; left--) {
      const set: number[] = [];
      for (let names = this.#reader.varint('event names of a set', 1, eventCount); names > 0; names--) {
        const event = (set.at(-1) ?? 0) + this.#next('event names', eventCount - 1 - (set.at(-1) ?? 0));
        this.#expect(event !== set.at(-1), 'ascending event names', event);
        set.push(event);
      }
      sets.push(set);
    }
    return sets;
  }

  #columns(
    rowCount: number,
    eventRows: readonly EventRows[],
    sets: readonly EventSet[],
    sharedCount: number,
  ): readonly FoundColumn[] {
    const columns: FoundColumn[] = [];
    let propertyCode = 0;
    let sharedFrom = 0;
    for (let left = this.#next('columns'); left > 0; left--) {
      propertyCode += this.#next('property codes', 0xffffffff - propertyCode);
      this.#expect(propertyCode !== columns.at(-1)?.propertyCode, 'ascending property codes', propertyCode);
      const eventSet = sets[this.#next('sets', sets.length) - 1];
      const cells = rowsOfSet(eventSet, eventRows) ?? rowCount;
      const kinds = this.#reader.varint('kinds', 1, KINDS_MAX);
      const texts = this.#textCounts(kinds, TAG.text, cells);
      const arrays = this.#textCounts(kinds, TAG.array, cells);
      const numberCount = this.#numberCount(kinds, cells);
      const shape = { propertyCode, eventSet, kinds, texts, arrays, numberCount };
      const codes = codeCount(shape) > 1 ? this.#stream(cells) : undefined;
      const numbers = numberCount > 0 ? this.#stream(numberCount) : undefined;
      const heap = texts.own + arrays.own > 0 ? this.#extent(texts.own + arrays.own) : undefined;
      columns.push({ ...shape, rowCount: cells, codes, numbers, heap, sharedFrom });
      sharedFrom += texts.shared + arrays.shared;
    }
    this.#expect(sharedFrom === sharedCount, `${sharedCount} shared texts`, sharedFrom);
    return columns;
  }

  #textCounts(kinds: number, tag: typeof TAG.text | typeof TAG.array, rowCount: number): TextCounts {
    if ((kinds & kindOf(tag)) === 0) return { shared: 0, own: 0 };
    const counts = { shared: this.#next('shared texts', rowCount), own: this.#next('own texts', rowCount) };
    this.#expect(counts.shared + counts.own > 0, 'a text', 0);
    return counts;
  }

  #numberCount(kinds: number, rowCount: number): number {
    if ((kinds & kindOf(TAG.number)) === 0) return 0;
    return hasNumbersAndOthers(kinds) ? this.#reader.varint('numbers', 1, rowCount) : rowCount;
  }

  #stream(valueCount: number): FoundStream {
    const by = this.#next('columns') - 1;
    // How many codes that column has, if there is one, is seen to by whoever opens the streams.
    const values = this.#extent(valueCount);
    if (by === -1) return values;
    const exceptionCount = this.#next('exceptions', valueCount);
    const none = { offset: this.#offset, byteLength: 0, valueCount: 0 };
    const exceptionRows = exceptionCount === 0 ? none : this.#extent(exceptionCount);
    const exceptionValues = exceptionCount === 0 ? none : this.#extent(exceptionCount);
    return { ...values, determined: { by, exceptionRows, exceptionValues } };
  }

  #extent(valueCount: number): StreamExtent {
    const byteLength = this.#next('bytes', this.#dataEnd - this.#offset);
    const offset = this.#offset;
    this.#offset += byteLength;
    return { offset, byteLength, valueCount };
  }

  #next(what: string, max = 0xffffffff): number {
    return this.#reader.varint(what, 0, max);
  }

  #expect(holds: boolean, expected: string, found: number): void {
    this.#reader.expect(holds, expected, String(found));
  }
}

function findSharedCodes(bytes: Uint8Array, view: DataView, file: string): Extent {
  const extent = sharedCodesExtent(bytes.length, view.getUint32(52, true));
  const { offset, byteLength } = extent;
  if (offset < DIRECTORY_AT) damaged({ file, offset: 52 }, `at most ${bytes.length} bytes`, `${byteLength}`);
  expectBytes({ file, offset }, 'CRC32C', view.getUint32(offset, true), crc32c(bytes.subarray(offset + 4)));
  return extent;
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
    const checksum = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(0, true);
    expectBytes({ file, offset }, 'CRC32C', checksum, yield* checksumSteps(bytes.subarray(offset + 4, end)));
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
