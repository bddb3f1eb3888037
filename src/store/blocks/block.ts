import { Bitset } from '../../base/bitset.ts';
import { type ArraySource, ordinaryArrays, SpareArrays } from '../../base/spareArrays.ts';
import type { Value } from '../../base/value.ts';
import type { Column } from '../../encoding/column.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import type { RowCounter } from '../../encoding/kernels/tally.ts';
import type {
  CellReader,
  Part,
  PartTrail,
  PlacedBatch,
  PlacedBy,
  PlacedWanted,
  RowCursor,
  TallyWanted,
  ValuePredicate,
} from '../part.ts';
import type { Texts } from '../texts/texts.ts';
import { BlockCellReader } from './blockCellReader.ts';
import type { EventRows, EventSet } from './blockFormat.ts';
import { type BlockMemory, type OpenBlock, type OpenColumn, openBlockSteps } from './blockReader.ts';
import { kindOf, TAG } from './cell.ts';
import { codeFilter } from './codeFilter.ts';
import { compress, expand } from './expand.ts';
import { placedRowsSteps } from './placedRows.ts';
import { Ranks } from './ranks.ts';
import { RowReader } from './rowReader.ts';
import { tallyBlockSteps } from './tallyBlock.ts';
import { UserDirectory } from './userDirectory.ts';
import type { Window } from './windows.ts';

/** Of the trail being read. */
let trailTimes = new Float64Array(1024);

/** An encoded, immutable part: sorted by ordinal, then time, then origin, then arrival. Read in place; see blockFormat.ts. */
export class Block implements Part {
  readonly bytes: Uint8Array;
  readonly window: Window;
  readonly rowCount: number;
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
  readonly #memory: BlockMemory;
  readonly #users: UserDirectory;
  readonly #times: Column;
  readonly #timeAt: RowReader;
  readonly #origins: Column | undefined;
  /** Numbers of event names. */
  readonly #events: Column;
  readonly #eventAt: RowReader;
  readonly #eventRows: readonly EventRows[];
  readonly #eventNumbers: ReadonlyMap<number, number>;
  /** By property code, ascending. */
  readonly #columns: ReadonlyMap<number, OpenColumn>;
  readonly #rowsOfSets: ReadonlyMap<EventSet, RowsOfSet>;

  /** Runs openSteps to its end at once. */
  static open(bytes: Uint8Array, dictionary: Texts, file: string, options: OpenOptions = {}): Block {
    const steps = Block.openSteps(bytes, dictionary, file, options);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /**
   * Checks every byte, unless they are trusted, and yields between chunks. `bytes` belong to the block from now on;
   * `dictionary` is the one whose codes they hold. Throws DamageError naming the file and the offset in the block.
   */
  static *openSteps(
    bytes: Uint8Array,
    dictionary: Texts,
    file: string,
    options: OpenOptions = {},
  ): Generator<void, Block> {
    const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    return new Block(aligned, yield* openBlockSteps(aligned, dictionary, file, options.trusted ?? false));
  }

  private constructor(bytes: Uint8Array, open: OpenBlock) {
    this.bytes = bytes;
    this.window = open.window;
    this.rowCount = open.rowCount;
    this.#memory = open.memory;
    this.#users = new UserDirectory(open.ordinals, open.firsts);
    this.#times = open.times;
    this.#timeAt = new RowReader(open.times, open.rowCount);
    this.#origins = open.origins;
    this.#events = open.events;
    this.#eventAt = new RowReader(open.events, open.rowCount);
    this.#eventRows = open.eventRows;
    this.#eventNumbers = new Map(open.eventRows.map(({ eventCode }, number) => [eventCode, number]));
    this.#columns = new Map(open.columns.map((column) => [column.shape.propertyCode, column]));
    this.#rowsOfSets = rowsOfSets(open);
    this.timeMinMs = open.times.min;
    this.timeMaxMs = open.times.max;
  }

  get memoryBytes(): number {
    let held = this.#users.memoryBytes;
    for (const rows of this.#rowsOfSets.values()) held += rows.ranks.memoryBytes;
    for (const { cells } of this.#columns.values()) held += cells.memoryBytes;
    return this.bytes.length + this.#memory.objects + held;
  }

  /** What the block's own bytes and objects are for. */
  memoryByColumn(): BlockMemory {
    return this.#memory;
  }

  /** Properties of which some texts are in the dictionary. */
  get sharedProperties(): readonly number[] {
    return [...this.#columns.values()]
      .filter(({ shape }) => shape.texts.shared + shape.arrays.shared > 0)
      .map(({ shape }) => shape.propertyCode);
  }

  rowsOfEvent(eventCode: number): number {
    const number = this.#eventNumbers.get(eventCode);
    return number === undefined ? 0 : this.#eventRows[number]!.rowCount;
  }

  /** How many different texts the property has here. */
  textsOf(propertyCode: number): number {
    const texts = this.#columns.get(propertyCode)?.shape.texts;
    return texts === undefined ? 0 : texts.shared + texts.own;
  }

  mayHaveEvent(eventCode: number): boolean {
    return this.#eventNumbers.has(eventCode);
  }

  selectEvents(eventCodes: readonly number[] | undefined, arrays?: ArraySource): Bitset {
    if (eventCodes === undefined) return Bitset.full(this.rowCount, arrays);
    const table = new Uint8Array(this.#eventRows.length);
    for (const eventCode of eventCodes) {
      const number = this.#eventNumbers.get(eventCode);
      if (number !== undefined) table[number] = 1;
    }
    return this.#events.select(codeFilter(table), arrays);
  }

  andTime(rows: Bitset, fromMs: number, toMs: number): void {
    if (fromMs <= this.timeMinMs && this.timeMaxMs < toMs) return;
    this.#times.and(rows, { kind: 'range', from: fromMs, to: toMs });
  }

  mayHaveArrays(propertyCode: number): boolean {
    const column = this.#columns.get(propertyCode);
    return column !== undefined && (column.shape.kinds & kindOf(TAG.array)) !== 0;
  }

  andProperty(rows: Bitset, propertyCode: number, predicate: ValuePredicate): void {
    const column = this.#columns.get(propertyCode);
    if (column === undefined) {
      if (!predicate.missing) rows.words.fill(0);
    } else if (column.shape.eventSet === undefined) {
      column.cells.and(rows, predicate);
    } else {
      this.#andCompact(rows, column, predicate);
    }
  }

  *askSteps(propertyCode: number, predicate: ValuePredicate): Generator<void> {
    const column = this.#columns.get(propertyCode);
    if (column !== undefined) yield* column.cells.askSteps(predicate);
  }

  #andCompact(rows: Bitset, { shape, cells }: OpenColumn, predicate: ValuePredicate): void {
    const { table } = this.#rowsOfSets.get(shape.eventSet!)!;
    const arrays = new SpareArrays();
    const withCells = this.#events.select(codeFilter(table), arrays);
    const dense = compress(rows, withCells, cells.rowCount, arrays);
    if (!dense.isEmpty) cells.and(dense, predicate);
    const passing = expand(dense, withCells, arrays);
    if (predicate.missing) rows.andNot(withCells).or(passing);
    else rows.words.set(passing.words);
    arrays.giveBackAll();
  }

  *tallySteps(wanted: TallyWanted, counter: RowCounter): Generator<void, void> {
    const column = this.#columns.get(wanted.propertyCode);
    if (column === undefined) return;
    const { eventSet } = column.shape;
    const withCells =
      eventSet === undefined
        ? new Uint8Array(this.#eventRows.length).fill(1)
        : this.#rowsOfSets.get(eventSet)!.table;
    const { ordinals, firsts } = this.#users;
    const streams = {
      events: this.#events,
      eventRows: this.#eventRows,
      firsts,
      ordinals,
      times: this.#times,
    };
    yield* tallyBlockSteps(streams, column, withCells, wanted, counter);
  }

  andUsers(rows: Bitset, ordinals: Bitset): void {
    if (!rows.isEmpty) this.#users.andOrdinals(rows, ordinals);
  }

  countByOrdinal(rows: Bitset, counts: Uint32Array): void {
    if (!rows.isEmpty) this.#users.countByOrdinal(rows, counts);
  }

  *rowsByUserSteps(
    rows: Bitset,
    kinds: readonly (Bitset | undefined)[],
    arrays?: ArraySource,
  ): Generator<void, RowCursor> {
    yield;
    return this.#users.rowCursor(rows, kinds, this.#times, arrays);
  }

  *placedRowsSteps(
    rows: Bitset,
    places: readonly (readonly PlacedBy[])[],
    wanted: PlacedWanted,
    visit: (batch: PlacedBatch) => void,
    arrays = ordinaryArrays,
  ): Generator<void, void> {
    const firsts = wanted === 'users' ? this.#users.firstBits(arrays) : undefined;
    yield;
    yield* placedRowsSteps(rows, places, { times: this.#times, firsts, wanted }, visit);
    if (firsts !== undefined) arrays.giveBack(firsts);
  }

  cellReader(propertyCode: number, arrays?: ArraySource): CellReader | undefined {
    const column = this.#columns.get(propertyCode);
    if (column === undefined) return undefined;
    const { eventSet } = column.shape;
    const table = eventSet && this.#rowsOfSets.get(eventSet)!.table;
    return new BlockCellReader(column, table && this.#events.select(codeFilter(table), arrays), arrays);
  }

  get hasOrigins(): boolean {
    return this.#origins !== undefined;
  }

  originAt(row: number): number {
    return this.#origins === undefined ? 0 : this.#origins.at(row);
  }

  trailOf(ordinal: number): PartTrail | undefined {
    const found = this.#users.rowsOf(ordinal);
    if (found === undefined) return undefined;
    const { start, end } = found;
    const length = end - start;
    if (trailTimes.length < length) trailTimes = new Float64Array(length);
    this.#times.decode(start, end, trailTimes);
    const rows = new Array<number>(length);
    const timesMs = new Array<number>(length);
    for (let i = 0; i < length; i++) {
      rows[i] = start + i;
      timesMs[i] = trailTimes[i]!;
    }
    if (this.#origins === undefined) return { rows, timesMs };
    const origins = new Uint32Array(rows.length);
    this.#origins.decode(start, end, origins);
    return { rows, timesMs, origins };
  }

  eventAt(row: number): number {
    return this.#eventRows[this.#eventAt.at(row)]!.eventCode;
  }

  readEvents(rows: Uint32Array, target: Uint32Array): void {
    this.#events.gather(rows, target);
    // Where the block has events of all names, their numbers are their codes.
    if (this.#eventRows.some(({ eventCode }, number) => eventCode !== number)) {
      const codes = Uint32Array.from(this.#eventRows, ({ eventCode }) => eventCode);
      kernels().lookUp(target, 0, codes);
    }
  }

  timeAt(row: number): number {
    return this.#timeAt.at(row);
  }

  ordinalAt(row: number): number {
    return this.#users.ordinalAt(row);
  }

  valueAt(row: number, propertyCode: number): Value | undefined {
    const column = this.#columns.get(propertyCode);
    return column === undefined ? undefined : this.#valueIn(column, row);
  }

  propertiesAt(row: number): readonly (readonly [number, Value])[] {
    const properties: (readonly [number, Value])[] = [];
    for (const [propertyCode, column] of this.#columns) {
      const value = this.#valueIn(column, row);
      if (value !== undefined) properties.push([propertyCode, value]);
    }
    return properties;
  }

  #valueIn({ shape, cells }: OpenColumn, row: number): Value | undefined {
    if (shape.eventSet === undefined) return cells.at(row);
    const { table, ranks } = this.#rowsOfSets.get(shape.eventSet)!;
    return table[this.#eventAt.at(row)] === 1 ? cells.at(ranks.rank(row)) : undefined;
  }
}

export interface OpenOptions {
  /** This process has just made the bytes: they need not be checked. */
  readonly trusted?: boolean;
}

/** Which rows have a set's event names: table[event number] is 1. */
interface RowsOfSet {
  readonly table: Uint8Array;
  readonly ranks: Ranks;
}

function rowsOfSets({ columns, events, eventRows }: OpenBlock): ReadonlyMap<EventSet, RowsOfSet> {
  const rowsOf = new Map<EventSet, RowsOfSet>();
  for (const { shape } of columns) {
    const { eventSet } = shape;
    if (eventSet === undefined || rowsOf.has(eventSet)) continue;
    const table = new Uint8Array(eventRows.length);
    for (const event of eventSet) table[event] = 1;
    rowsOf.set(eventSet, { table, ranks: new Ranks(events, table) });
  }
  return rowsOf;
}
