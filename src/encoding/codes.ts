import type { NumberVector } from './contract.ts';
import type { RowCodes } from './kernels/kernels.ts';

/**
 * Whole numbers from 0, encoded so that they are read and filtered as they lie. One kind may be made of others, each
 * further down this list, which bounds how deep they nest:
 *
 *   split       high part and low bits apart                             split.ts
 *   runs        a code and an end per run (a kind of its own: starts)    runs.ts, runStarts.ts
 *   ones        a bit for each number that is a code; in no other kind   ones.ts
 *   deltas      differences, summed from a checkpoint every 64 rows      deltas.ts
 *   compressed  whole bytes a row under LZ4 or deflate, for cold columns compressed.ts
 *   packed      1 to 32 bits a row                                       packed.ts
 *   zeros       all 0                                                    zeros.ts
 *
 * Codes are below 2^32; only those of a split may be up to 2^53 - 1.
 */
export interface Codes {
  readonly rowCount: number;
  /** Rows are [0, rowCount); not checked. */
  at(row: number): number;
  /** target[i] = code of row from + i, for rows [from, to). */
  decode(from: number, to: number, target: NumberVector): void;
  /** target[i] = code of row rows[i] - first. Rows ascend and may come again; at most GATHERED_ROWS. */
  gather(rows: Uint32Array, first: number, target: NumberVector): void;
  /** As kernels take them, where they are such. */
  rowCodes?(): RowCodes | undefined;
  /** Where codes ascend: the first row that has at least this one; rowCount when none has. */
  firstFrom(code: number): number;
  /**
   * Bit i of `words` = whether row i passes. Writes all of `words`, ⌈rowCount / 32⌉ of them. Where only the rows of another
   * bitmap are `wanted`, the bits of others may be anything.
   */
  select(filter: CodeFilter, words: Uint32Array, wanted?: Uint32Array): void;
}

/** `range`: from <= code <= to, which may be empty. `set`: table[code] is 1, for codes below 2^32. */
export type CodeFilter =
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'set'; readonly table: Uint8Array };

/** First byte of encoded codes; 1 to 32 are packed codes of so many bits. Never reused for something else. */
export const KIND = {
  zeros: 0,
  compressed: 33,
  deltas: 34,
  runs: 35,
  split: 36,
  starts: 37,
  ones: 38,
} as const;

/** Rows decoded at a time: they stay in the nearest cache. A multiple of 32. */
export const PIECE_ROWS = 1024;
const piece = new Uint32Array(PIECE_ROWS);

/** Rows so far apart are sooner read one by one than decoded with what lies between them. */
const SPARSE_ROWS = 16;

/** Codes::gather by decoding. */
export function gatherDecoded(codes: Codes, rows: Uint32Array, first: number, target: NumberVector): void {
  for (let i = 0; i < rows.length; ) {
    const from = rows[i]! - first;
    const to = Math.min(from + PIECE_ROWS, codes.rowCount);
    let end = i + 1;
    while (end < rows.length && rows[end]! - first < to) end++;
    const last = rows[end - 1]! - first;
    if ((end - i) * SPARSE_ROWS < last - from) {
      for (; i < end; i++) target[i] = codes.at(rows[i]! - first);
      continue;
    }
    codes.decode(from, last + 1, piece);
    for (; i < end; i++) target[i] = piece[rows[i]! - first - from]!;
  }
}

/** Codes::firstFrom, and EncodedValues::firstFrom, row by row. */
export function searchFirstFrom(
  of: { at(row: number): number; readonly rowCount: number },
  least: number,
): number {
  let low = 0;
  let high = of.rowCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (of.at(middle) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Codes::select by decoding. */
export function selectDecoded(codes: Codes, filter: CodeFilter, words: Uint32Array): void {
  for (let from = 0; from < codes.rowCount; from += PIECE_ROWS) {
    const count = Math.min(PIECE_ROWS, codes.rowCount - from);
    codes.decode(from, from + count, piece);
    const target = words.subarray(from >>> 5, (from + count + 31) >>> 5);
    if (filter.kind === 'range') testRange(piece, count, filter.from, filter.to, target);
    else testSet(piece, count, filter.table, target);
  }
}

function testRange(codes: Uint32Array, count: number, from: number, to: number, words: Uint32Array): void {
  for (let w = 0; w < words.length; w++) {
    const end = Math.min((w + 1) << 5, count);
    let word = 0;
    for (let row = w << 5; row < end; row++) {
      if (codes[row]! >= from && codes[row]! <= to) word |= 1 << (row & 31);
    }
    words[w] = word;
  }
}

function testSet(codes: Uint32Array, count: number, table: Uint8Array, words: Uint32Array): void {
  for (let w = 0; w < words.length; w++) {
    const end = Math.min((w + 1) << 5, count);
    let word = 0;
    for (let row = w << 5; row < end; row++) if (table[codes[row]!] === 1) word |= 1 << (row & 31);
    words[w] = word;
  }
}

/** Bits that hold every number up to this one; 0 for 0. */
export function bitLength(max: number): number {
  const high = Math.floor(max / 0x1_0000_0000);
  return high === 0 ? 32 - Math.clz32(max) : 64 - Math.clz32(high);
}
