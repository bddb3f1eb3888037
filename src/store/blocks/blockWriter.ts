import { ByteWriter } from '../../encoding/bytes.ts';
import {
  type BlockHeader,
  type ColumnShape,
  DIRECTORY_AT,
  type EventRows,
  hasNumbersAndOthers,
  headerChecksum,
  MAGIC,
  saltPart,
  sealSharedCodesSteps,
  setSharedCode,
  sharedCodesExtent,
  type TextCounts,
  VERSION,
  VERSION_WITH_ORIGINS,
} from './blockFormat.ts';
import { kindOf, TAG } from './cell.ts';

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
  readonly firsts: Chunks;
  readonly events: Chunks;
  readonly times: Chunks;
  /** Undefined when all rows are their users' own. */
  readonly origins: Chunks | undefined;
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
  view.setUint32(8, block.origins === undefined ? VERSION : VERSION_WITH_ORIGINS, true);
  view.setFloat64(16, block.window.startMs, true);
  view.setFloat64(24, block.window.endMs, true);
  const { rowCount, userCount, chunkRows } = block;
  [length, rowCount, userCount, chunkRows, directory.length, block.sharedCodes.length].forEach((field, i) => {
    view.setUint32(32 + 4 * i, field, true);
  });
  bytes.set(directory, DIRECTORY_AT);
  view.setUint32(12, headerChecksum(bytes, dataAt), true);
  let offset = dataAt;
  for (const part of parts) {
    bytes.set(part, offset);
    saltPart(bytes, offset);
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
  for (const chunks of [block.ordinals, block.firsts, block.events, block.times]) addChunks(chunks);
  writer.varint(block.eventRows.length);
  let previous = 0;
  for (const { eventCode, rowCount } of block.eventRows) {
    writer.varint(eventCode - previous);
    writer.varint(rowCount);
    previous = eventCode;
  }
  const sets = [
    ...new Set(block.columns.flatMap(({ eventSet }) => (eventSet === undefined ? [] : [eventSet]))),
  ];
  writer.varint(sets.length);
  for (const set of sets) {
    writer.varint(set.length);
    for (const [i, event] of set.entries()) writer.varint(event - (i === 0 ? 0 : set[i - 1]!));
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
  if (block.origins !== undefined) addChunks(block.origins);
  return writer.written();
}
