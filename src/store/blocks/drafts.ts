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

/** Tags are below. */
export const TAGS_END = 8;

/** Rows of a block to be, in their final order: where they are from, and which event name, of `eventRows`, each has. */
export interface OrderedRows {
  readonly order: Uint32Array;
  readonly eventOfRow: Uint32Array;
  readonly eventRows: readonly EventRows[];
}

/**
 * The columns of these rows of a head, by property code. Each has cells for the rows of every event name it occurs with.
 * `arrived` are the same rows in ascending order.
 */
export function* draftSteps(
  head: HeadRows,
  arrived: Uint32Array,
  rows: OrderedRows,
): Generator<void, readonly Draft[]> {
  const table = new CellTable(head, rows);
  const rowCount = arrived.length;
  for (let from = 0; from < rowCount; from += STEP_ROWS) {
    table.count(arrived.subarray(from, from + STEP_ROWS));
    yield;
  }
  const drafts = table.layOut();
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
  readonly #head: HeadRows;
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
  #cells = { rows: new Uint32Array(0), tags: new Uint8Array(0), payloads: new Float64Array(0) };

  constructor(head: HeadRows, rows: OrderedRows) {
    const codeEnd = greatest(head.cellProperties) + 1;
    this.#head = head;
    this.#rows = rows;
    this.#eventNumbers = new Uint32Array(rows.eventRows.at(-1)!.eventCode + 1);
    for (const [number, { eventCode }] of rows.eventRows.entries()) this.#eventNumbers[eventCode] = number;
    this.#tagCounts = new Uint32Array(codeEnd * TAGS_END);
    this.#cellEnds = new Uint32Array(codeEnd);
    this.#hasGaps = new Uint8Array(codeEnd);
    this.#setOf = new Uint32Array(codeEnd);
    this.#eventWords = (rows.eventRows.length + 31) >>> 5;
    this.#eventBits = new Uint32Array(codeEnd * this.#eventWords);
  }

  /** Reads the head as it lies in memory: the order of rows makes no difference. */
  count(arrived: Uint32Array): void {
    const { events, cellStarts, cellProperties, cellTags } = this.#head;
    const numbers = this.#eventNumbers;
    const counts = this.#tagCounts;
    const words = this.#eventWords;
    const bits = this.#eventBits;
    for (let i = 0; i < arrived.length; i++) {
      const row = arrived[i]!;
      const event = numbers[events[row]!]!;
      const word = event >>> 5;
      const bit = 1 << (event & 31);
      const end = cellStarts[row + 1]!;
      for (let cell = cellStarts[row]!; cell < end; cell++) {
        const property = cellProperties[cell]!;
        counts[property * TAGS_END + cellTags[cell]!]!++;
        const at = property * words + word;
        if ((bits[at]! & bit) === 0) bits[at]! |= bit;
      }
    }
  }

  layOut(): readonly Draft[] {
    const { order, eventRows } = this.#rows;
    const cellTotal = total(this.#tagCounts, 0, this.#tagCounts.length);
    const tags = new Uint8Array(cellTotal);
    const payloads = new Float64Array(cellTotal);
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
    this.#findCells(from, to);
    if (this.#areComplete) this.#fillComplete(to - from);
    else this.#fillWithRows(from, to);
  }

  #fillComplete(rowCount: number): void {
    const { cellProperties, cellTags, cellPayloads } = this.#head;
    const { tags, payloads } = this.#cells;
    const ends = this.#cellEnds;
    for (let i = 0; i < rowCount; i++) {
      const end = stepEnds[i]!;
      for (let cell = stepStarts[i]!; cell < end; cell++) {
        const at = ends[cellProperties[cell]!]!++;
        tags[at] = cellTags[cell]!;
        payloads[at] = cellPayloads[cell]!;
      }
    }
  }

  /** Where columns have gaps, cells need the rows that they are in. */
  #fillWithRows(from: number, to: number): void {
    const { cellProperties, cellTags, cellPayloads } = this.#head;
    const { eventOfRow } = this.#rows;
    const { rows, tags, payloads } = this.#cells;
    const ends = this.#cellEnds;
    const hasGaps = this.#hasGaps;
    const setOf = this.#setOf;
    const setRows = this.#setRows;
    for (let i = from; i < to; i++) {
      const end = stepEnds[i - from]!;
      for (let cell = stepStarts[i - from]!; cell < end; cell++) {
        const property = cellProperties[cell]!;
        const at = ends[property]!++;
        if (hasGaps[property] === 1) rows[at] = setRows[setOf[property]!]!;
        tags[at] = cellTags[cell]!;
        payloads[at] = cellPayloads[cell]!;
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
    const { cellStarts } = this.#head;
    const { order } = this.#rows;
    for (let i = from; i < to; i++) {
      stepStarts[i - from] = cellStarts[order[i]!]!;
      stepEnds[i - from] = cellStarts[order[i]! + 1]!;
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
