import { assert } from '../base/assert.ts';
import { Bitset } from '../base/bitset.ts';
import { HEAD_CELLS_MAX, HEAD_ROWS_MAX } from '../base/limits.ts';
import type { Value } from '../base/value.ts';
import { type CellTest, cellOf, cellTest, cellValue, TAG } from './cell.ts';
import type { TextDictionary } from './dictionary.ts';
import type { Part, ValuePredicate } from './part.ts';

const ROWS_START = 256;
const CELLS_START = 1024;
const NO_ROW = 0xffffffff;

/** The newest rows, in order of arrival, in arrays that grow. */
export class Head implements Part {
  readonly #dictionary: TextDictionary;
  readonly #rowsMax: number;
  #rowCount = 0;
  #ordinals = new Uint32Array(ROWS_START);
  #events = new Uint32Array(ROWS_START);
  #times = new Float64Array(ROWS_START);
  /** The user's row before this one, NO_ROW for the first. */
  #previousRows = new Uint32Array(ROWS_START);
  /** Row r has the cells [cellStarts[r], cellStarts[r + 1]), in ascending order of property code. */
  #cellStarts = new Uint32Array(ROWS_START);
  #cellProperties = new Uint32Array(CELLS_START);
  #cellTags = new Uint8Array(CELLS_START);
  #cellPayloads = new Float64Array(CELLS_START);
  readonly #lastRows = new Map<number, number>();
  readonly #eventCodes = new Set<number>();
  #timeMinMs = Infinity;
  #timeMaxMs = -Infinity;

  constructor(dictionary: TextDictionary, rowsMax = HEAD_ROWS_MAX) {
    this.#dictionary = dictionary;
    this.#rowsMax = rowsMax;
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
    return this.#rowCount >= this.#rowsMax || this.cellCount >= HEAD_CELLS_MAX;
  }

  get memoryBytes(): number {
    const perRow = [this.#ordinals, this.#events, this.#times, this.#previousRows, this.#cellStarts];
    const perCell = [this.#cellProperties, this.#cellTags, this.#cellPayloads];
    const mapEntryBytes = 40;
    return [...perRow, ...perCell].reduce(
      (total, array) => total + array.byteLength,
      this.#lastRows.size * mapEntryBytes,
    );
  }

  /** Properties in any order, each code once. A text that the dictionary has no room for is left out. */
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

  mayHaveEvent(eventCode: number): boolean {
    return this.#eventCodes.has(eventCode);
  }

  selectEvents(eventCodes: readonly number[] | undefined): Bitset {
    if (eventCodes === undefined) return Bitset.full(this.#rowCount);
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

  andProperty(rows: Bitset, propertyCode: number, predicate: ValuePredicate): void {
    const test = cellTest(predicate, this.#dictionary);
    rows.forEach((row) => {
      if (!this.#cellPasses(row, propertyCode, test)) rows.delete(row);
    });
  }

  countByUser(rows: Bitset, counts: Uint32Array, canonical: Uint32Array): void {
    rows.forEach((row) => {
      counts[canonical[this.#ordinals[row]!]!]!++;
    });
  }

  /** In order of arrival, which need not be that of time. */
  rowsOf(ordinal: number): readonly number[] {
    const rows: number[] = [];
    for (let row = this.#lastRows.get(ordinal) ?? NO_ROW; row !== NO_ROW; row = this.#previousRows[row]!) {
      rows.push(row);
    }
    return rows.reverse();
  }

  eventAt(row: number): number {
    return this.#events[row]!;
  }

  timeAt(row: number): number {
    return this.#times[row]!;
  }

  ordinalAt(row: number): number {
    return this.#ordinals[row]!;
  }

  valueAt(row: number, propertyCode: number): Value | undefined {
    const cell = this.#cellOf(row, propertyCode);
    return cell === -1
      ? undefined
      : cellValue(this.#cellTags[cell]!, this.#cellPayloads[cell]!, this.#dictionary);
  }

  propertiesAt(row: number): readonly (readonly [number, Value])[] {
    const properties: (readonly [number, Value])[] = [];
    this.forEachCell(row, (propertyCode, tag, payload) => {
      properties.push([propertyCode, cellValue(tag, payload, this.#dictionary)!]);
    });
    return properties;
  }

  /** The row's cells as they are held, in ascending order of property code. */
  forEachCell(row: number, visit: (propertyCode: number, tag: number, payload: number) => void): void {
    const end = this.#cellStarts[row + 1]!;
    for (let cell = this.#cellStarts[row]!; cell < end; cell++) {
      visit(this.#cellProperties[cell]!, this.#cellTags[cell]!, this.#cellPayloads[cell]!);
    }
  }

  #cellPasses(row: number, propertyCode: number, test: CellTest): boolean {
    const cell = this.#cellOf(row, propertyCode);
    return cell === -1 ? test(TAG.missing, 0) : test(this.#cellTags[cell]!, this.#cellPayloads[cell]!);
  }

  #cellOf(row: number, propertyCode: number): number {
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
      const held = cellOf(value, this.#dictionary);
      if (held === undefined) continue;
      this.#cellProperties[cell] = propertyCode;
      this.#cellTags[cell] = held.tag;
      this.#cellPayloads[cell] = held.payload;
      cell++;
    }
    return cell;
  }

  #reserveRow(): void {
    // One more than rows: cellStarts has an end as well.
    if (this.#rowCount + 1 < this.#ordinals.length) return;
    const size = this.#ordinals.length * 2;
    this.#ordinals = grown(this.#ordinals, new Uint32Array(size));
    this.#events = grown(this.#events, new Uint32Array(size));
    this.#times = grown(this.#times, new Float64Array(size));
    this.#previousRows = grown(this.#previousRows, new Uint32Array(size));
    this.#cellStarts = grown(this.#cellStarts, new Uint32Array(size));
  }

  #reserveCells(end: number): void {
    let size = this.#cellProperties.length;
    if (end <= size) return;
    while (size < end) size *= 2;
    this.#cellProperties = grown(this.#cellProperties, new Uint32Array(size));
    this.#cellTags = grown(this.#cellTags, new Uint8Array(size));
    this.#cellPayloads = grown(this.#cellPayloads, new Float64Array(size));
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(source: T, target: T): T {
  target.set(source);
  return target;
}
