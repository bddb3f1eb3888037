import type { SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { type RowCells, TAGS_END } from '../../encoding/kernels/kernels.ts';
import { greatest } from '../trailOrder.ts';
import { type EventRows, type EventSet, rowsOfSet } from './blockFormat.ts';
import type { HeadRows } from './blockJob.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 13;

/** A property's cells before they are encoded, in row order; missing ones are left out. */
export interface Draft {
  readonly propertyCode: number;
  /** The event names whose rows it has a cell for; undefined for all rows. */
  readonly eventSet: EventSet | undefined;
  readonly rowCount: number;
  /** The row in the column of each cell; undefined when every row has one. */
  readonly rows: Uint32Array | undefined;
  /** How many cells have each tag, by tag; missing ones are not counted. */
  readonly tagCounts: Uint32Array;
  /** Of each cell; payloads of texts and arrays are numbers of texts. */
  readonly tags: Uint8Array;
  readonly payloads: Float64Array;
}

/** Rows of a block to be, in their final order: where they are from, and which event name, of `eventRows`, each has. */
export interface OrderedRows {
  readonly order: Uint32Array;
  readonly eventOfRow: Uint32Array;
  readonly eventRows: readonly EventRows[];
}

/**
 * The columns of these rows of a head, by property code. Each has cells for the rows of every event name it occurs with.
 * `arrived` are the same rows in ascending order. Cells of drafts are from `arrays`.
 */
export function* draftSteps(
  head: HeadRows,
  arrived: Uint32Array,
  rows: OrderedRows,
  arrays: SpareArrays,
): Generator<void, readonly Draft[]> {
  const table = new CellTable(head, rows, arrays);
  const rowCount = arrived.length;
  for (let from = 0; from < rowCount; from += STEP_ROWS) {
    table.count(arrived.subarray(from, from + STEP_ROWS));
    yield;
  }
  const drafts = table.layOut(arrays);
  for (let from = 0; from < rowCount; from += STEP_ROWS) {
    table.fill(from, Math.min(from + STEP_ROWS, rowCount));
    yield;
  }
  return drafts;
}

/** Where the cells of the rows of a step are. */
const stepStarts = new Uint32Array(STEP_ROWS);
const stepEnds = new Uint32Array(STEP_ROWS);

/** Turns rows of cells into columns of cells: counts them, lays the columns out, and puts each cell where it belongs. */
class CellTable {
  readonly #cellsOfRows: RowCells;
  readonly #events: Uint32Array;
  readonly #rows: OrderedRows;
  /** Of each event code, by code: its number in `eventRows`. */
  readonly #eventNumbers: Uint32Array;
  /** Per property code: its cells by tag, and a bit for each event name it occurs with, so many words each. */
  readonly #tagCounts: Uint32Array;
  readonly #eventWords: number;
  readonly #eventBits: Uint32Array;
  /** Per property code: where its next cell goes, whether rows are without one, the number of its event names' set. */
  readonly #cellEnds: Uint32Array;
  readonly #hasGaps: Uint8Array;
  readonly #setOf: Uint32Array;
  /** Per event name those sets it is in whose columns have gaps, and per set the rows that came so far. */
  #setsOfEvent: readonly (readonly number[])[] = [];
  #setRows = new Uint32Array(0);
  #areComplete = true;
  /** Those of a step, where kernels find them. */
  readonly #arrived: Uint32Array;
  #cells = { rows: new Uint32Array(0), tags: new Uint8Array(0), payloads: new Float64Array(0) };

  constructor(head: HeadRows, rows: OrderedRows, arrays: SpareArrays) {
    const { cellStarts: starts, cellProperties: properties, cellTags: tags, cellPayloads: payloads } = head;
    const codeEnd = greatest(properties) + 1;
    this.#cellsOfRows = { starts, properties, tags, payloads };
    this.#events = head.events;
    this.#rows = rows;
    this.#eventNumbers = arrays.counts(rows.eventRows.at(-1)!.eventCode + 1);
    for (const [number, { eventCode }] of rows.eventRows.entries()) this.#eventNumbers[eventCode] = number;
    this.#tagCounts = arrays.counts(codeEnd * TAGS_END);
    this.#cellEnds = arrays.counts(codeEnd);
    this.#hasGaps = new Uint8Array(codeEnd);
    this.#setOf = new Uint32Array(codeEnd);
    this.#eventWords = (rows.eventRows.length + 31) >>> 5;
    this.#eventBits = arrays.counts(codeEnd * this.#eventWords);
    this.#arrived = arrays.words(STEP_ROWS);
  }

  /** Reads the head as it lies in memory: the order of rows makes no difference. */
  count(arrived: Uint32Array): void {
    const rows = this.#arrived.subarray(0, arrived.length);
    rows.set(arrived);
    const events = { events: this.#events, numbers: this.#eventNumbers };
    kernels().countCells(this.#cellsOfRows, rows, events, this.#tagCounts, this.#eventBits);
  }

  layOut(arrays: SpareArrays): readonly Draft[] {
    const { order, eventRows } = this.#rows;
    const cellTotal = total(this.#tagCounts, 0, this.#tagCounts.length);
    const tags = arrays.bytes(cellTotal);
    const payloads = arrays.numbers(cellTotal);
    const rows = new Uint32Array(cellTotal);
    this.#cells = { rows, tags, payloads };
    const sets = new EventSets(eventRows);
    const drafts: Draft[] = [];
    const setsWithGaps = new Set<number>();
    let end = 0;
    for (let propertyCode = 0; propertyCode < this.#cellEnds.length; propertyCode++) {
      const tagsFrom = propertyCode * TAGS_END;
      const count = total(this.#tagCounts, tagsFrom, tagsFrom + TAGS_END);
      if (count === 0) continue;
      const set = sets.add(
        eventRows.flatMap((_, event) => (this.#hasEvent(propertyCode, event) ? [event] : [])),
      );
      const eventSet = sets.setAt(set);
      const rowCount = rowsOfSet(eventSet, eventRows) ?? order.length;
      if (count < rowCount) {
        this.#hasGaps[propertyCode] = 1;
        this.#areComplete = false;
        setsWithGaps.add(set);
      }
      drafts.push({
        propertyCode,
        eventSet,
        rowCount,
        tagCounts: this.#tagCounts.subarray(tagsFrom, tagsFrom + TAGS_END),
        rows: count < rowCount ? rows.subarray(end, end + count) : undefined,
        tags: tags.subarray(end, end + count),
        payloads: payloads.subarray(end, end + count),
      });
      this.#setOf[propertyCode] = set;
      this.#cellEnds[propertyCode] = end;
      end += count;
    }
    this.#setsOfEvent = sets.byEvent().map((numbers) => numbers.filter((set) => setsWithGaps.has(set)));
    this.#setRows = new Uint32Array(sets.count);
    return drafts;
  }

  fill(from: number, to: number): void {
    if (this.#areComplete) {
      const rows = this.#rows.order.subarray(from, to);
      kernels().placeCells(this.#cellsOfRows, rows, this.#cellEnds, this.#cells);
      return;
    }
    this.#findCells(from, to);
    this.#fillWithRows(from, to);
  }

  /** Where columns have gaps, cells need the rows that they are in. */
  #fillWithRows(from: number, to: number): void {
    const cells = this.#cellsOfRows;
    const { eventOfRow } = this.#rows;
    const { rows, tags, payloads } = this.#cells;
    const ends = this.#cellEnds;
    const hasGaps = this.#hasGaps;
    const setOf = this.#setOf;
    const setRows = this.#setRows;
    for (let i = from; i < to; i++) {
      const end = stepEnds[i - from]!;
      for (let cell = stepStarts[i - from]!; cell < end; cell++) {
        const property = cells.properties[cell]!;
        const at = ends[property]!++;
        if (hasGaps[property] === 1) rows[at] = setRows[setOf[property]!]!;
        tags[at] = cells.tags[cell]!;
        payloads[at] = cells.payloads[cell]!;
      }
      const sets = this.#setsOfEvent[eventOfRow[i]!]!;
      for (let s = 0; s < sets.length; s++) setRows[sets[s]!]!++;
    }
  }

  /**
   * The rows lie all over the head: a loop of its own waits for many of them at once, where one that also goes through a
   * row's cells waits for each row anew to know how many there are.
   */
  #findCells(from: number, to: number): void {
    const { starts } = this.#cellsOfRows;
    const { order } = this.#rows;
    for (let i = from; i < to; i++) {
      stepStarts[i - from] = starts[order[i]!]!;
      stepEnds[i - from] = starts[order[i]! + 1]!;
    }
  }

  #hasEvent(propertyCode: number, event: number): boolean {
    return ((this.#eventBits[propertyCode * this.#eventWords + (event >>> 5)]! >>> (event & 31)) & 1) === 1;
  }
}

function total(counts: Uint32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += counts[i]!;
  return sum;
}

/** The different sets of event names of a block's columns. The first one is that of all, which stands for every row. */
export class EventSets {
  readonly #eventRows: readonly EventRows[];
  readonly #sets: (EventSet | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();

  constructor(eventRows: readonly EventRows[]) {
    this.#eventRows = eventRows;
  }

  get count(): number {
    return this.#sets.length;
  }

  /** The set's number; `events` ascend. */
  add(events: EventSet): number {
    if (events.length === this.#eventRows.length) return 0;
    const key = events.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#sets.length);
    return this.#sets.push(events) - 1;
  }

  setAt(number: number): EventSet | undefined {
    return this.#sets[number];
  }

  /** Per event name the numbers of the sets it is in. */
  byEvent(): readonly (readonly number[])[] {
    return this.#eventRows.map((_, event) =>
      this.#sets.flatMap((set, number) => (set?.includes(event) === false ? [] : [number])),
    );
  }
}
