import { ORDINALS_MAX } from '../../base/limits.ts';
import { type Column, openColumnSteps } from '../../encoding/column.ts';
import { damaged, equalTo } from '../../encoding/contract.ts';
import { TextHeap } from '../texts/textHeap.ts';
import type { Texts } from '../texts/texts.ts';
import {
  type FoundBlock,
  type FoundColumn,
  type FoundStream,
  readBlock,
  type StreamExtent,
} from './blockDirectory.ts';
import {
  codeCount,
  type EventRows,
  openHeapSteps,
  SHARED_CODE_BYTES,
  saltOf,
  sharedCode,
} from './blockFormat.ts';
import { CellColumn } from './cellColumn.ts';
import type { ColumnTexts } from './columnTexts.ts';
import { GapOrdinals } from './gapOrdinals.ts';
import { DeterminedColumn, type NumberColumn } from './numberColumn.ts';
import { ListedOrdinals, type Ordinals } from './ordinals.ts';
import type { Window } from './windows.ts';

/** Values checked between two yields. */
const STEP_VALUES = 1 << 14;
const doubles = new Float64Array(STEP_VALUES);
/** What V8 takes for an open chunk and an open column, as measured with Node 20. */
const CHUNK_OBJECT_BYTES = 330;
const COLUMN_OBJECT_BYTES = 1500;

export interface OpenColumn {
  readonly shape: FoundColumn;
  readonly codes: NumberColumn | undefined;
  readonly numbers: NumberColumn | undefined;
  readonly texts: ColumnTexts;
  readonly cells: CellColumn;
}

export interface OpenBlock {
  readonly window: Window;
  readonly rowCount: number;
  readonly ordinals: Ordinals;
  /** 1 for a user's first row, else 0. */
  readonly firsts: Column;
  /** Numbers of event names. */
  readonly events: Column;
  readonly times: Column;
  /** 0 for the user's own row, n for one of the n-th user merged into it; undefined when all are their users' own. */
  readonly origins: Column | undefined;
  readonly eventRows: readonly EventRows[];
  readonly columns: readonly OpenColumn[];
  readonly memory: BlockMemory;
}

/** Bytes of a block by what they are for. */
export interface BlockMemory {
  /** Header and directory. */
  readonly directory: number;
  /** Which rows are whose. */
  readonly users: number;
  readonly events: number;
  readonly times: number;
  /** By property code. `texts`: heap, and codes of the dictionary. */
  readonly properties: ReadonlyMap<number, { readonly values: number; readonly texts: number }>;
  /** Held beside the block's bytes once it is open. */
  readonly objects: number;
}

/**
 * Opens all streams, which are read in place. Checks every byte unless they are trusted. `dictionary`: the tablet's, or
 * undefined when nobody is going to ask for texts. Throws DamageError.
 */
export function* openBlockSteps(
  bytes: Uint8Array,
  dictionary: Texts | undefined,
  file: string,
  trusted: boolean,
): Generator<void, OpenBlock> {
  const found = readBlock(bytes, file);
  const reader = new StreamReader(bytes, found.chunkRows, file, trusted);
  if (!trusted && dictionary !== undefined) yield* checkSharedCodesSteps(bytes, found, dictionary, file);
  const ordinals = yield* reader.ordinalsSteps(found);
  const firsts = yield* reader.columnSteps(found.firsts);
  const events = yield* reader.columnSteps(found.events);
  const times = yield* reader.columnSteps(found.times);
  const origins = found.origins === undefined ? undefined : yield* reader.columnSteps(found.origins);
  if (origins !== undefined) yield* reader.checkCodesSteps(origins, ORDINALS_MAX, found.origins!);
  yield* reader.checkFirstsSteps(firsts, found);
  yield* reader.checkEventsSteps(events, found);
  const columns = yield* openColumnsSteps(reader, found, dictionary);
  return { ...found, ordinals, firsts, events, times, origins, columns, memory: memoryOf(found, columns) };
}

function* openColumnsSteps(
  reader: StreamReader,
  found: FoundBlock,
  dictionary: Texts | undefined,
): Generator<void, readonly OpenColumn[]> {
  const plainCodes: (Column | undefined)[] = [];
  for (const { codes } of found.columns) {
    const isPlain = codes !== undefined && codes.determined === undefined;
    plainCodes.push(isPlain ? yield* reader.columnSteps(codes) : undefined);
  }
  const columns: OpenColumn[] = [];
  for (const [i, column] of found.columns.entries()) {
    const codes =
      plainCodes[i] ?? (yield* reader.streamSteps(column, column.codes, found.columns, plainCodes));
    const numbers = yield* reader.streamSteps(column, column.numbers, found.columns, plainCodes);
    if (codes !== undefined) yield* reader.checkCodesSteps(codes, codeCount(column), column.codes!);
    const texts: ColumnTexts = {
      shape: column,
      dictionary,
      sharedCode: (i) => sharedCode(reader.bytes, found.sharedCodes, column.sharedFrom + i),
      heap: yield* reader.heapSteps(column),
    };
    const rows = { rowCount: column.rowCount, blockRows: found.rowCount };
    const cells = new CellColumn(column, rows, codes, numbers, texts);
    columns.push({ shape: column, codes, numbers, texts, cells });
  }
  return columns;
}

class StreamReader {
  readonly bytes: Uint8Array;
  readonly #chunkRows: number;
  readonly #file: string;
  readonly #trusted: boolean;

  constructor(bytes: Uint8Array, chunkRows: number, file: string, trusted: boolean) {
    this.bytes = bytes;
    this.#chunkRows = chunkRows;
    this.#file = file;
    this.#trusted = trusted;
  }

  columnSteps({ offset, byteLength, valueCount }: StreamExtent): Generator<void, Column> {
    const bytes = this.bytes.subarray(0, offset + byteLength);
    const options = { trusted: this.#trusted, saltOf: (at: number) => saltOf(bytes, at) };
    return openColumnSteps(bytes, offset, valueCount, this.#chunkRows, this.#file, options);
  }

  *ordinalsSteps({ ordinals: at, version }: FoundBlock): Generator<void, Ordinals> {
    const column = yield* this.columnSteps(at);
    if (version === 1) {
      return yield* GapOrdinals.openSteps(column, (last) =>
        this.damaged(at, 'ordinals of 32 bits', String(last)),
      );
    }
    yield* this.checkAscendingSteps(column, 0xffffffff, at);
    return new ListedOrdinals(column);
  }

  *streamSteps(
    of: FoundColumn,
    stream: FoundStream | undefined,
    columns: readonly FoundColumn[],
    plainCodes: readonly (Column | undefined)[],
  ): Generator<void, NumberColumn | undefined> {
    if (stream === undefined) return undefined;
    const { determined } = stream;
    if (determined === undefined) return yield* this.columnSteps(stream);
    const by = columns[determined.by];
    const codes = plainCodes[determined.by];
    if (by === undefined || codes === undefined)
      this.damaged(stream, 'a column of codes', String(determined.by));
    if (by.eventSet !== of.eventSet) this.damaged(stream, 'a column of the same rows', String(determined.by));
    if (stream.valueCount !== by.rowCount)
      this.damaged(stream, `${by.rowCount} values`, String(stream.valueCount));
    const map = yield* this.columnSteps({ ...stream, valueCount: codeCount(by) });
    const exceptionRows = yield* this.columnSteps(determined.exceptionRows);
    const exceptionValues = yield* this.columnSteps(determined.exceptionValues);
    yield* this.checkAscendingSteps(exceptionRows, by.rowCount - 1, determined.exceptionRows);
    return new DeterminedColumn(codes, map, exceptionRows, exceptionValues);
  }

  *heapSteps({ heap, texts, arrays }: FoundColumn): Generator<void, TextHeap | undefined> {
    if (heap === undefined) return undefined;
    const place = { file: this.#file, offset: heap.offset };
    const opened = new TextHeap(yield* openHeapSteps(this.bytes, heap, this.#file, this.#trusted), place);
    if (opened.count !== texts.own + arrays.own)
      damaged(place, `${texts.own + arrays.own} texts`, String(opened.count));
    return opened;
  }

  /** Whole numbers, each greater than the one before it. */
  *checkAscendingSteps(column: Column, max: number, at: StreamExtent): Generator<void, void> {
    if (this.#trusted) return;
    let previous = -1;
    for (let from = 0; from < column.rowCount; from += STEP_VALUES) {
      const to = Math.min(from + STEP_VALUES, column.rowCount);
      column.decode(from, to, doubles);
      const found = firstNotAscending(doubles, to - from, previous, max);
      if (found !== -1) this.damaged(at, `a number over the one before, to ${max}`, String(doubles[found]));
      previous = doubles[to - from - 1]!;
      yield;
    }
  }

  *checkCodesSteps(codes: NumberColumn, codeCount: number, at: StreamExtent): Generator<void, void> {
    if (this.#trusted) return;
    for (let from = 0; from < codes.rowCount; from += STEP_VALUES) {
      const to = Math.min(from + STEP_VALUES, codes.rowCount);
      codes.decode(from, to, doubles);
      const found = firstNoCode(doubles, to - from, codeCount);
      if (found !== -1) this.damaged(at, `codes below ${codeCount}`, String(doubles[found]));
      yield;
    }
  }

  /** As many first rows as users, and the block begins with one. */
  *checkFirstsSteps(firsts: Column, { userCount, firsts: at }: FoundBlock): Generator<void, void> {
    if (this.#trusted) return;
    yield* this.checkCodesSteps(firsts, 2, at);
    const found = firsts.select(equalTo(1)).count();
    if (found !== userCount) this.damaged(at, `${userCount} first rows`, String(found));
    if (firsts.at(0) !== 1) this.damaged(at, 'a first row', 'none');
  }

  /** Each event name must have as many rows as the directory says: compact columns rely on it. */
  *checkEventsSteps(events: Column, { eventRows, events: at }: FoundBlock): Generator<void, void> {
    if (this.#trusted) return;
    yield* this.checkCodesSteps(events, eventRows.length, at);
    for (const [number, { rowCount }] of eventRows.entries()) {
      const found = events.select(equalTo(number)).count();
      if (found !== rowCount) this.damaged(at, `${rowCount} rows of event name ${number}`, String(found));
      yield;
    }
  }

  damaged({ offset }: StreamExtent, expected: string, found: string): never {
    damaged({ file: this.#file, offset }, expected, found);
  }
}

/** -1 when all are. */
function firstNotAscending(values: Float64Array, count: number, before: number, max: number): number {
  let previous = before;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (!(value > previous && value <= max && Math.floor(value) === value)) return i;
    previous = value;
  }
  return -1;
}

/** -1 when all are codes. */
function firstNoCode(values: Float64Array, count: number, codeCount: number): number {
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (!(value >= 0 && value < codeCount && Math.floor(value) === value)) return i;
  }
  return -1;
}

function* checkSharedCodesSteps(
  bytes: Uint8Array,
  { columns, sharedCodes }: FoundBlock,
  dictionary: Texts,
  file: string,
): Generator<void, void> {
  const last = columns.at(-1);
  const count = last === undefined ? 0 : last.sharedFrom + last.texts.shared + last.arrays.shared;
  for (let i = 0; i < count; i++) {
    const code = sharedCode(bytes, sharedCodes, i);
    if (code >= dictionary.count)
      damaged({ file, offset: sharedCodes.offset }, `codes below ${dictionary.count}`, String(code));
    if (i % STEP_VALUES === STEP_VALUES - 1) yield;
  }
}

function memoryOf(found: FoundBlock, open: readonly OpenColumn[]): BlockMemory {
  const { ordinals, firsts, events, times, origins, columns, chunkRows, directoryBytes } = found;
  const properties = new Map<number, { values: number; texts: number }>();
  let objects = 0;
  for (const { propertyCode, rowCount, codes, numbers, heap, texts, arrays } of columns) {
    const values = streamBytes(codes) + streamBytes(numbers);
    const shared = (texts.shared + arrays.shared) * SHARED_CODE_BYTES;
    properties.set(propertyCode, { values, texts: shared + (heap?.byteLength ?? 0) });
    objects += COLUMN_OBJECT_BYTES + Math.ceil(rowCount / chunkRows) * CHUNK_OBJECT_BYTES;
  }
  for (const { shape, texts } of open) {
    objects += (texts.heap?.memoryBytes ?? 0) - (shape.heap?.byteLength ?? 0);
  }
  for (const { valueCount } of [
    ordinals,
    firsts,
    events,
    times,
    ...(origins === undefined ? [] : [origins]),
  ]) {
    objects += COLUMN_OBJECT_BYTES + Math.ceil(valueCount / chunkRows) * CHUNK_OBJECT_BYTES;
  }
  return {
    directory: directoryBytes,
    users: ordinals.byteLength + firsts.byteLength + (origins?.byteLength ?? 0),
    events: events.byteLength,
    times: times.byteLength,
    properties,
    objects,
  };
}

function streamBytes(stream: FoundStream | undefined): number {
  if (stream === undefined) return 0;
  const { determined } = stream;
  if (determined === undefined) return stream.byteLength;
  return stream.byteLength + determined.exceptionRows.byteLength + determined.exceptionValues.byteLength;
}
