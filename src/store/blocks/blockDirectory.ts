import { crc32c } from '../../base/crc32c.ts';
import { BLOCK_ROWS_MAX } from '../../base/limits.ts';
import { ByteReader } from '../../encoding/bytes.ts';
import { damaged, expectBytes, type Place } from '../../encoding/contract.ts';
import {
  type BlockHeader,
  type ColumnShape,
  codeCount,
  DIRECTORY_AT,
  type EventRows,
  type EventSet,
  type Extent,
  hasNumbersAndOthers,
  headerChecksum,
  MAGIC,
  rowsOfSet,
  saltOf,
  sharedCodesExtent,
  type TextCounts,
  VERSIONS,
  VERSIONS_WITH_ORIGINS,
} from './blockFormat.ts';
import { KINDS_MAX, kindOf, TAG } from './cell.ts';

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
  readonly version: number;
  /** Of version 1: the gaps between them. */
  readonly ordinals: StreamExtent;
  readonly firsts: StreamExtent;
  readonly events: StreamExtent;
  readonly times: StreamExtent;
  /** Undefined when all rows are their users' own. */
  readonly origins: StreamExtent | undefined;
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
  const version = view.getUint32(8, true);
  if (!VERSIONS.includes(version)) damaged(at(8), `version ${VERSIONS.join(' or ')}`, String(version));
  const dataAt = DIRECTORY_AT + view.getUint32(48, true);
  if (dataAt > bytes.length) damaged(at(48), `at most ${bytes.length} bytes`, `${dataAt}`);
  expectBytes(at(12), 'CRC32C', view.getUint32(12, true), headerChecksum(bytes, dataAt));
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
    version,
    window: { startMs: view.getFloat64(16, true), endMs: view.getFloat64(24, true) },
    rowCount,
    userCount,
    chunkRows,
    ...reader.read({ rowCount, userCount, sharedCount: view.getUint32(52, true), version }),
    directoryBytes: dataAt,
    sharedCodes,
  };
}

type FoundDirectory = Pick<
  FoundBlock,
  'ordinals' | 'firsts' | 'events' | 'times' | 'origins' | 'eventRows' | 'columns'
>;

interface ReadOptions {
  readonly rowCount: number;
  readonly userCount: number;
  readonly sharedCount: number;
  readonly version: number;
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

  read({ rowCount, userCount, sharedCount, version }: ReadOptions): FoundDirectory {
    const ordinals = this.#extent(userCount);
    const firsts = this.#extent(rowCount);
    const events = this.#extent(rowCount);
    const times = this.#extent(rowCount);
    const eventRows = this.#eventRows(rowCount);
    const sets = this.#eventSets(eventRows.length);
    const columns = this.#columns(rowCount, eventRows, sets, sharedCount);
    const origins = VERSIONS_WITH_ORIGINS.includes(version) ? this.#extent(rowCount) : undefined;
    this.#reader.expectEnd();
    this.#expect(this.#offset === this.#dataEnd, `streams to ${this.#dataEnd}`, this.#offset);
    return { ordinals, firsts, events, times, origins, eventRows, columns };
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
  const checksum = crc32c(bytes.subarray(offset + 4)) ^ saltOf(bytes, offset);
  expectBytes({ file, offset }, 'CRC32C', view.getUint32(offset, true), checksum >>> 0);
  return extent;
}
