import type { Value } from '../base/value.ts';
import { cellValue, TAG } from './blocks/cell.ts';
import { CELL, type CellReader, type RowCursor } from './part.ts';
import type { Texts } from './texts/texts.ts';
import type { TrailOrder } from './trailOrder.ts';

/** Rows of a head that have been sorted: all of them are one batch. */
export class SortedRows implements RowCursor {
  readonly rows: Uint32Array;
  readonly ordinals: Uint32Array;
  readonly timesMs: Float64Array;
  #isRead = false;

  constructor({ order, ordinals, times }: TrailOrder) {
    this.rows = order;
    this.ordinals = ordinals;
    this.timesMs = times;
  }

  next(): number {
    if (this.#isRead) return 0;
    this.#isRead = true;
    return this.rows.length;
  }
}

/** A head's cells: see Head. */
export interface HeadCells {
  /** The cell of this property, or -1. */
  cellOf(row: number, propertyCode: number): number;
  tagAt(cell: number): number;
  payloadAt(cell: number): number;
}

/** Codes of a head's cells: false and true, and two for each of its texts, which may be an array's. */
const CODE = { false: CELL.values, true: CELL.values + 1, texts: CELL.values + 2 } as const;

export class HeadCellReader implements CellReader {
  readonly #cells: HeadCells;
  readonly #texts: Texts;
  readonly #propertyCode: number;

  constructor(cells: HeadCells, texts: Texts, propertyCode: number) {
    this.#cells = cells;
    this.#texts = texts;
    this.#propertyCode = propertyCode;
  }

  get codeEnd(): number {
    return CODE.texts + 2 * this.#texts.count;
  }

  read(rows: Uint32Array, count: number, codes: Uint32Array, numbers: Float64Array): void {
    for (let i = 0; i < count; i++) {
      const cell = this.#cells.cellOf(rows[i]!, this.#propertyCode);
      const tag = cell === -1 ? TAG.missing : this.#cells.tagAt(cell);
      const payload = cell === -1 ? 0 : this.#cells.payloadAt(cell);
      codes[i] = codeOf(tag, payload);
      numbers[i] = tag === TAG.number ? payload : Number.NaN;
    }
  }

  valueOf(code: number): Value {
    if (code < CODE.texts) return code === CODE.true;
    const isArray = ((code - CODE.texts) & 1) === 1;
    return cellValue(isArray ? TAG.array : TAG.text, (code - CODE.texts) >>> 1, this.#texts)!;
  }

  sharedCodeOf(): number {
    return -1;
  }
}

function codeOf(tag: number, payload: number): number {
  switch (tag) {
    case TAG.number:
      return CELL.number;
    case TAG.text:
      return CODE.texts + 2 * payload;
    case TAG.array:
      return CODE.texts + 2 * payload + 1;
    case TAG.false:
      return CODE.false;
    case TAG.true:
      return CODE.true;
    default:
      return CELL.missing;
  }
}
