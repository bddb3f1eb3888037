import { CHUNK_ROWS_MAX } from '../base/limits.ts';
import { type CodeFilter, type Codes, KIND, PIECE_ROWS, searchFirstFrom, selectDecoded } from './codes.ts';
import type { Draft, NumberVector } from './contract.ts';
import { GATHERED_ROWS, type RunRowCodes } from './kernels/kernels.ts';
import { RunCodes } from './runs.ts';

/**
 * code = high * 2^bits + low. Times in order of users are nearly constant but for their low bits: their high part is
 * runs. It is also how codes above 32 bits are held.
 *
 *   u8     bits of the low part, 1 to 32
 *   codes  high parts
 *   codes  low parts
 *
 * Valid: every low part has at most so many bits, and high parts at most 53 less so many.
 */
export function splitDraft(lowBits: number, high: Draft, low: Draft): Draft {
  return {
    bytes: 2 + high.bytes + low.bytes,
    // Low parts are looked at in few rows: those on the edge of what is looked for.
    scanNsPerRow: high.scanNsPerRow + low.scanNsPerRow / 4,
    write(target) {
      target.byte(KIND.split);
      target.byte(lowBits);
      high.write(target);
      low.write(target);
    },
  };
}

const pieceHigh = new Uint32Array(PIECE_ROWS);
const pieceLow = new Uint32Array(PIECE_ROWS);
const gatheredHigh = new Uint32Array(GATHERED_ROWS);
const gatheredLow = new Uint32Array(GATHERED_ROWS);
const edge = new Uint32Array(CHUNK_ROWS_MAX / 32);
const edgeLow = new Uint32Array(CHUNK_ROWS_MAX / 32);
/** With more rows on an edge, looking at all low parts at once is quicker than one by one. */
const EDGE_ROWS_MAX = 4096;
const edges = { rows: new Uint32Array(EDGE_ROWS_MAX), codes: new Uint32Array(EDGE_ROWS_MAX) };

export class SplitCodes implements Codes {
  readonly rowCount: number;
  readonly high: Codes;
  readonly low: Codes;
  readonly #lowBits: number;
  /** 2^#lowBits. */
  readonly unit: number;

  constructor(lowBits: number, high: Codes, low: Codes) {
    this.rowCount = high.rowCount;
    this.high = high;
    this.low = low;
    this.#lowBits = lowBits;
    this.unit = 2 ** lowBits;
  }

  at(row: number): number {
    return this.high.at(row) * this.unit + this.low.at(row);
  }

  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; row += PIECE_ROWS) {
      const count = Math.min(PIECE_ROWS, to - row);
      this.high.decode(row, row + count, pieceHigh);
      this.low.decode(row, row + count, pieceLow);
      join(pieceHigh, this.unit, pieceLow, count, target, row - from);
    }
  }

  gather(rows: Uint32Array, first: number, target: NumberVector): void {
    if (target instanceof Float64Array && this.high instanceof RunCodes) {
      if (this.high.gatherWithLow(this.low, this.#lowBits, rows, first, target)) return;
    }
    const [high, low] = [gatheredHigh.subarray(0, rows.length), gatheredLow.subarray(0, rows.length)];
    this.high.gather(rows, first, high);
    this.low.gather(rows, first, low);
    join(high, this.unit, low, rows.length, target, 0);
  }

  /** Of high parts that are runs: them, as Codes.rowCodes, and what one of them comes to; and low parts. */
  rowRuns(): { readonly codes: RunRowCodes; readonly length: number; readonly low: Codes } | undefined {
    const codes = this.high instanceof RunCodes ? this.high.rowCodes() : undefined;
    return codes && { codes, length: this.unit, low: this.low };
  }

  firstFrom(code: number): number {
    return searchFirstFrom(this, code);
  }

  select(filter: CodeFilter, words: Uint32Array, wanted?: Uint32Array): void {
    if (filter.kind === 'set') selectDecoded(this, filter, words);
    else if (filter.from > filter.to) words.fill(0);
    else this.#selectRange(filter.from, filter.to, words, wanted);
  }

  /** Rows whose high part lies between those of the edges, and of those on an edge the ones on its right side. */
  #selectRange(from: number, to: number, words: Uint32Array, wanted: Uint32Array | undefined): void {
    const lowMax = this.unit - 1;
    const [highFrom, lowFrom] = this.#parts(from);
    const [highTo, lowTo] = this.#parts(to);
    if (highFrom === highTo) {
      words.fill(0);
      this.#addEdge(highFrom, lowFrom, lowTo, words);
      return;
    }
    if (this.high instanceof RunCodes) {
      const count = this.high.selectEdged(highFrom, highTo, words, edges);
      for (let i = 0; i < count; i++) {
        const row = edges.rows[i]!;
        // Low parts lie far apart: each is a wait for memory.
        if (wanted !== undefined && ((wanted[row >>> 5]! >>> (row & 31)) & 1) === 0) continue;
        const low = this.low.at(row);
        const isBefore = edges.codes[i] === highFrom && low < lowFrom;
        const isBehind = edges.codes[i] === highTo && low > lowTo;
        if (isBefore || isBehind) words[row >>> 5]! &= ~(1 << (row & 31));
      }
      if (count !== -1) return;
    }
    const inner = {
      from: lowFrom === 0 ? highFrom : highFrom + 1,
      to: lowTo === lowMax ? highTo : highTo - 1,
    };
    this.high.select({ kind: 'range', ...inner }, words);
    if (lowFrom !== 0) this.#addEdge(highFrom, lowFrom, lowMax, words);
    if (lowTo !== lowMax) this.#addEdge(highTo, 0, lowTo, words);
  }

  #parts(code: number): [number, number] {
    const high = Math.floor(code / this.unit);
    return [high, code - high * this.unit];
  }

  /** Adds the rows with this high part and a low part of `from` to `to`. */
  #addEdge(high: number, from: number, to: number, words: Uint32Array): void {
    const rows = edge.subarray(0, words.length);
    this.high.select({ kind: 'range', from: high, to: high }, rows);
    if (this.#addOneByOne(rows, from, to, words)) return;
    const low = edgeLow.subarray(0, words.length);
    this.low.select({ kind: 'range', from, to }, low);
    for (let w = 0; w < words.length; w++) words[w]! |= rows[w]! & low[w]!;
  }

  /** False when there are many; it may have added some of them then. */
  #addOneByOne(rows: Uint32Array, from: number, to: number, words: Uint32Array): boolean {
    let left = EDGE_ROWS_MAX;
    for (let w = 0; w < rows.length; w++) {
      for (let word = rows[w]!; word !== 0; word &= word - 1) {
        if (left-- === 0) return false;
        const bit = 31 - Math.clz32(word & -word);
        const low = this.low.at((w << 5) + bit);
        if (low >= from && low <= to) words[w]! |= 1 << bit;
      }
    }
    return true;
  }
}

/** target[at + i] = high[i] * unit + low[i]. */
function join(
  high: Uint32Array,
  unit: number,
  low: Uint32Array,
  count: number,
  target: NumberVector,
  at: number,
): void {
  if (target instanceof Float64Array) joinDoubles(high, unit, low, count, target, at);
  else joinIntegers(high, unit, low, count, target, at);
}

function joinDoubles(
  high: Uint32Array,
  unit: number,
  low: Uint32Array,
  count: number,
  target: Float64Array,
  at: number,
): void {
  for (let i = 0; i < count; i++) target[at + i] = high[i]! * unit + low[i]!;
}

/** Modulo 2^32, so in 32-bit integers: they fit the target. */
function joinIntegers(
  high: Uint32Array,
  unit: number,
  low: Uint32Array,
  count: number,
  target: Uint32Array,
  at: number,
): void {
  const step = unit | 0;
  for (let i = 0; i < count; i++) target[at + i] = Math.imul(high[i]!, step) + low[i]!;
}
