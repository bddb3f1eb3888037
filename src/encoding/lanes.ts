import { kernels } from './kernels/kernels.ts';

/**
 * Codes in fixed lanes of 1, 2, 4, 8, 16 or 32 bits, the first in the lowest bits. Filters take 32 rows at a time to a
 * word of the bitmap.
 */
export type LaneBits = 1 | 2 | 4 | 8 | 16 | 32;

const LANE_BITS: readonly LaneBits[] = [1, 2, 4, 8, 16, 32];

/** The narrowest lane for codes up to `codeMax`; undefined when none is wide enough. */
export function laneBitsFor(codeMax: number): LaneBits | undefined {
  return LANE_BITS.find((bits) => codeMax < 2 ** bits);
}

export function isLaneBits(bits: number): bits is LaneBits {
  return LANE_BITS.some((each) => each === bits);
}

/** Bytes of so many lanes, padded so that what follows stays aligned. */
export function laneBytes(bits: LaneBits, count: number): number {
  return Math.ceil((count * bits) / 64) * 8;
}

type LaneArray = Uint8Array | Uint16Array | Uint32Array;

export class Lanes {
  readonly bits: LaneBits;
  readonly count: number;
  readonly #lanes: LaneArray;
  /** Lane i is in element i >>> shift, at bit (i & within) * bits. */
  readonly #shift: number;
  readonly #within: number;
  readonly #mask: number;

  /** `bytes` are laneBytes(bits, count) long and start at a multiple of 8 in their buffer. */
  constructor(bytes: Uint8Array, bits: LaneBits, count: number) {
    this.bits = bits;
    this.count = count;
    this.#lanes = viewOf(bytes, bits);
    this.#shift = bits < 8 ? 3 - Math.log2(bits) : 0;
    this.#within = (1 << this.#shift) - 1;
    this.#mask = bits === 32 ? -1 : (1 << bits) - 1;
  }

  at(row: number): number {
    const element = this.#lanes[row >>> this.#shift]!;
    return ((element >>> ((row & this.#within) * this.bits)) & this.#mask) >>> 0;
  }

  set(row: number, code: number): void {
    this.#lanes[row >>> this.#shift]! |= code << ((row & this.#within) * this.bits);
  }

  /** table[code] = 1 for every code up to `codeMax` that some row has. */
  occurring(codeMax: number): Uint8Array {
    const table = new Uint8Array(codeMax + 1);
    if (this.bits < 8) for (let row = 0; row < this.count; row++) table[this.at(row)] = 1;
    else mark(this.#lanes, this.count, table);
    return table;
  }

  /** Sets the bits of rows with from <= code < to. */
  selectRange(from: number, to: number, words: Uint32Array): void {
    if (from >= to) return;
    if (this.bits === 8 && to === from + 1) kernels().equal8(this.#codes8(), from, words);
    else if (this.bits <= 8) this.#selectByBytes((code) => code >= from && code < to, words);
    else selectRange(this.#lanes, this.count, from, to, words);
  }

  /** Sets the bits of rows whose code has a 1 in the table; codes past its end have none. */
  selectTable(table: Uint8Array, words: Uint32Array): void {
    const first = table.indexOf(1);
    if (first === -1) return;
    const last = table.lastIndexOf(1);
    if (first === last) this.selectRange(first, first + 1, words);
    else if (this.bits <= 8) this.#selectByBytes((code) => table[code] === 1, words);
    else selectTable(this.#lanes, this.count, table, words);
  }

  /** Sets the bits of rows with one of these codes: for lanes too wide for a table. */
  selectCodes(codes: ReadonlySet<number>, words: Uint32Array): void {
    for (let row = 0; row < this.count; row++) {
      if (codes.has(this.#lanes[row]!)) words[row >>> 5]! |= 1 << (row & 31);
    }
  }

  #codes8(): Uint8Array {
    return (this.#lanes as Uint8Array).subarray(0, this.count);
  }

  /** One look-up a byte: a table says which of the byte's lanes pass. */
  #selectByBytes(test: (code: number) => boolean, words: Uint32Array): void {
    const lanesPerByte = 8 / this.bits;
    const passing = new Uint8Array(256);
    for (let byte = 0; byte < 256; byte++) {
      for (let lane = 0; lane < lanesPerByte; lane++) {
        if (test((byte >>> (lane * this.bits)) & this.#mask)) passing[byte]! |= 1 << lane;
      }
    }
    selectByBytes(this.#lanes as Uint8Array, lanesPerByte, passing, words);
    const used = this.count & 31;
    if (used !== 0) words[words.length - 1]! &= (1 << used) - 1;
  }
}

function viewOf(bytes: Uint8Array, bits: LaneBits): LaneArray {
  if (bits === 32) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  if (bits === 16) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 1);
  return bytes;
}

function selectByBytes(
  bytes: Uint8Array,
  lanesPerByte: number,
  passing: Uint8Array,
  words: Uint32Array,
): void {
  const bytesPerWord = 32 / lanesPerByte;
  for (let w = 0; w < words.length; w++) {
    const from = w * bytesPerWord;
    const to = Math.min(from + bytesPerWord, bytes.length);
    let word = 0;
    for (let i = to - 1; i >= from; i--) word = (word << lanesPerByte) | passing[bytes[i]!]!;
    words[w] = word;
  }
}

function mark(lanes: LaneArray, count: number, table: Uint8Array): void {
  for (let row = 0; row < count; row++) table[lanes[row]!] = 1;
}

function selectRange(lanes: LaneArray, count: number, from: number, to: number, words: Uint32Array): void {
  // One unsigned comparison of whole numbers, which V8 keeps out of doubles.
  const base = from | 0;
  const last = (to - 1 - from) >>> 0;
  for (let w = 0; w < words.length; w++) {
    const end = Math.min((w + 1) << 5, count);
    let word = 0;
    for (let row = w << 5; row < end; row++) {
      if ((lanes[row]! - base) >>> 0 <= last) word |= 1 << (row & 31);
    }
    words[w] = word;
  }
}

function selectTable(lanes: LaneArray, count: number, table: Uint8Array, words: Uint32Array): void {
  for (let w = 0; w < words.length; w++) {
    const end = Math.min((w + 1) << 5, count);
    let word = 0;
    for (let row = w << 5; row < end; row++) if (table[lanes[row]!] === 1) word |= 1 << (row & 31);
    words[w] = word;
  }
}
