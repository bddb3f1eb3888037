import { ALL_EVENTS } from './blockFormat.ts';
import type { Head } from './head.ts';

/** A property that this share of a block's rows have is a full-length column. */
const COMMON_SHARE = 0.5;

/** A property column before it is encoded: its cells in row order, missing ones left out. */
export interface Draft {
  readonly propertyCode: number;
  /** The event name whose rows it is aligned to, or ALL_EVENTS. */
  readonly eventCode: number;
  readonly rowCount: number;
  /** Row in the column, type tag and payload of each cell. */
  readonly rows: Uint32Array;
  readonly tags: Uint8Array;
  readonly payloads: Float64Array;
}

/** A tag a row, `missing` (0) where there is no cell. */
export function tagsOf(draft: Draft): Float64Array {
  const tags = new Float64Array(draft.rowCount);
  for (let cell = 0; cell < draft.rows.length; cell++) tags[draft.rows[cell]!] = draft.tags[cell]!;
  return tags;
}

/** The payloads of just the cells with this tag. */
export function payloadsOf(draft: Draft, tag: number): Float64Array {
  const payloads = new Float64Array(draft.rows.length);
  let count = 0;
  for (let cell = 0; cell < draft.rows.length; cell++) {
    if (draft.tags[cell] === tag) payloads[count++] = draft.payloads[cell]!;
  }
  return payloads.slice(0, count);
}

/**
 * The columns of these rows of a head, by property code, then event code: one of full length for a property common to
 * most rows, else one for each event name it occurs with. Yields every `stepRows` rows.
 */
export function* draftSteps(
  head: Head,
  rows: Uint32Array,
  stepRows: number,
): Generator<void, readonly Draft[]> {
  const occurrences = yield* countSteps(head, rows, stepRows);
  const { columns, ofProperty } = layOut(occurrences, rows.length);
  const cellCount = columns.reduce((total, column) => total + column.cellCount, 0);
  const cellRows = new Uint32Array(cellCount);
  const cellTags = new Uint8Array(cellCount);
  const cellPayloads = new Float64Array(cellCount);
  const nextOfEvent = new Map<number, number>();
  for (let i = 0; i < rows.length; i++) {
    const eventCode = head.eventAt(rows[i]!);
    const nth = nextOfEvent.get(eventCode) ?? 0;
    nextOfEvent.set(eventCode, nth + 1);
    head.forEachCell(rows[i]!, (propertyCode, tag, payload) => {
      const ofEvent = ofProperty.get(propertyCode)!;
      const column = ofEvent.get(ALL_EVENTS) ?? ofEvent.get(eventCode)!;
      const cell = column.end++;
      cellRows[cell] = column.eventCode === ALL_EVENTS ? i : nth;
      cellTags[cell] = tag;
      cellPayloads[cell] = payload;
    });
    if (i % stepRows === 0) yield;
  }
  return columns.map(({ propertyCode, eventCode, rowCount, cellCount, end }) => ({
    propertyCode,
    eventCode,
    rowCount,
    rows: cellRows.subarray(end - cellCount, end),
    tags: cellTags.subarray(end - cellCount, end),
    payloads: cellPayloads.subarray(end - cellCount, end),
  }));
}

interface Occurrences {
  readonly rowsOfEvent: ReadonlyMap<number, number>;
  /** Property code → event code → cells. */
  readonly cells: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

function* countSteps(head: Head, rows: Uint32Array, stepRows: number): Generator<void, Occurrences> {
  const rowsOfEvent = new Map<number, number>();
  const cells = new Map<number, Map<number, number>>();
  for (let i = 0; i < rows.length; i++) {
    const eventCode = head.eventAt(rows[i]!);
    rowsOfEvent.set(eventCode, (rowsOfEvent.get(eventCode) ?? 0) + 1);
    head.forEachCell(rows[i]!, (propertyCode) => {
      const ofEvent = cells.get(propertyCode) ?? new Map<number, number>();
      cells.set(propertyCode, ofEvent.set(eventCode, (ofEvent.get(eventCode) ?? 0) + 1));
    });
    if (i % stepRows === 0) yield;
  }
  return { rowsOfEvent, cells };
}

interface ColumnPlace {
  readonly propertyCode: number;
  readonly eventCode: number;
  readonly rowCount: number;
  readonly cellCount: number;
  /** Where its next cell goes; past its last one once all are there. */
  end: number;
}

function layOut(
  { rowsOfEvent, cells }: Occurrences,
  rowCount: number,
): {
  readonly columns: readonly ColumnPlace[];
  readonly ofProperty: ReadonlyMap<number, Map<number, ColumnPlace>>;
} {
  const columns: ColumnPlace[] = [];
  const ofProperty = new Map<number, Map<number, ColumnPlace>>();
  let end = 0;
  const place = (propertyCode: number, eventCode: number, columnRows: number, cellCount: number) => {
    const column = { propertyCode, eventCode, rowCount: columnRows, cellCount, end };
    columns.push(column);
    ofProperty.set(propertyCode, (ofProperty.get(propertyCode) ?? new Map()).set(eventCode, column));
    end += cellCount;
  };
  for (const [propertyCode, ofEvent] of sortedByKey(cells)) {
    const cellCount = [...ofEvent.values()].reduce((total, count) => total + count, 0);
    if (cellCount >= COMMON_SHARE * rowCount) place(propertyCode, ALL_EVENTS, rowCount, cellCount);
    else
      for (const [eventCode, count] of sortedByKey(ofEvent))
        place(propertyCode, eventCode, rowsOfEvent.get(eventCode)!, count);
  }
  return { columns, ofProperty };
}

function sortedByKey<V>(map: ReadonlyMap<number, V>): readonly (readonly [number, V])[] {
  return [...map].sort(([a], [b]) => a - b);
}
