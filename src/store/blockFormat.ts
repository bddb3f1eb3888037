import { crc32c } from '../base/crc32c.ts';
import { BLOCK_ROWS_MAX } from '../base/limits.ts';
import { type Column, openColumnSteps } from '../encoding/column.ts';
import { damaged, expectBytes, type Place } from '../encoding/contract.ts';
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
 *  44  u32    rows of a chunk, a multiple of 256
 *  48  u32    streams in the directory
 *  52  u32    0
 *  56         directory: 20 bytes a stream, zero-padded to a multiple of 8
 *       0  u32  role, see ROLE
 *       4  u32  property code; 0 for streams of rows
 *       8  u32  event code of a compact column; 0xffffffff for full-length columns and streams of rows
 *      12  u32  offset in the block, a multiple of 8
 *      16  u32  numbers in the stream
 *   .         streams: chunks one after another, see encoding/chunk.ts
 *
 * Streams of rows: `ordinals` (one a user, ascending) and `starts` (the user's first row), `events` (codes) and `times`
 * (ms), one a row, and `names` (the event codes that occur, ascending). A property common to most rows is a full-length
 * column; any other is a compact column per event name, whose n-th cell belongs to the n-th row of that name. A column
 * is a stream of type tags (cell.ts) and, per type that has payloads and occurs, a stream of the payloads of just the
 * cells with that tag.
 *
 * Valid: both kinds of checksum fit; bytes are as many as stated; streams of rows are there once and as long as stated,
 * columns are as long as the block or the event name; texts and arrays are codes the dictionary has.
 */
const MAGIC = 'MUSTERBK';
const VERSION = 1;
const DIRECTORY_AT = 56;
const ENTRY_BYTES = 20;

export const ROLE = {
  ordinals: 1,
  starts: 2,
  events: 3,
  times: 4,
  names: 5,
  /** Payloads of the cells with tag t: role 16 + t. */
  tags: 16,
} as const;

/** The event code of streams that are not of one event name. */
export const ALL_EVENTS = 0xffffffff;

export interface StreamKey {
  readonly role: number;
  readonly propertyCode: number;
  readonly eventCode: number;
}

export interface BlockHeader {
  readonly window: Window;
  readonly rowCount: number;
  readonly userCount: number;
  readonly chunkRows: number;
}

export interface WrittenStream extends StreamKey {
  readonly valueCount: number;
  readonly chunks: readonly Uint8Array[];
}

export interface OpenStream extends StreamKey {
  readonly column: Column;
}

/** Lays the streams out. Yields between chunks. */
export function* writeBlockSteps(
  header: BlockHeader,
  streams: readonly WrittenStream[],
): Generator<void, Uint8Array> {
  const directoryEnd = DIRECTORY_AT + streams.length * ENTRY_BYTES;
  const dataAt = Math.ceil(directoryEnd / 8) * 8;
  const chunks = streams.flatMap((stream) => stream.chunks);
  const bytes = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, dataAt));
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(MAGIC));
  view.setUint32(8, VERSION, true);
  view.setFloat64(16, header.window.startMs, true);
  view.setFloat64(24, header.window.endMs, true);
  const counts = [bytes.length, header.rowCount, header.userCount, header.chunkRows, streams.length];
  counts.forEach((count, i) => {
    view.setUint32(32 + i * 4, count, true);
  });
  let offset = dataAt;
  for (const [i, { role, propertyCode, eventCode, valueCount, chunks }] of streams.entries()) {
    [role, propertyCode, eventCode, offset, valueCount].forEach((field, j) => {
      view.setUint32(DIRECTORY_AT + i * ENTRY_BYTES + j * 4, field, true);
    });
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
      yield;
    }
  }
  view.setUint32(12, crc32c(bytes.subarray(16, directoryEnd)), true);
  return bytes;
}

/** Reads in place and checks everything but how streams belong together. `bytes` must not change any more. */
export function* readBlockSteps(
  bytes: Uint8Array,
  file: string,
): Generator<void, { readonly header: BlockHeader; readonly streams: readonly OpenStream[] }> {
  if (bytes.length < DIRECTORY_AT) damaged({ file, offset: 0 }, 'a block', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const directoryEnd = checkHeader(bytes, view, file);
  const rowCount = view.getUint32(36, true);
  const chunkRows = view.getUint32(44, true);
  const streams: OpenStream[] = [];
  for (let entry = DIRECTORY_AT; entry < directoryEnd; entry += ENTRY_BYTES) {
    const [role, propertyCode, eventCode, offset, valueCount] = [0, 4, 8, 12, 16].map((at) =>
      view.getUint32(entry + at, true),
    ) as [number, number, number, number, number];
    if (valueCount > rowCount)
      damaged({ file, offset: entry }, `at most ${rowCount} values`, String(valueCount));
    const column = yield* openColumnSteps(bytes, offset, valueCount, chunkRows, file);
    streams.push({ role, propertyCode, eventCode, column });
  }
  const window = { startMs: view.getFloat64(16, true), endMs: view.getFloat64(24, true) };
  return { header: { window, rowCount, userCount: view.getUint32(40, true), chunkRows }, streams };
}

/** The directory's end. */
function checkHeader(bytes: Uint8Array, view: DataView, file: string): number {
  const at = (offset: number): Place => ({ file, offset });
  const magic = Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1');
  if (magic !== MAGIC) damaged(at(0), MAGIC, magic);
  expectBytes(at(8), 'version', VERSION, view.getUint32(8, true));
  const directoryEnd = DIRECTORY_AT + view.getUint32(48, true) * ENTRY_BYTES;
  if (directoryEnd > bytes.length) damaged(at(48), `at most ${bytes.length} bytes`, `${directoryEnd}`);
  expectBytes(at(12), 'CRC32C', view.getUint32(12, true), crc32c(bytes.subarray(16, directoryEnd)));
  expectBytes(at(32), 'bytes', view.getUint32(32, true), bytes.length);
  const rowCount = view.getUint32(36, true);
  if (rowCount === 0 || rowCount > BLOCK_ROWS_MAX)
    damaged(at(36), `1 to ${BLOCK_ROWS_MAX} rows`, String(rowCount));
  const chunkRows = view.getUint32(44, true);
  if (chunkRows === 0 || chunkRows % 256 !== 0) damaged(at(44), 'a multiple of 256', String(chunkRows));
  return directoryEnd;
}
