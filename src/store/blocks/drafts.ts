import type { SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { type CellSets, type PlacedCells, type RowCells, TAGS_END } from '../../encoding/kernels/kernels.ts';
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
 * `arrived` are the same rows in ascending order. What drafts have is from `arrays`.
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
  const columns = table.layOut(arrays);
  for (let from = 0; from < rowCount; from += STEP_ROWS) {
    table.fill(columns, from, Math.min(from + STEP_ROWS, rowCount));
    yield;
  }
  return columns.drafts;
}

interface Columns {
  readonly drafts: readonly Draft[];
  /** Of event names. Rows are counted for those whose columns have gaps: others' cells need not know their rows. */
  readonly sets: CellSets;
  /** All columns' cells, one after the other. */
  readonly cells: PlacedCells;
}

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
  /** Per property code: where its next cell goes, the number of its event names' set. */
  readonly #cellEnds: Uint32Array;
  readonly #setOf: Uint32Array;
  /** Of the rows of a step, where kernels find it: which they are, which event each has. */
  readonly #step: Uint32Array;

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
    this.#setOf = arrays.counts(codeEnd);
    this.#eventWords = (rows.eventRows.length + 31) >>> 5;
    this.#eventBits = arrays.counts(codeEnd * this.#eventWords);
    this.#step = arrays.words(STEP_ROWS);
  }

  /** Reads the head as it lies in memory: the order of rows makes no difference. */
  count(arrived: Uint32Array): void {
    const rows = this.#step.subarray(0, arrived.length);
    rows.set(arrived);
    const events = { events: this.#events, numbers: this.#eventNumbers };
    kernels().countCells(this.#cellsOfRows, rows, events, this.#tagCounts, this.#eventBits);
  }

  layOut(arrays: SpareArrays): Columns {
    const { order, eventRows } = this.#rows;
    const cellTotal = total(this.#tagCounts, 0, this.#tagCounts.length);
    const tags = arrays.bytes(cellTotal);
    const payloads = arrays.numbers(cellTotal);
    const rows = arrays.words(cellTotal);
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
      if (count < rowCount) setsWithGaps.add(set);
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
    return {
      drafts,
      sets: cellSets(this.#setOf, sets, setsWithGaps, arrays),
      cells: { rows, tags, payloads },
    };
  }

  fill({ sets, cells }: Columns, from: number, to: number): void {
    const { order, eventOfRow } = this.#rows;
    const rows = order.subarray(from, to);
    const events = this.#step.subarray(0, rows.length);
    events.set(eventOfRow.subarray(from, to));
    kernels().placeCells(this.#cellsOfRows, rows, events, sets, this.#cellEnds, cells);
  }

  #hasEvent(propertyCode: number, event: number): boolean {
    return ((this.#eventBits[propertyCode * this.#eventWords + (event >>> 5)]! >>> (event & 31)) & 1) === 1;
  }
}

/** Of each event name those of `wanted` that it is in. */
function cellSets(
  ofProperty: Uint32Array,
  sets: EventSets,
  wanted: ReadonlySet<number>,
  arrays: SpareArrays,
): CellSets {
  const byEvent = sets.byEvent().map((numbers) => numbers.filter((set) => wanted.has(set)));
  const starts = arrays.counts(byEvent.length + 1);
  for (const [event, numbers] of byEvent.entries()) starts[event + 1] = starts[event]! + numbers.length;
  const listed = arrays.words(starts.at(-1)!);
  listed.set(byEvent.flat());
  return { ofProperty, starts, sets: listed, rows: arrays.counts(sets.count) };
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
