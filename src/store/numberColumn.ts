import { Bitset } from '../base/bitset.ts';
import type { Column } from '../encoding/column.ts';
import { type Filter, type NumberVector, passes } from '../encoding/contract.ts';
import { codeFilter } from './codeFilter.ts';

/** A column of a block's numbers or codes, however they are held. */
export interface NumberColumn {
  readonly rowCount: number;
  /** Bytes held beside the block's own. */
  readonly memoryBytes: number;
  at(row: number): number;
  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** The rows that pass. A fresh bitset, owned by the caller. */
  select(filter: Filter): Bitset;
  /** Takes the rows that do not pass out of `rows`. */
  and(rows: Bitset, filter: Filter): void;
}

/** Rows looked at together. */
const PAGE_ROWS = 1024;
const scratch = new Uint32Array(PAGE_ROWS);

/** A column that another one determines: a value for each code of that one, but for a few rows. See blockFormat.ts. */
export class DeterminedColumn implements NumberColumn {
  readonly #by: Column;
  readonly #map: Column;
  readonly #exceptionRows: Column;
  readonly #exceptionValues: Column;

  constructor(by: Column, map: Column, exceptionRows: Column, exceptionValues: Column) {
    this.#by = by;
    this.#map = map;
    this.#exceptionRows = exceptionRows;
    this.#exceptionValues = exceptionValues;
  }

  get rowCount(): number {
    return this.#by.rowCount;
  }

  get memoryBytes(): number {
    return this.#map.memoryBytes + this.#exceptionRows.memoryBytes + this.#exceptionValues.memoryBytes;
  }

  at(row: number): number {
    const exception = lastAtMost(this.#exceptionRows, row);
    if (exception !== -1 && this.#exceptionRows.at(exception) === row) return this.#exceptionValues.at(exception);
    return this.#map.at(this.#by.at(row));
  }

  decode(from: number, to: number, target: NumberVector): void {
    const values = new Float64Array(this.#map.rowCount);
    this.#map.decode(0, values.length, values);
    for (let page = from; page < to; page += PAGE_ROWS) {
      const end = Math.min(page + PAGE_ROWS, to);
      this.#by.decode(page, end, scratch);
      for (let i = 0; i < end - page; i++) target[page - from + i] = values[scratch[i]!]!;
    }
    const exceptionEnd = lastAtMost(this.#exceptionRows, to - 1) + 1;
    for (let i = lastAtMost(this.#exceptionRows, from - 1) + 1; i < exceptionEnd; i++) {
      target[this.#exceptionRows.at(i) - from] = this.#exceptionValues.at(i);
    }
  }

  select(filter: Filter): Bitset {
    const values = new Float64Array(this.#map.rowCount);
    this.#map.decode(0, values.length, values);
    const table = new Uint8Array(values.length);
    for (let code = 0; code < table.length; code++) table[code] = passes(filter, values[code]!) ? 1 : 0;
    const rows = this.#by.select(codeFilter(table));
    for (let i = 0; i < this.#exceptionRows.rowCount; i++) {
      const row = this.#exceptionRows.at(i);
      if (passes(filter, this.#exceptionValues.at(i))) rows.add(row);
      else rows.delete(row);
    }
    return rows;
  }

  and(rows: Bitset, filter: Filter): void {
    rows.and(this.select(filter));
  }
}

/** Of ascending values the last that is at most `wanted`; -1 when none is. */
export function lastAtMost(column: NumberColumn, wanted: number): number {
  let low = 0;
  let high = column.rowCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column.at(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
