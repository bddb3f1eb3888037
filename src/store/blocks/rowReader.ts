import type { NumberColumn } from './numberColumn.ts';

/** Rows decoded together: a trail is read row by row. */
const PAGE_ROWS = 64;
/** Columns that have a page in memory, one table a thread: 512 bytes each. */
const SLOTS = 512;
const slots = {
  owners: new Array<RowReader | undefined>(SLOTS).fill(undefined),
  pages: new Uint32Array(SLOTS),
  values: new Float64Array(SLOTS * PAGE_ROWS),
};
const single = new Float64Array(1);
let readers = 0;
/** A row of the column for so many of the block's is few. */
const SPARSE_ROWS = 8;

/** Reads single rows of a column, mostly near the last one. */
export class RowReader {
  readonly #column: NumberColumn;
  readonly #isSparse: boolean;
  readonly #slot = readers++ % SLOTS;

  /** `blockRows`: where few of them have a row in the column, rows next to each other are not of one trail. */
  constructor(column: NumberColumn, blockRows = 0) {
    this.#column = column;
    this.#isSparse = column.rowCount * SPARSE_ROWS < blockRows;
  }

  at(row: number): number {
    if (this.#isSparse) {
      this.#column.decode(row, row + 1, single);
      return single[0]!;
    }
    const slot = this.#slot;
    const page = Math.floor(row / PAGE_ROWS);
    if (slots.owners[slot] !== this || slots.pages[slot] !== page) this.#read(page);
    return slots.values[slot * PAGE_ROWS + (row % PAGE_ROWS)]!;
  }

  #read(page: number): void {
    const slot = this.#slot;
    const from = page * PAGE_ROWS;
    const to = Math.min(from + PAGE_ROWS, this.#column.rowCount);
    slots.owners[slot] = undefined;
    this.#column.decode(from, to, slots.values.subarray(slot * PAGE_ROWS, (slot + 1) * PAGE_ROWS));
    slots.owners[slot] = this;
    slots.pages[slot] = page;
  }
}
