import { Bitset } from '../../base/bitset.ts';
import type { Column } from '../../encoding/column.ts';
import { type ClassTable, GATHERED_ROWS, kernels } from '../../encoding/kernels/kernels.ts';
import type { CellClasses } from '../part.ts';
import type { CellColumn } from './cellColumn.ts';
import type { NumberColumn } from './numberColumn.ts';

/** Pieces of GATHERED_ROWS between two yields. */
const PIECES_PER_STEP = 16;
/** Values asked about between two yields. */
const CODES_PER_STEP = 256;

/** `withCells` is 1 for the numbers of events whose rows have cells; `numbers` are those of the wanted ones, if any. */
export function* classTableSteps(
  cells: CellColumn,
  numbers: readonly (number | undefined)[],
  withCells: Uint8Array,
  wanted: CellClasses,
): Generator<void, ClassTable> {
  const codes = yield* cells.codesSteps(wanted.predicate);
  // Both begin with what has no class.
  const width = codes.length + 1;
  const classes = new Uint32Array((wanted.eventCodes.length + 1) * width);
  const rows = new Uint32Array(withCells.length);
  const columns = new Uint32Array(cells.codeCount);
  for (const [i, number] of numbers.entries())
    if (number !== undefined && withCells[number] === 1) rows[number] = (i + 1) * width;
  for (const [i, code] of codes.entries()) {
    if (i % CODES_PER_STEP === CODES_PER_STEP - 1) yield;
    columns[code] = i + 1;
    const value = cells.valueOfCode(code);
    for (const [e, eventCode] of wanted.eventCodes.entries()) {
      classes[(e + 1) * width + i + 1] = wanted.classOf(eventCode, value);
    }
  }
  return { classes, rows, columns };
}

/** Rows with a class, and the class of each. */
interface RowClasses {
  readonly rows: Bitset;
  readonly classes: Uint32Array;
}

const pieceEvents = new Uint32Array(GATHERED_ROWS);
const pieceCodes = new Uint32Array(GATHERED_ROWS);
const pieceClasses = new Uint32Array(GATHERED_ROWS);

/** `withCells` as above. Without `codes` that of every cell is 0. */
export function* rowClassesSteps(
  events: Column,
  withCells: Uint8Array,
  codes: NumberColumn | undefined,
  table: ClassTable,
): Generator<void, RowClasses> {
  const rows = new Bitset(events.rowCount);
  if (table.classes.every((each) => each === 0)) return { rows, classes: new Uint32Array(0) };
  const areAll = !withCells.includes(0);
  // What is not written takes no memory, and to grow would be to copy.
  const classes = new Uint32Array(rows.size);
  let [classCount, cell] = [0, 0];
  for (let from = 0, piece = 1; from < rows.size; from += GATHERED_ROWS, piece++) {
    const count = Math.min(GATHERED_ROWS, rows.size - from);
    events.decode(from, from + count, pieceEvents);
    const cellEnd = cell + (areAll ? count : countCells(pieceEvents, count, withCells));
    if (codes === undefined) pieceCodes.fill(0, 0, cellEnd - cell);
    else codes.decode(cell, cellEnd, pieceCodes);
    if (!areAll) spreadCells(pieceEvents, count, withCells, pieceCodes, cellEnd - cell);
    const words = rows.words.subarray(from >>> 5);
    const found = kernels().classify(pieceEvents, pieceCodes, table, count, words, pieceClasses);
    classes.set(pieceClasses.subarray(0, found), classCount);
    classCount += found;
    cell = cellEnd;
    if (piece % PIECES_PER_STEP === 0) yield;
  }
  return { rows, classes: classes.subarray(0, classCount) };
}

function countCells(events: Uint32Array, count: number, withCells: Uint8Array): number {
  let cells = 0;
  for (let i = 0; i < count; i++) cells += withCells[events[i]!]!;
  return cells;
}

/** Puts 0 for each row's cell that it does not have, from the last one on. */
function spreadCells(
  events: Uint32Array,
  count: number,
  withCells: Uint8Array,
  codes: Uint32Array,
  cellCount: number,
): void {
  let cell = cellCount;
  for (let i = count - 1; i >= 0; i--) {
    cell -= withCells[events[i]!]!;
    codes[i] = withCells[events[i]!] === 0 ? 0 : codes[cell]!;
  }
}
