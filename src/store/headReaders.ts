import type { Bitset } from '../base/bitset.ts';
import type { Value } from '../base/value.ts';
import { cellValue, TAG } from './blocks/cell.ts';
import { BATCH_ROWS, type CellReader, type RowCursor, type RowTarget } from './part.ts';
import type { Texts } from './texts/texts.ts';
import type { TrailOrder } from './trailOrder.ts';

/** Reads rows of a head in the order they were brought into. */
export class SortedRowCursor implements RowCursor {
  readonly #sorted: TrailOrder;
  readonly #kinds: readonly (Bitset | undefined)[];
  #read = 0;

  constructor(sorted: TrailOrder, kinds: readonly (Bitset | undefined)[]) {
    this.#sorted = sorted;
    this.#kinds = kinds;
  }

  readInto({ rows, ordinals, timesMs, kinds }: RowTarget, at: number): number {
    const from = this.#read;
    const to = Math.min(from + BATCH_ROWS, this.#sorted.order.length);
    const read = this.#sorted.order.subarray(from, to);
    rows.set(read, at);
    ordinals?.set(this.#sorted.ordinals.subarray(from, to), at);
    timesMs?.set(this.#sorted.times.subarray(from, to), at);
    const target = kinds.subarray(at, at + read.length).fill(0);
    for (const [kind, selected] of this.#kinds.entries()) {
      if (selected !== undefined) markKind(selected, kind, read, target);
    }
    this.#read = to;
    return read.length;
  }
}

function markKind(selected: Bitset, kind: number, rows: Uint32Array, kinds: Uint32Array): void {
  for (let i = 0; i < rows.length; i++) if (selected.has(rows[i]!)) kinds[i]! |= 1 << kind;
}

/** A head's cells: see Head. */
export interface HeadCells {
  /** The cell of this property, or -1. */
  cellOf(row: number, propertyCode: number): number;
  tagAt(cell: number): number;
  payloadAt(cell: number): number;
}

/** Codes of a head's cells; from `texts` on two for each of its texts, which may be an array's. */
const CODE = { missing: 0, number: 1, false: 2, true: 3, texts: 4 } as const;

export class HeadCellReader implements CellReader {
  readonly missingCode = CODE.missing;
  readonly numberCode = CODE.number;
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
      return CODE.number;
    case TAG.text:
      return CODE.texts + 2 * payload;
    case TAG.array:
      return CODE.texts + 2 * payload + 1;
    case TAG.false:
      return CODE.false;
    case TAG.true:
      return CODE.true;
    default:
      return CODE.missing;
  }
}
