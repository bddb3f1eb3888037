import type { Bitset } from '../../base/bitset.ts';
import { firstFrom } from '../../base/search.ts';
import type { ArraySource } from '../../base/spareArrays.ts';
import type { Column } from '../../encoding/column.ts';
import { type Filter, type NumberVector, passes } from '../../encoding/contract.ts';
import { codeFilter } from './codeFilter.ts';

/** A column of a block's numbers or codes, however they are held. */
export interface NumberColumn {
  readonly rowCount: number;
  /** Bytes held beside the block's own. */
  readonly memoryBytes: number;
  /** target[i] = value of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** target[i] = value of row rows[i]. Rows ascend and may come again. */
  gather(rows: Uint32Array, target: NumberVector): void;
  /** The rows that pass. A bitset taken from the arrays, owned by the caller. */
  select(filter: Filter, arrays?: ArraySource): Bitset;
  /** Takes the rows that do not pass out of `rows`. */
  and(rows: Bitset, filter: Filter): void;
}

/** Rows looked at together. */
const PAGE_ROWS = 1024;
const pageCodes = new Uint32Array(PAGE_ROWS);
const pageRows = new Uint32Array(PAGE_ROWS);
const pageValues = new Float64Array(PAGE_ROWS);
/** For fewer rows than this share of the map they are looked up one by one. */
const MAP_SHARE = 1 / 16;

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

  decode(from: number, to: number, target: NumberVector): void {
    const isShort = to - from < MAP_SHARE * this.#map.rowCount;
    const map = isShort ? undefined : this.#wholeMap();
    for (let page = from; page < to; page += PAGE_ROWS) {
      const count = Math.min(PAGE_ROWS, to - page);
      this.#by.decode(page, page + count, pageCodes);
      for (let i = 0; i < count; i++) {
        const code = pageCodes[i]!;
        target[page - from + i] = map === undefined ? this.#map.at(code) : map[code]!;
      }
    }
    for (let at = this.#exceptionsBefore(from); at < this.#exceptionRows.rowCount; at += PAGE_ROWS) {
      const count = this.#decodeExceptions(at);
      for (let i = 0; i < count; i++) {
        if (pageRows[i]! >= to) return;
        target[pageRows[i]! - from] = pageValues[i]!;
      }
    }
  }

  gather(rows: Uint32Array, target: NumberVector): void {
    const map = rows.length < MAP_SHARE * this.#map.rowCount ? undefined : this.#wholeMap();
    this.#by.gather(rows, target);
    for (let i = 0; i < rows.length; i++) {
      const code = target[i]!;
      target[i] = map === undefined ? this.#map.at(code) : map[code]!;
    }
    let i = 0;
    for (let at = this.#exceptionsBefore(rows[0] ?? 0); at < this.#exceptionRows.rowCount; at += PAGE_ROWS) {
      const count = this.#decodeExceptions(at);
      for (let e = 0; e < count; e++) {
        i = firstFrom(rows, i, rows.length, pageRows[e]!);
        if (i === rows.length) return;
        for (; rows[i] === pageRows[e]; i++) target[i] = pageValues[e]!;
      }
    }
  }

  select(filter: Filter, arrays?: ArraySource): Bitset {
    const map = this.#wholeMap();
    const table = new Uint8Array(map.length);
    for (let code = 0; code < table.length; code++) table[code] = passes(filter, map[code]!) ? 1 : 0;
    const rows = this.#by.select(codeFilter(table), arrays);
    for (let at = 0; at < this.#exceptionRows.rowCount; at += PAGE_ROWS) {
      const count = this.#decodeExceptions(at);
      for (let i = 0; i < count; i++) {
        if (passes(filter, pageValues[i]!)) rows.add(pageRows[i]!);
        else rows.delete(pageRows[i]!);
      }
    }
    return rows;
  }

  and(rows: Bitset, filter: Filter): void {
    rows.and(this.select(filter));
  }

  #wholeMap(): Float64Array {
    const map = new Float64Array(this.#map.rowCount);
    this.#map.decode(0, map.length, map);
    return map;
  }

  /** To pageRows and pageValues; returns how many. */
  #decodeExceptions(from: number): number {
    const to = Math.min(from + PAGE_ROWS, this.#exceptionRows.rowCount);
    this.#exceptionRows.decode(from, to, pageRows);
    this.#exceptionValues.decode(from, to, pageValues);
    return to - from;
  }

  /** How many are in rows before this one. */
  #exceptionsBefore(row: number): number {
    let low = 0;
    let high = this.#exceptionRows.rowCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#exceptionRows.at(middle) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
