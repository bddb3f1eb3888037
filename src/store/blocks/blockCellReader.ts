import type { Bitset } from '../../base/bitset.ts';
import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import { firstFrom } from '../../base/search.ts';
import type { ArraySource } from '../../base/spareArrays.ts';
import type { Value } from '../../base/value.ts';
import { Column } from '../../encoding/column.ts';
import { equalTo } from '../../encoding/contract.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { GATHERED_ROWS, NO_PLACE } from '../../encoding/kernels/kernels.ts';
import type { CellReader } from '../part.ts';
import { type ColumnShape, codeCount } from './blockFormat.ts';
import { kindOf, SPECIAL_TAGS, TAG } from './cell.ts';
import { type ColumnTexts, textOrArray } from './columnTexts.ts';
import type { NumberColumn } from './numberColumn.ts';

/** Of rows among those that have cells, and among those that have numbers. */
const cellPlaces = new Uint32Array(GATHERED_ROWS);
const numberPlaces = new Uint32Array(GATHERED_ROWS);
/** Of these, the ones that are rows, and where they were. */
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

/** Reads cells of one column of a block. Codes are the column's own; rows without a cell have one more. */
export class BlockCellReader implements CellReader {
  readonly codeEnd: number;
  readonly missingCode: number;
  readonly numberCode: number;
  readonly #column: CellStreams;
  /** Of rows of the block, those that have cells; undefined when all have. */
  readonly #withCells: RankedRows | undefined;
  /** Of cells, those that are numbers; undefined when all are, or none. */
  readonly #withNumbers: RankedRows | undefined;
  /** What a code below says; those behind are texts and arrays. */
  readonly #special: readonly number[];

  constructor(column: CellStreams, withCells: Bitset | undefined, arrays?: ArraySource) {
    const { shape, codes, numbers } = column;
    this.#column = column;
    this.#withCells = withCells && new RankedRows(withCells);
    this.#special = SPECIAL_TAGS.filter((tag) => (shape.kinds & kindOf(tag)) !== 0);
    const count = codeCount(shape);
    const missing = this.#special.indexOf(TAG.missing);
    this.numberCode = this.#special.indexOf(TAG.number);
    this.missingCode = missing === -1 ? count : missing;
    this.codeEnd = count + 1;
    if (codes !== undefined && numbers !== undefined) {
      this.#withNumbers = new RankedRows(codes.select(equalTo(this.numberCode), arrays));
    }
  }

  /** A code for each row of the block, where there is a column of them. */
  get codesOfRows(): Column | undefined {
    const { codes } = this.#column;
    return this.#withCells === undefined && codes instanceof Column ? codes : undefined;
  }

  read(rows: Uint32Array, count: number, codes: Uint32Array, numbers: Float64Array): void {
    for (let from = 0; from < count; from += GATHERED_ROWS) {
      const to = Math.min(from + GATHERED_ROWS, count);
      this.#read(rows.subarray(from, to), codes.subarray(from, to), numbers.subarray(from, to));
    }
  }

  valueOf(code: number): Value {
    const tag = this.#special[code];
    if (code < 0 || code >= this.codeEnd - 1 || tag === TAG.missing || tag === TAG.number) {
      throw new RangeError(`no value has the code ${code}`);
    }
    if (tag !== undefined) return tag === TAG.true;
    return textOrArray(this.#column.texts, code - this.#special.length);
  }

  sharedCodeOf(code: number): number {
    const { shape, texts } = this.#column;
    const text = code - this.#special.length;
    return text >= 0 && text < shape.texts.shared ? texts.sharedCode(text) : -1;
  }

  #read(rows: Uint32Array, codes: Uint32Array, numbers: Float64Array): void {
    const column = this.#column;
    const all = { places: rows, missing: 0 };
    const cells = this.#withCells?.placesOf(all, cellPlaces) ?? all;
    // All cells are alike, but for their numbers, where there are no codes.
    if (column.codes !== undefined)
      gatherPresent(column.codes, cells, codes, gatheredCodes, this.missingCode);
    else {
      codes.fill(0);
      if (cells.missing > 0) putWhereNone(cells.places, codes, this.missingCode);
    }
    if (column.numbers === undefined) {
      numbers.fill(Number.NaN);
      return;
    }
    const ofNumbers = this.#withNumbers?.placesOf(cells, numberPlaces) ?? cells;
    gatherPresent(column.numbers, ofNumbers, numbers, gatheredNumbers, Number.NaN);
  }
}

/** Of rows; `missing` of them are NO_PLACE. */
interface Places {
  readonly places: Uint32Array;
  readonly missing: number;
}

/** target[i] = value of row places[i], or `none` where that is NO_PLACE. */
function gatherPresent<T extends Uint32Array | Float64Array>(
  column: NumberColumn,
  { places, missing }: Places,
  target: T,
  gathered: T,
  none: number,
): void {
  if (missing === 0) {
    column.gather(places, target);
    return;
  }
  const count = listPresent(places);
  column.gather(presentRows.subarray(0, count), gathered);
  for (let i = 0; i < count; i++) target[presentAt[i]!] = gathered[i]!;
  putWhereNone(places, target, none);
}

/** To presentRows those that are rows, and to presentAt their places; returns how many. */
function listPresent(places: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < places.length; i++) {
    const row = places[i]!;
    presentRows[count] = row;
    presentAt[count] = i;
    count += row === NO_PLACE ? 0 : 1;
  }
  return count;
}

function putWhereNone(places: Uint32Array, target: Uint32Array | Float64Array, value: number): void {
  for (let i = 0; i < places.length; i++) if (places[i] === NO_PLACE) target[i] = value;
}

/** Words of a bitmap of which it is known how many bits are set before. */
const RANKED_WORDS = 64;

/** Rows of a bitmap. */
class RankedRows {
  readonly #words: Uint32Array;
  /** How many lie before each RANKED_WORDS of them. */
  readonly #before: Uint32Array;

  constructor({ words }: Bitset) {
    this.#words = words;
    const bitCount = 32 * words.length;
    const groups = Math.ceil(words.length / RANKED_WORDS);
    const offsets = Uint32Array.from({ length: groups + 1 }, (_, i) =>
      Math.min(bitCount, 32 * RANKED_WORDS * i),
    );
    this.#before = new Uint32Array(groups + 1);
    kernels().countRuns(words, offsets, this.#before.subarray(1));
    for (let i = 1; i <= groups; i++) this.#before[i]! += this.#before[i - 1]!;
  }

  /**
   * How many of the rows lie before each of these, which ascend but for NO_PLACE among them; NO_PLACE where that is none of
   * them. To the start of `target`; may be done in place. At most GATHERED_ROWS.
   */
  placesOf({ places: rows, missing }: Places, target: Uint32Array): Places {
    const places = target.subarray(0, rows.length);
    let missingNow = 0;
    for (let i = 0; i < rows.length; ) {
      if (rows[i] === NO_PLACE) {
        places[i++] = NO_PLACE;
        missingNow++;
        continue;
      }
      const end = missing === 0 ? pieceEnd(rows, i) : unbrokenEnd(rows, i);
      const group = Math.floor(rows[i]! / (32 * RANKED_WORDS));
      const word = group * RANKED_WORDS;
      const words = this.#words.subarray(word);
      const piece = rows.subarray(i, end);
      missingNow += kernels().places(words, piece, word << 5, this.#before[group]!, places.subarray(i));
      i = end;
    }
    return { places, missing: missingNow };
  }
}

/** Past the last row that lies in what a kernel takes of a bitmap at once. */
function rowEnd(first: number): number {
  return first - (first % (32 * RANKED_WORDS)) + CHUNK_ROWS_MAX;
}

/** Of rows that ascend, the end of those that are few enough of a bitmap for a kernel. */
function pieceEnd(rows: Uint32Array, from: number): number {
  return firstFrom(rows, from, rows.length, rowEnd(rows[from]!));
}

/** The same where NO_PLACE is among them, which ends them too. */
function unbrokenEnd(rows: Uint32Array, from: number): number {
  const limit = rowEnd(rows[from]!);
  let end = from + 1;
  while (end < rows.length && rows[end]! < limit) end++;
  return end;
}
