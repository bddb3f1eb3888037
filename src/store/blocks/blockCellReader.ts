import { type Bitset, popcount32 } from '../../base/bitset.ts';
import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import type { Value } from '../../base/value.ts';
import { equalTo } from '../../encoding/contract.ts';
import { GATHERED_ROWS, kernels, NO_PLACE } from '../../encoding/kernels/kernels.ts';
import { CELL, type CellReader } from '../part.ts';
import { type ColumnShape, codeCount } from './blockFormat.ts';
import { kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import { type ColumnTexts, textOrArray } from './columnTexts.ts';
import type { NumberColumn } from './numberColumn.ts';
import { RowReader } from './rowReader.ts';

const cellRows = new Uint32Array(GATHERED_ROWS);
/** Of these, the ones that are rows, and their places. */
const presentRows = new Uint32Array(GATHERED_ROWS);
const presentAt = new Uint32Array(GATHERED_ROWS);
const gatheredCodes = new Uint32Array(GATHERED_ROWS);
const gatheredNumbers = new Float64Array(GATHERED_ROWS);

/** What a column of a block is made of; see CellColumn. */
export interface CellStreams {
  readonly shape: ColumnShape;
  readonly codes: NumberColumn | undefined;
  readonly numbers: NumberColumn | undefined;
  readonly texts: ColumnTexts;
}

/** Reads cells of one column of a block. */
export class BlockCellReader implements CellReader {
  readonly codeEnd: number;
  readonly #column: CellStreams;
  /** Of rows of the block, those that have cells; undefined when all have. */
  readonly #withCells: RankedRows | undefined;
  /** Of cells, those that are numbers; undefined when all are, or none. */
  readonly #withNumbers: RankedRows | undefined;
  /** By the column's own codes. */
  readonly #meanings: Uint32Array;
  readonly #codeAt: RowReader | undefined;
  readonly #numberAt: RowReader | undefined;
  /** Whether a cell may be no number where there is a column of numbers. */
  readonly #hasOthers: boolean;

  constructor(column: CellStreams, withCells: Bitset | undefined) {
    const { shape, codes, numbers } = column;
    this.#column = column;
    this.#withCells = withCells && new RankedRows(withCells);
    this.codeEnd = CELL.values + codeCount(shape);
    this.#meanings = meaningsOf(shape);
    this.#codeAt = codes && new RowReader(codes);
    this.#numberAt = numbers && new RowReader(numbers);
    this.#hasOthers = withCells !== undefined || codes !== undefined;
    if (codes !== undefined && numbers !== undefined) {
      this.#withNumbers = new RankedRows(codes.select(equalTo(this.#meanings.indexOf(CELL.number))));
    }
  }

  read(rows: Uint32Array, count: number, codes: Uint32Array, numbers: Float64Array): void {
    for (let from = 0; from < count; from += GATHERED_ROWS) {
      const pieceCount = Math.min(GATHERED_ROWS, count - from);
      const piece = from === 0 ? codes : codes.subarray(from);
      this.#readCells(from === 0 ? rows : rows.subarray(from), pieceCount, piece);
      this.#readNumbers(piece, pieceCount, from === 0 ? numbers : numbers.subarray(from));
    }
  }

  valueOf(code: number): Value {
    const own = code - CELL.values;
    if (this.#meanings[own] !== code) throw new RangeError(`no value has the code ${code}`);
    const tag = specialTags(this.#column.shape)[own];
    if (tag !== undefined) return tag === TAG.true;
    return textOrArray(this.#column.texts, own - specialTags(this.#column.shape).length);
  }

  sharedCodeOf(code: number): number {
    const { shape, texts } = this.#column;
    const text = code - CELL.values - specialTags(shape).length;
    return text >= 0 && text < shape.texts.shared ? texts.sharedCode(text) : -1;
  }

  /** codes[i] = what is in rows[i]; cellRows[i] = the place of its cell in the column. */
  #readCells(rows: Uint32Array, count: number, codes: Uint32Array): void {
    const all = this.#withCells === undefined;
    if (all) cellRows.set(rows.length === count ? rows : rows.subarray(0, count));
    else this.#withCells!.placesOf(rows, count, cellRows);
    if (this.#codeAt === undefined) codes.fill(0, 0, count);
    else readAt(this.#column.codes!, this.#codeAt, cellRows, count, codes, gatheredCodes);
    if (all) toMeanings(codes, count, this.#meanings);
    else toMeaningsOfPresent(codes, count, this.#meanings);
  }

  #readNumbers(codes: Uint32Array, count: number, numbers: Float64Array): void {
    if (this.#numberAt === undefined) {
      numbers.fill(Number.NaN, 0, count);
      return;
    }
    if (this.#withNumbers !== undefined) this.#withNumbers.placesOf(cellRows, count, cellRows);
    readAt(this.#column.numbers!, this.#numberAt, cellRows, count, numbers, gatheredNumbers);
    if (this.#hasOthers) clearOthers(codes, count, numbers);
  }
}

function specialTags({ kinds }: ColumnShape): readonly number[] {
  return SPECIAL_TAGS.filter((tag) => (kinds & kindOf(tag)) !== 0);
}

function meaningsOf(shape: ColumnShape): Uint32Array {
  const meanings = Uint32Array.from({ length: Math.max(1, codeCount(shape)) }, (_, own) => CELL.values + own);
  specialTags(shape).forEach((tag, own) => {
    if (tag === TAG.missing) meanings[own] = CELL.missing;
    if (tag === TAG.number) meanings[own] = CELL.number;
  });
  return meanings;
}

function toMeanings(codes: Uint32Array, count: number, meanings: Uint32Array): void {
  for (let i = 0; i < count; i++) codes[i] = meanings[codes[i]!]!;
}

/** The same where cellRows says which rows have cells. */
function toMeaningsOfPresent(codes: Uint32Array, count: number, meanings: Uint32Array): void {
  for (let i = 0; i < count; i++) codes[i] = cellRows[i] === NO_PLACE ? CELL.missing : meanings[codes[i]!]!;
}

/** What is no number. */
function clearOthers(codes: Uint32Array, count: number, numbers: Float64Array): void {
  for (let i = 0; i < count; i++) if (codes[i] !== CELL.number) numbers[i] = Number.NaN;
}

/** target[i] = value of rows[i], where that is a row; all at once where they ascend. */
function readAt<T extends Uint32Array | Float64Array>(
  column: NumberColumn,
  reader: RowReader,
  rows: Uint32Array,
  count: number,
  target: T,
  gathered: T,
): void {
  // NO_PLACE is greater than any row: it breaks the order, unless the last ones all are.
  if (ascend(rows, count) && rows[count - 1] !== NO_PLACE) {
    column.gather(rows.subarray(0, count), target);
    return;
  }
  let found = 0;
  let last = 0;
  let doAscend = true;
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    presentRows[found] = row;
    presentAt[found] = i;
    const isRow = row !== NO_PLACE;
    if (isRow && row < last) doAscend = false;
    if (isRow) last = row;
    found += isRow ? 1 : 0;
  }
  if (!doAscend) {
    for (let i = 0; i < found; i++) target[presentAt[i]!] = reader.at(presentRows[i]!);
    return;
  }
  column.gather(presentRows.subarray(0, found), gathered);
  for (let i = 0; i < found; i++) target[presentAt[i]!] = gathered[i]!;
}

function ascend(rows: Uint32Array, count: number): boolean {
  let descents = 0;
  for (let i = 1; i < count; i++) descents += rows[i]! < rows[i - 1]! ? 1 : 0;
  return descents === 0;
}

/** Rows, and how many of them lie before each word of 32. */
class RankedRows {
  readonly #words: Uint32Array;
  readonly #before: Uint32Array;

  constructor({ words }: Bitset) {
    this.#words = words;
    this.#before = new Uint32Array(words.length);
    for (let w = 1; w < words.length; w++) this.#before[w] = this.#before[w - 1]! + popcount32(words[w - 1]!);
  }

  /**
   * places[i] = how many of the rows lie before rows[i]; NO_PLACE where that is none of them. May be done in place. At most
   * GATHERED_ROWS.
   */
  placesOf(rows: Uint32Array, count: number, places: Uint32Array): void {
    for (let i = 0; i < count; ) {
      const end = Math.min(pieceEnd(rows, i, count), count);
      if (end - i > 1) this.#placeAscending(rows.subarray(i, end), places.subarray(i, end));
      else places[i] = this.#placeOf(rows[i]!);
      i = Math.max(end, i + 1);
    }
  }

  #placeAscending(rows: Uint32Array, places: Uint32Array): void {
    const word = rows[0]! >>> 5;
    const words = this.#words.subarray(word);
    kernels().places(words, rows, word << 5, this.#before[word]!, places);
  }

  #placeOf(row: number): number {
    const word = row === NO_PLACE ? 0 : this.#words[row >>> 5]!;
    const bit = 1 << (row & 31);
    return (word & bit) === 0 ? NO_PLACE : this.#before[row >>> 5]! + popcount32(word & (bit - 1));
  }
}

/** From here on, the end of rows that ascend, few enough of a bitmap for a kernel. */
function pieceEnd(rows: Uint32Array, from: number, count: number): number {
  const rowEnd = (rows[from]! & ~31) + CHUNK_ROWS_MAX;
  let end = from + 1;
  while (end < count && rows[end]! >= rows[end - 1]! && rows[end]! < rowEnd) end++;
  return end;
}
