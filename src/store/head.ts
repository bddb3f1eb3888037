import { assert } from '../base/assert.ts';
import { Bitset } from '../base/bitset.ts';
import { HEAD_CELLS_MAX, HEAD_ROWS_MAX } from '../base/limits.ts';
import { release } from '../base/release.ts';
import { lastAtMost } from '../base/search.ts';
import type { ArraySource } from '../base/spareArrays.ts';
import type { Value } from '../base/value.ts';
import { MASK_WORDS, type RowCounter } from '../encoding/kernels/tally.ts';
import type { HeadRows } from './blocks/blockJob.ts';
import { type CellTest, cellOf, cellTest, cellValue, TAG } from './blocks/cell.ts';
import { HeadCellReader, type HeadCells, SortedRowCursor } from './headReaders.ts';
import type { CellReader, Part, PartTrail, RowCursor, TallyWanted, ValuePredicate } from './part.ts';
import { LocalTexts } from './texts/localTexts.ts';
import { gathered, trailOrderSteps } from './trailOrder.ts';

const ROWS_START = 64;
const CELLS_START = 256;
const NO_ROW = 0xffffffff;
/** Rows asked about between two yields. */
const ROWS_PER_STEP = 1 << 12;

/**
 * The newest rows, in order of arrival, in arrays that grow. These are many MB and live for seconds, so their memory is
 * given back by hand (base/release.ts) rather than when V8 comes to collect it; shared memory it would not even count.
 */
export class Head implements Part, HeadCells {
  readonly #texts: LocalTexts;
  readonly #rowsMax: number;
  /** Of which this is a snapshot; itself if it is none. */
  readonly #whole: Head;
  #rowCount = 0;
  #isShared = false;
  #ordinals: Uint32Array;
  #events: Uint32Array;
  #times: Float64Array;
  /** The user's row before this one, NO_ROW for the first. */
  #previousRows: Uint32Array;
  /** Row r has the cells [cellStarts[r], cellStarts[r + 1]), in ascending order of property code. */
  #cellStarts: Uint32Array;
  #cellProperties: Uint32Array;
  #cellTags: Uint8Array;
  #cellPayloads: Float64Array;
  readonly #lastRows: Map<number, number>;
  readonly #eventCodes: Set<number>;
  #timeMinMs = Infinity;
  #timeMaxMs = -Infinity;

  /** `whole`: makes a snapshot of it. */
  constructor(rowsMax = HEAD_ROWS_MAX, whole?: Head) {
    this.#rowsMax = rowsMax;
    this.#whole = whole ?? this;
    if (whole === undefined) {
      this.#texts = new LocalTexts();
      this.#ordinals = new Uint32Array(ROWS_START);
      this.#events = new Uint32Array(ROWS_START);
      this.#times = new Float64Array(ROWS_START);
      this.#previousRows = new Uint32Array(ROWS_START);
      this.#cellStarts = new Uint32Array(ROWS_START);
      this.#cellProperties = new Uint32Array(CELLS_START);
      this.#cellTags = new Uint8Array(CELLS_START);
      this.#cellPayloads = new Float64Array(CELLS_START);
      this.#lastRows = new Map();
      this.#eventCodes = new Set();
      return;
    }
    this.#texts = whole.#texts;
    this.#ordinals = whole.#ordinals;
    this.#events = whole.#events;
    this.#times = whole.#times;
    this.#previousRows = whole.#previousRows;
    this.#cellStarts = whole.#cellStarts;
    this.#cellProperties = whole.#cellProperties;
    this.#cellTags = whole.#cellTags;
    this.#cellPayloads = whole.#cellPayloads;
    this.#lastRows = whole.#lastRows;
    this.#eventCodes = whole.#eventCodes;
    this.#rowCount = whole.#rowCount;
    this.#timeMinMs = whole.#timeMinMs;
    this.#timeMaxMs = whole.#timeMaxMs;
  }

  /**
   * The rows that there are now, only for reading, while this one goes on: rows are only ever added, and arrays that are
   * full are left for larger ones, so the two have them in common.
   */
  snapshot(): Head {
    return new Head(this.#rowsMax, this);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get cellCount(): number {
    return this.#cellStarts[this.#rowCount]!;
  }

  get timeMinMs(): number {
    return this.#timeMinMs;
  }

  get timeMaxMs(): number {
    return this.#timeMaxMs;
  }

  get isFull(): boolean {
    return this.#rowCount >= this.#rowsMax || this.cellCount >= HEAD_CELLS_MAX || this.#texts.isFull;
  }

  get memoryBytes(): number {
    const mapEntryBytes = 40;
    return this.#arrays.reduce<number>(
      (total, array) => total + array.byteLength,
      this.#lastRows.size * mapEntryBytes + this.#texts.memoryBytes,
    );
  }

  /** Whether a fork has it too. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** A fork has it too: whoever is done with it first must leave it to the other. */
  share(): void {
    this.#isShared = true;
  }

  /** Ends it: its memory is given back, and it must not be read any more. In small steps. */
  *releaseSteps(): Generator<void, void> {
    assert(!this.#isShared, 'nobody else has it');
    this.#lastRows.clear();
    this.#texts.release();
    for (const array of this.#arrays) {
      release(array);
      yield;
    }
  }

  /** Properties in any order, each code once. */
  append(
    ordinal: number,
    eventCode: number,
    timeMs: number,
    properties: readonly (readonly [number, Value])[],
  ): void {
    assert(!this.isFull, 'a full head is closed');
    assert(Number.isSafeInteger(timeMs), 'times are whole ms');
    const row = this.#rowCount;
    this.#reserveRow();
    this.#ordinals[row] = ordinal;
    this.#events[row] = eventCode;
    this.#times[row] = timeMs;
    this.#previousRows[row] = this.#lastRows.get(ordinal) ?? NO_ROW;
    this.#lastRows.set(ordinal, row);
    this.#cellStarts[row + 1] = this.#appendCells(this.#cellStarts[row]!, properties);
    this.#eventCodes.add(eventCode);
    if (timeMs < this.#timeMinMs) this.#timeMinMs = timeMs;
    if (timeMs > this.#timeMaxMs) this.#timeMaxMs = timeMs;
    this.#rowCount++;
  }

  /** What there is, for a seal. Nothing may be appended any more. */
  rows(): HeadRows {
    return {
      rowCount: this.#rowCount,
      ordinals: this.#ordinals.subarray(0, this.#rowCount),
      events: this.#events.subarray(0, this.#rowCount),
      times: this.#times.subarray(0, this.#rowCount),
      cellStarts: this.#cellStarts.subarray(0, this.#rowCount + 1),
      cellProperties: this.#cellProperties.subarray(0, this.cellCount),
      cellTags: this.#cellTags.subarray(0, this.cellCount),
      cellPayloads: this.#cellPayloads.subarray(0, this.cellCount),
      texts: this.#texts.list(),
    };
  }

  mayHaveEvent(eventCode: number): boolean {
    return this.#eventCodes.has(eventCode);
  }

  selectEvents(eventCodes: readonly number[] | undefined, arrays?: ArraySource): Bitset {
    if (eventCodes === undefined) return Bitset.full(this.#rowCount, arrays);
    const rows = new Bitset(this.#rowCount);
    const wanted = new Set(eventCodes.filter((code) => this.#eventCodes.has(code)));
    if (wanted.size === 0) return rows;
    for (let row = 0; row < this.#rowCount; row++) if (wanted.has(this.#events[row]!)) rows.add(row);
    return rows;
  }

  andTime(rows: Bitset, fromMs: number, toMs: number): void {
    if (fromMs <= this.#timeMinMs && this.#timeMaxMs < toMs) return;
    for (let row = 0; row < this.#rowCount; row++) {
      if (this.#times[row]! < fromMs || this.#times[row]! >= toMs) rows.delete(row);
    }
  }

  /** Not known of so few. */
  mayHaveArrays(): boolean {
    return true;
  }

  andProperty(rows: Bitset, propertyCode: number, predicate: ValuePredicate): void {
    const test = cellTest(predicate, this.#texts);
    rows.forEach((row) => {
      if (!this.#cellPasses(row, propertyCode, test)) rows.delete(row);
    });
  }

  *tallySteps(wanted: TallyWanted, counter: RowCounter): Generator<void, void> {
    const { propertyCode, eventMasks, timeBounds, timeMasks } = wanted;
    const test = cellTest(wanted.predicate, this.#texts);
    const mask = new Uint32Array(MASK_WORDS);
    for (let row = 0; row < this.#rowCount; row++) {
      if (row % ROWS_PER_STEP === ROWS_PER_STEP - 1) yield;
      const ofEvent = eventMasks.get(this.#events[row]!);
      if (ofEvent === undefined || !this.#cellPasses(row, propertyCode, test)) continue;
      const ofValue = wanted.maskOfValue(this.valueAt(row, propertyCode)!);
      const time = lastAtMost(timeBounds, this.#times[row]!) + 1;
      for (let w = 0; w < MASK_WORDS; w++) {
        mask[w] = ofEvent[w]! & ofValue[w]! & timeMasks[MASK_WORDS * time + w]!;
      }
      counter.add(this.#ordinals[row]!, mask);
    }
  }

  andUsers(rows: Bitset, ordinals: Bitset): void {
    rows.forEach((row) => {
      if (!ordinals.has(this.#ordinals[row]!)) rows.delete(row);
    });
  }

  countByOrdinal(rows: Bitset, counts: Uint32Array): void {
    rows.forEach((row) => {
      counts[this.#ordinals[row]!]!++;
    });
  }

  *rowsByUserSteps(rows: Bitset, kinds: readonly (Bitset | undefined)[]): Generator<void, RowCursor> {
    return new SortedRowCursor(yield* trailOrderSteps(rows.toArray(), this.#ordinals, this.#times), kinds);
  }

  cellReader(propertyCode: number): CellReader {
    return new HeadCellReader(this, this.#texts, propertyCode);
  }

  readonly hasOrigins = false;

  originAt(): number {
    return 0;
  }

  trailOf(ordinal: number): PartTrail | undefined {
    const rows: number[] = [];
    for (let row = this.#lastRowOf(ordinal); row !== NO_ROW; row = this.#previousRows[row]!) rows.push(row);
    if (rows.length === 0) return undefined;
    const times = this.#times;
    rows.reverse().sort((a, b) => times[a]! - times[b]!);
    return { rows, timesMs: rows.map((row) => times[row]!) };
  }

  eventAt(row: number): number {
    return this.#events[row]!;
  }

  readEvents(rows: Uint32Array, target: Uint32Array): void {
    gathered(this.#events, rows, target);
  }

  timeAt(row: number): number {
    return this.#times[row]!;
  }

  ordinalAt(row: number): number {
    return this.#ordinals[row]!;
  }

  valueAt(row: number, propertyCode: number): Value | undefined {
    const cell = this.cellOf(row, propertyCode);
    if (cell === -1) return undefined;
    return cellValue(this.#cellTags[cell]!, this.#cellPayloads[cell]!, this.#texts);
  }

  propertiesAt(row: number): readonly (readonly [number, Value])[] {
    const properties: (readonly [number, Value])[] = [];
    const end = this.#cellStarts[row + 1]!;
    for (let cell = this.#cellStarts[row]!; cell < end; cell++) {
      const value = cellValue(this.#cellTags[cell]!, this.#cellPayloads[cell]!, this.#texts)!;
      properties.push([this.#cellProperties[cell]!, value]);
    }
    return properties;
  }

  get #arrays(): readonly (Uint8Array | Uint32Array | Float64Array)[] {
    const perRow = [this.#ordinals, this.#events, this.#times, this.#previousRows, this.#cellStarts];
    return [...perRow, this.#cellProperties, this.#cellTags, this.#cellPayloads];
  }

  #lastRowOf(ordinal: number): number {
    let row = this.#lastRows.get(ordinal) ?? NO_ROW;
    while (row !== NO_ROW && row >= this.#rowCount) row = this.#whole.#previousRows[row]!;
    return row;
  }

  #cellPasses(row: number, propertyCode: number, test: CellTest): boolean {
    const cell = this.cellOf(row, propertyCode);
    return cell === -1 ? test(TAG.missing, 0) : test(this.#cellTags[cell]!, this.#cellPayloads[cell]!);
  }

  tagAt(cell: number): number {
    return this.#cellTags[cell]!;
  }

  payloadAt(cell: number): number {
    return this.#cellPayloads[cell]!;
  }

  cellOf(row: number, propertyCode: number): number {
    const end = this.#cellStarts[row + 1]!;
    for (let cell = this.#cellStarts[row]!; cell < end; cell++) {
      if (this.#cellProperties[cell] === propertyCode) return cell;
    }
    return -1;
  }

  /** The cells' end. */
  #appendCells(start: number, properties: readonly (readonly [number, Value])[]): number {
    this.#reserveCells(start + properties.length);
    let cell = start;
    for (const [propertyCode, value] of properties.toSorted(([a], [b]) => a - b)) {
      assert(cell === start || this.#cellProperties[cell - 1]! < propertyCode, 'a property is given once');
      const { tag, payload } = cellOf(value, this.#texts);
      this.#cellProperties[cell] = propertyCode;
      this.#cellTags[cell] = tag;
      this.#cellPayloads[cell] = payload;
      cell++;
    }
    return cell;
  }

  #reserveRow(): void {
    // One more than rows: cellStarts has an end as well.
    if (this.#rowCount + 1 < this.#ordinals.length) return;
    const size = Math.min(this.#ordinals.length * 2, this.#rowsMax + 1);
    this.#ordinals = copied(this.#ordinals, new Uint32Array(size));
    this.#events = copied(this.#events, new Uint32Array(size));
    this.#times = copied(this.#times, new Float64Array(size));
    this.#previousRows = copied(this.#previousRows, new Uint32Array(size));
    this.#cellStarts = copied(this.#cellStarts, new Uint32Array(size));
  }

  #reserveCells(end: number): void {
    let size = this.#cellProperties.length;
    if (end <= size) return;
    while (size < end) size *= 2;
    this.#cellProperties = copied(this.#cellProperties, new Uint32Array(size));
    this.#cellTags = copied(this.#cellTags, new Uint8Array(size));
    this.#cellPayloads = copied(this.#cellPayloads, new Float64Array(size));
  }
}

/** The source is left as it is: a snapshot may have it. */
function copied<T extends Uint8Array | Uint32Array | Float64Array>(source: T, target: T): T {
  target.set(source);
  return target;
}
