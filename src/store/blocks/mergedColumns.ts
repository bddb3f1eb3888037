import { type EventSet, rowsOfSet } from './blockFormat.ts';
import type { OpenBlock, OpenColumn } from './blockReader.ts';
import { kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import { DraftTexts } from './columnCodes.ts';
import type { Draft, EventSets, OrderedRows } from './drafts.ts';
import type { SourceRows } from './mergedRows.ts';
import { TextUnion } from './textUnion.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 14;
const scratch = { codes: new Uint32Array(STEP_ROWS), numbers: new Float64Array(STEP_ROWS) };

/** A property's cells in all sources, a tag and a payload a row. */
export interface SourceCells {
  readonly tags: Uint8Array;
  readonly payloads: Float64Array;
}

/** Reads one property after the other into the same arrays. */
export class SourceColumns {
  readonly #blocks: readonly OpenBlock[];
  readonly #rows: SourceRows;
  readonly cells: SourceCells;

  constructor(blocks: readonly OpenBlock[], rows: SourceRows) {
    this.#blocks = blocks;
    this.#rows = rows;
    this.cells = { tags: new Uint8Array(rows.rowCount), payloads: new Float64Array(rows.rowCount) };
  }

  /** Every property that a source has, ascending. */
  propertyCodes(): readonly number[] {
    const codes = new Set(
      this.#blocks.flatMap(({ columns }) => columns.map(({ shape }) => shape.propertyCode)),
    );
    return [...codes].sort((a, b) => a - b);
  }

  /** Fills `cells`, and gives what the payloads of texts and arrays stand for. */
  *readSteps(propertyCode: number): Generator<void, DraftTexts> {
    this.cells.tags.fill(TAG.missing);
    const merging = new MergingTexts();
    const found: { readonly column: OpenColumn; readonly block: OpenBlock; readonly firstRow: number }[] = [];
    for (const [b, block] of this.#blocks.entries()) {
      const column = block.columns.find((each) => each.shape.propertyCode === propertyCode);
      if (column === undefined) continue;
      found.push({ column, block, firstRow: this.#rows.firstRows[b]! });
      merging.addShared(column);
    }
    for (const { column, block, firstRow } of found) {
      const meanings = yield* merging.meaningsSteps(column);
      yield* readColumnSteps(block, column, meanings, {
        tags: this.cells.tags.subarray(firstRow, firstRow + block.rowCount),
        payloads: this.cells.payloads.subarray(firstRow, firstRow + block.rowCount),
      });
    }
    return merging.texts();
  }
}

/** What each code of a column is: a tag, and the payload of texts and arrays. */
interface Meanings {
  readonly tags: Uint8Array;
  readonly payloads: Uint32Array;
}

/** Numbers for the texts of a property in several blocks: first those of the dictionary, then the blocks' own. */
class MergingTexts {
  readonly #shared = new Map<number, number>();
  readonly #own = new TextUnion();

  addShared({ shape, texts }: OpenColumn): void {
    for (let i = 0; i < shape.texts.shared + shape.arrays.shared; i++) {
      const code = texts.sharedCode(i);
      if (!this.#shared.has(code)) this.#shared.set(code, this.#shared.size);
    }
  }

  /** After addShared of every column. */
  *meaningsSteps({ shape, texts }: OpenColumn): Generator<void, Meanings> {
    const own =
      texts.heap === undefined
        ? new Uint32Array(0)
        : yield* this.#own.addSteps(yield* texts.heap.listSteps());
    const tags: number[] = SPECIAL_TAGS.filter((tag) => (shape.kinds & kindOf(tag)) !== 0);
    const payloads: number[] = tags.map(() => 0);
    const addShared = (tag: number, from: number, count: number) => {
      for (let i = from; i < from + count; i++) {
        tags.push(tag);
        payloads.push(this.#shared.get(texts.sharedCode(i))!);
      }
    };
    const addOwn = (tag: number, from: number, count: number) => {
      for (let i = from; i < from + count; i++) {
        tags.push(tag);
        payloads.push(this.#shared.size + own[i]!);
      }
    };
    addShared(TAG.text, 0, shape.texts.shared);
    addOwn(TAG.text, 0, shape.texts.own);
    addShared(TAG.array, shape.texts.shared, shape.arrays.shared);
    addOwn(TAG.array, shape.texts.own, shape.arrays.own);
    return { tags: Uint8Array.from(tags), payloads: Uint32Array.from(payloads) };
  }

  texts(): DraftTexts {
    return new DraftTexts(Uint32Array.from(this.#shared.keys()), this.#own.list());
  }
}

/** Puts the column's cells where their rows are. */
function* readColumnSteps(
  block: OpenBlock,
  { shape, codes, numbers }: OpenColumn,
  meanings: Meanings,
  target: SourceCells,
): Generator<void, void> {
  const { eventSet, rowCount } = shape;
  const rows = eventSet === undefined ? undefined : yield* rowsOfSetSteps(block, eventSet);
  let numberAt = 0;
  for (let from = 0; from < rowCount; from += STEP_ROWS) {
    const count = Math.min(STEP_ROWS, rowCount - from);
    if (codes === undefined) scratch.codes.fill(0, 0, count);
    else codes.decode(from, from + count, scratch.codes);
    const isNumber = numbersAmong(scratch.codes, count, meanings.tags);
    if (isNumber > 0) numbers!.decode(numberAt, numberAt + isNumber, scratch.numbers);
    numberAt += isNumber;
    placeCells(count, from, rows, meanings, target);
    yield;
  }
}

/** The rows with these event names, ascending. */
function* rowsOfSetSteps(block: OpenBlock, eventSet: EventSet): Generator<void, Uint32Array> {
  const table = new Uint8Array(block.eventRows.length);
  for (const event of eventSet) table[event] = 1;
  const rows = new Uint32Array(rowsOfSet(eventSet, block.eventRows)!);
  let count = 0;
  for (let from = 0; from < block.rowCount; from += STEP_ROWS) {
    const to = Math.min(from + STEP_ROWS, block.rowCount);
    block.events.decode(from, to, scratch.codes);
    for (let i = 0; i < to - from; i++) if (table[scratch.codes[i]!] === 1) rows[count++] = from + i;
    yield;
  }
  return rows;
}

function numbersAmong(codes: Uint32Array, count: number, tags: Uint8Array): number {
  let numbers = 0;
  for (let i = 0; i < count; i++) if (tags[codes[i]!] === TAG.number) numbers++;
  return numbers;
}

/** Of the cells in scratch, whose first one is the column's cell `from`. */
function placeCells(
  count: number,
  from: number,
  rows: Uint32Array | undefined,
  { tags, payloads }: Meanings,
  target: SourceCells,
): void {
  let number = 0;
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? from + i : rows[from + i]!;
    const code = scratch.codes[i]!;
    const tag = tags[code]!;
    target.tags[row] = tag;
    target.payloads[row] = tag === TAG.number ? scratch.numbers[number++]! : payloads[code]!;
  }
}

/** The property's column of a block whose rows are these of the sources; undefined when none has it. */
export function* mergedDraftSteps(
  propertyCode: number,
  cells: SourceCells,
  rows: OrderedRows,
  sets: EventSets,
): Generator<void, Draft | undefined> {
  const { order, eventOfRow, eventRows } = rows;
  const cellsOfEvent = new Uint32Array(eventRows.length);
  for (let from = 0; from < order.length; from += STEP_ROWS) {
    countCells(cells, rows, from, Math.min(from + STEP_ROWS, order.length), cellsOfEvent);
    yield;
  }
  const cellCount = cellsOfEvent.reduce((total, count) => total + count, 0);
  if (cellCount === 0) return undefined;
  const eventSet = sets.setAt(
    sets.add(eventRows.flatMap((_, event) => (cellsOfEvent[event]! > 0 ? [event] : []))),
  );
  const rowCount = rowsOfSet(eventSet, eventRows) ?? order.length;
  const draft: Draft = {
    propertyCode,
    eventSet,
    rowCount,
    rows: cellCount < rowCount ? new Uint32Array(cellCount) : undefined,
    tags: new Uint8Array(cellCount),
    payloads: new Float64Array(cellCount),
  };
  let progress = { row: 0, cell: 0 };
  for (let from = 0; from < order.length; from += STEP_ROWS) {
    const to = Math.min(from + STEP_ROWS, order.length);
    progress = gatherCells(cells, { order, eventOfRow }, from, to, cellsOfEvent, draft, progress);
    yield;
  }
  return draft;
}

function countCells(
  { tags }: SourceCells,
  { order, eventOfRow }: OrderedRows,
  from: number,
  to: number,
  cellsOfEvent: Uint32Array,
): void {
  for (let i = from; i < to; i++) if (tags[order[i]!] !== TAG.missing) cellsOfEvent[eventOfRow[i]!]!++;
}

interface Progress {
  readonly row: number;
  readonly cell: number;
}

function gatherCells(
  { tags, payloads }: SourceCells,
  { order, eventOfRow }: Pick<OrderedRows, 'order' | 'eventOfRow'>,
  from: number,
  to: number,
  cellsOfEvent: Uint32Array,
  draft: Draft,
  progress: Progress,
): Progress {
  let { row, cell } = progress;
  for (let i = from; i < to; i++) {
    if (cellsOfEvent[eventOfRow[i]!] === 0) continue;
    const source = order[i]!;
    const tag = tags[source]!;
    if (tag !== TAG.missing) {
      if (draft.rows !== undefined) draft.rows[cell] = row;
      draft.tags[cell] = tag;
      draft.payloads[cell] = payloads[source]!;
      cell++;
    }
    row++;
  }
  return { row, cell };
}
