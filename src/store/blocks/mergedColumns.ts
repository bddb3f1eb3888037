import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { TAGS_END } from '../../encoding/kernels/kernels.ts';
import { type EventSet, rowsOfSet } from './blockFormat.ts';
import type { OpenBlock, OpenColumn } from './blockReader.ts';
import { kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import { codeFilter } from './codeFilter.ts';
import { DraftTexts } from './columnCodes.ts';
import type { Draft, EventSets, OrderedRows } from './drafts.ts';
import type { SourceRows } from './mergedRows.ts';
import { TextUnion } from './textUnion.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 14;
const scratch = {
  codes: new Uint32Array(STEP_ROWS),
  numbers: new Float64Array(STEP_ROWS),
  tags: new Uint8Array(STEP_ROWS),
  payloads: new Float64Array(STEP_ROWS),
};

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
  readonly payloads: Float64Array;
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
    return { tags: Uint8Array.from(tags), payloads: Float64Array.from(payloads) };
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
    const to = Math.min(from + STEP_ROWS, rowCount);
    if (codes === undefined) scratch.codes.fill(0, 0, to - from);
    else codes.decode(from, to, scratch.codes);
    const cells: SourceCells =
      rows === undefined
        ? { tags: target.tags.subarray(from, to), payloads: target.payloads.subarray(from, to) }
        : scratch;
    lookUp(scratch.codes, to - from, meanings, cells);
    if (numbers !== undefined) {
      const numberCount = codes === undefined ? to - from : numbersAmong(cells.tags, to - from);
      numbers.decode(numberAt, numberAt + numberCount, scratch.numbers);
      if (numberCount === to - from) cells.payloads.set(scratch.numbers.subarray(0, numberCount));
      else placeNumbers(scratch.numbers, cells, to - from);
      numberAt += numberCount;
    }
    if (rows !== undefined) placeCells(cells, rows.subarray(from, to), target);
    yield;
  }
}

/** The rows with these event names, ascending. */
function* rowsOfSetSteps(block: OpenBlock, eventSet: EventSet): Generator<void, Uint32Array> {
  const table = new Uint8Array(block.eventRows.length);
  for (const event of eventSet) table[event] = 1;
  const { words } = block.events.select(codeFilter(table));
  yield;
  const rows = new Uint32Array(rowsOfSet(eventSet, block.eventRows)!);
  let count = 0;
  for (let from = 0; from < block.rowCount; from += CHUNK_ROWS_MAX) {
    const piece = words.subarray(from >>> 5, (from + CHUNK_ROWS_MAX) >>> 5);
    count += kernels().positions(piece, from, 0, rows.subarray(count));
    yield;
  }
  return rows;
}

function lookUp(codes: Uint32Array, count: number, meanings: Meanings, target: SourceCells): void {
  const { tags, payloads } = meanings;
  for (let i = 0; i < count; i++) {
    const code = codes[i]!;
    target.tags[i] = tags[code]!;
    target.payloads[i] = payloads[code]!;
  }
}

function numbersAmong(tags: Uint8Array, count: number): number {
  let numbers = 0;
  for (let i = 0; i < count; i++) if (tags[i] === TAG.number) numbers++;
  return numbers;
}

/** One after the other, to the cells that are numbers. */
function placeNumbers(numbers: Float64Array, { tags, payloads }: SourceCells, count: number): void {
  let number = 0;
  for (let i = 0; i < count; i++) if (tags[i] === TAG.number) payloads[i] = numbers[number++]!;
}

/** The first cells of these, one for each row. */
function placeCells({ tags, payloads }: SourceCells, rows: Uint32Array, target: SourceCells): void {
  for (let i = 0; i < rows.length; i++) {
    target.tags[rows[i]!] = tags[i]!;
    target.payloads[rows[i]!] = payloads[i]!;
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
  const tagOfRow = new Uint8Array(order.length);
  /** By event name, then tag. */
  const counts = new Uint32Array(eventRows.length * TAGS_END);
  for (let from = 0; from < order.length; from += STEP_ROWS) {
    gatherTags(cells.tags, rows, from, Math.min(from + STEP_ROWS, order.length), tagOfRow, counts);
    yield;
  }
  const tagCounts = new Uint32Array(TAGS_END);
  const hasCells = new Uint8Array(eventRows.length);
  counts.forEach((count, i) => {
    const tag = i % TAGS_END;
    if (tag === TAG.missing || count === 0) return;
    tagCounts[tag]! += count;
    hasCells[Math.floor(i / TAGS_END)] = 1;
  });
  const cellCount = tagCounts.reduce((total, count) => total + count, 0);
  if (cellCount === 0) return undefined;
  const eventSet = sets.setAt(
    sets.add(eventRows.flatMap((_, event) => (hasCells[event] === 1 ? [event] : []))),
  );
  const rowCount = rowsOfSet(eventSet, eventRows) ?? order.length;
  // One more, which loops may write to and nobody reads.
  const draft: Draft = {
    propertyCode,
    eventSet,
    rowCount,
    tagCounts,
    rows: cellCount < rowCount ? new Uint32Array(cellCount + 1) : undefined,
    tags: new Uint8Array(cellCount + 1),
    payloads: new Float64Array(cellCount + 1),
  };
  const ordered: OrderedCells = { payloads: cells.payloads, order, tagOfRow, eventOfRow, hasCells };
  let progress = { row: 0, cell: 0 };
  for (let from = 0; from < order.length; from += STEP_ROWS) {
    const to = Math.min(from + STEP_ROWS, order.length);
    if (cellCount === order.length) gatherAll(ordered, from, to, draft);
    else if (draft.rows === undefined) progress = gatherPresent(ordered, from, to, draft, progress);
    else progress = gatherRows(ordered, from, to, draft, draft.rows, progress);
    yield;
  }
  return {
    ...draft,
    rows: draft.rows?.subarray(0, cellCount),
    tags: draft.tags.subarray(0, cellCount),
    payloads: draft.payloads.subarray(0, cellCount),
  };
}

function gatherTags(
  tags: Uint8Array,
  { order, eventOfRow }: OrderedRows,
  from: number,
  to: number,
  tagOfRow: Uint8Array,
  counts: Uint32Array,
): void {
  for (let i = from; i < to; i++) {
    const tag = tags[order[i]!]!;
    tagOfRow[i] = tag;
    counts[eventOfRow[i]! * TAGS_END + tag]!++;
  }
}

/** Cells of rows in their final order. */
interface OrderedCells {
  /** By row of the sources. */
  readonly payloads: Float64Array;
  readonly order: Uint32Array;
  readonly tagOfRow: Uint8Array;
  readonly eventOfRow: Uint32Array;
  /** By event name: 1 for those with cells. */
  readonly hasCells: Uint8Array;
}

/** How many of a column's rows and cells there are so far. */
interface Progress {
  readonly row: number;
  readonly cell: number;
}

// Which rows have a cell cannot be predicted: the loops below write all, and the next one over what was none.

/** Where every row has a cell. */
function gatherAll(
  { payloads, order, tagOfRow }: OrderedCells,
  from: number,
  to: number,
  { tags: targetTags, payloads: targetPayloads }: Draft,
): void {
  targetTags.set(tagOfRow.subarray(from, to), from);
  for (let i = from; i < to; i++) targetPayloads[i] = payloads[order[i]!]!;
}

/** Where all rows of some event names have one. */
function gatherPresent(
  { payloads, order, tagOfRow }: OrderedCells,
  from: number,
  to: number,
  { tags: targetTags, payloads: targetPayloads }: Draft,
  { row, cell: firstCell }: Progress,
): Progress {
  let cell = firstCell;
  for (let i = from; i < to; i++) {
    const tag = tagOfRow[i]!;
    targetTags[cell] = tag;
    targetPayloads[cell] = payloads[order[i]!]!;
    cell += tag === TAG.missing ? 0 : 1;
  }
  return { row, cell };
}

function gatherRows(
  { payloads, order, tagOfRow, eventOfRow, hasCells }: OrderedCells,
  from: number,
  to: number,
  { tags: targetTags, payloads: targetPayloads }: Draft,
  targetRows: Uint32Array,
  progress: Progress,
): Progress {
  let { row, cell } = progress;
  for (let i = from; i < to; i++) {
    const tag = tagOfRow[i]!;
    targetRows[cell] = row;
    targetTags[cell] = tag;
    targetPayloads[cell] = payloads[order[i]!]!;
    cell += tag === TAG.missing ? 0 : 1;
    row += hasCells[eventOfRow[i]!]!;
  }
  return { row, cell };
}
