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

/** The columns of these rows of a head, by property code. Each has cells for the rows of every event name it occurs with. */
export function* draftSteps(head: HeadRows, rows: OrderedRows): Generator<void, readonly Draft[]> {
  const table = new CellTable(head, rows);
  const rowCount = rows.order.length;
  for (let from = 0; from < rowCount; from += STEP_ROWS) {
    table.count(from, Math.min(from + STEP_ROWS, rowCount));
    yield;
  }
  const drafts = table.layOut();
  for (let from = 0; from < rowCount; from += STEP_ROWS) {
    table.fill(from, Math.min(from + STEP_ROWS, rowCount));
    yield;
  }
  return drafts;
}

/** Turns rows of cells into columns of cells: counts them, lays the columns out, and puts each cell where it belongs. */
class CellTable {
  readonly #head: HeadRows;
  readonly #rows: OrderedRows;
  /** Per property code: its cells, and a bit for each event name it occurs with, so many words each. */
  readonly #cellCounts: Uint32Array;
  readonly #eventWords: number;
  readonly #eventBits: Uint32Array;
  /** Per property code: where its next cell goes, whether rows are without one, the number of its event names' set. */
  readonly #cellEnds: Uint32Array;
  readonly #hasGaps: Uint8Array;
  readonly #setOf: Uint32Array;
  /** Per event name the sets it is in, and per set the rows that came so far. */
  #setsOfEvent: readonly (readonly number[])[] = [];
  #setRows = new Uint32Array(0);
  #cells = { rows: new Uint32Array(0), tags: new Uint8Array(0), payloads: new Float64Array(0) };

  constructor(head: HeadRows, rows: OrderedRows) {
    const codeEnd = greatest(head.cellProperties) + 1;
    this.#head = head;
    this.#rows = rows;
    this.#cellCounts = new Uint32Array(codeEnd);
    this.#cellEnds = new Uint32Array(codeEnd);
    this.#hasGaps = new Uint8Array(codeEnd);
    this.#setOf = new Uint32Array(codeEnd);
    this.#eventWords = (rows.eventRows.length + 31) >>> 5;
    this.#eventBits = new Uint32Array(codeEnd * this.#eventWords);
  }

  count(from: number, to: number): void {
    const { cellStarts, cellProperties } = this.#head;
    const { order, eventOfRow } = this.#rows;
    const counts = this.#cellCounts;
    const words = this.#eventWords;
    const bits = this.#eventBits;
    for (let i = from; i < to; i++) {
      const event = eventOfRow[i]!;
      const word = event >>> 5;
      const bit = 1 << (event & 31);
      const row = order[i]!;
      const end = cellStarts[row + 1]!;
      for (let cell = cellStarts[row]!; cell < end; cell++) {
        const property = cellProperties[cell]!;
        counts[property]!++;
        bits[property * words + word]! |= bit;
      }
    }
  }

  layOut(): readonly Draft[] {
    const { order, eventRows } = this.#rows;
    const cellTotal = this.#cellCounts.reduce((total, count) => total + count, 0);
    const rows = new Uint32Array(cellTotal);
    const tags = new Uint8Array(cellTotal);
    const payloads = new Float64Array(cellTotal);
    this.#cells = { rows, tags, payloads };
    const sets = new EventSets(eventRows);
    const drafts: Draft[] = [];
    let end = 0;
    this.#cellCounts.forEach((count, propertyCode) => {
      if (count === 0) return;
      const set = sets.add(
        eventRows.flatMap((_, event) => (this.#hasEvent(propertyCode, event) ? [event] : [])),
      );
      const eventSet = sets.setAt(set);
      const rowCount = rowsOfSet(eventSet, eventRows) ?? order.length;
      this.#hasGaps[propertyCode] = count < rowCount ? 1 : 0;
      drafts.push({
        propertyCode,
        eventSet,
        rowCount,
        rows: count < rowCount ? rows.subarray(end, end + count) : undefined,
        tags: tags.subarray(end, end + count),
        payloads: payloads.subarray(end, end + count),
      });
      this.#setOf[propertyCode] = set;
      this.#cellEnds[propertyCode] = end;
      end += count;
    });
    this.#setsOfEvent = sets.byEvent();
    this.#setRows = new Uint32Array(sets.count);
    return drafts;
  }

  fill(from: number, to: number): void {
    const { cellStarts, cellProperties, cellTags, cellPayloads } = this.#head;
    const { order, eventOfRow } = this.#rows;
    const { rows, tags, payloads } = this.#cells;
    const ends = this.#cellEnds;
    const hasGaps = this.#hasGaps;
    const setOf = this.#setOf;
    const setRows = this.#setRows;
    for (let i = from; i < to; i++) {
      const row = order[i]!;
      const end = cellStarts[row + 1]!;
      for (let cell = cellStarts[row]!; cell < end; cell++) {
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

  #hasEvent(propertyCode: number, event: number): boolean {
    return ((this.#eventBits[propertyCode * this.#eventWords + (event >>> 5)]! >>> (event & 31)) & 1) === 1;
  }
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
