import {
  damaged,
  type EncodedValues,
  type Encoding,
  expectBytes,
  type Filter,
  type NumberVector,
} from './contract.ts';
import { isLaneBits, Lanes, laneBitsFor, laneBytes } from './lanes.ts';

/**
 * Frame of reference with a common divisor: value = base + unit * code, codes in fixed lanes. Times in whole seconds or
 * minutes become narrow, and so do codes that lie close together.
 *
 *   0  f64  base: the least value
 *   8  f64  unit: divides every difference from the base
 *  16  u32  the greatest code
 *  20  u32  bits of a lane
 *  24       lanes, zero-padded to a multiple of 8 bytes
 *
 * Valid: the greatest code fits a lane and base + unit * code is a safe integer for every code up to it.
 */
const LANES_AT = 24;
/** Asking once per code that occurs pays while its table is not much longer than the chunk. */
const TABLE_CODES_PER_ROW_MAX = 4;

export const packed: Encoding = {
  id: 2,
  name: 'packed',

  analyze(values, { min, max, whole }) {
    if (!whole || max - min > Number.MAX_SAFE_INTEGER) return undefined;
    const unit = commonDivisor(values, min);
    const codeMax = (max - min) / unit;
    const bits = laneBitsFor(codeMax);
    if (bits === undefined) return undefined;
    const bytes = LANES_AT + laneBytes(bits, values.length);
    return {
      bytes,
      scanNsPerRow: bits <= 8 ? 0.2 : 0.8,
      encode() {
        const body = new Uint8Array(bytes);
        new Float64Array(body.buffer, 0, 2).set([min, unit]);
        new Uint32Array(body.buffer, 16, 2).set([codeMax, bits]);
        const lanes = new Lanes(body.subarray(LANES_AT), bits, values.length);
        for (let row = 0; row < values.length; row++) lanes.set(row, (values[row]! - min) / unit);
        return body;
      },
    };
  },

  open(body, rowCount, place): EncodedValues {
    if (body.length < LANES_AT) damaged(place, 'a packed body', `${body.length} bytes`);
    const [base, unit] = new Float64Array(body.buffer, body.byteOffset, 2);
    const [codeMax, bits] = new Uint32Array(body.buffer, body.byteOffset + 16, 2);
    if (!isLaneBits(bits!)) damaged(place, 'lanes of 1 to 32 bits', `${bits} bits`);
    expectBytes(place, 'body bytes', LANES_AT + laneBytes(bits, rowCount), body.length);
    return new PackedValues(base!, unit!, codeMax!, new Lanes(body.subarray(LANES_AT), bits, rowCount));
  },
};

/** The greatest divisor of all differences from `base`; 1 when there are none. */
function commonDivisor(values: Float64Array, base: number): number {
  let divisor = 0;
  for (let i = 0; i < values.length && divisor !== 1; i++) {
    const difference = values[i]! - base;
    // A division is several times quicker than %, which is left to the few values that change the divisor.
    if (divisor !== 0 && Math.round(difference / divisor) * divisor === difference) continue;
    divisor = greatestCommonDivisor(difference, divisor);
  }
  return divisor === 0 ? 1 : divisor;
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

class PackedValues implements EncodedValues {
  readonly #base: number;
  readonly #unit: number;
  readonly #codeMax: number;
  readonly #lanes: Lanes;

  constructor(base: number, unit: number, codeMax: number, lanes: Lanes) {
    this.#base = base;
    this.#unit = unit;
    this.#codeMax = codeMax;
    this.#lanes = lanes;
  }

  at(row: number): number {
    return this.#base + this.#unit * this.#lanes.at(row);
  }

  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; row++) target[row - from] = this.at(row);
  }

  select(filter: Filter, words: Uint32Array): void {
    if (filter.kind === 'range') {
      this.#lanes.selectRange(this.#codeFrom(filter.from), this.#codeFrom(filter.to), words);
    } else if (filter.kind === 'in') {
      this.#selectCodes(this.#codesOf(filter.values), words);
    } else if (this.#codeMax < TABLE_CODES_PER_ROW_MAX * this.#lanes.count) {
      this.#lanes.selectTable(this.#tableOf(filter.test), words);
    } else {
      for (let row = 0; row < this.#lanes.count; row++) {
        if (filter.test(this.at(row))) words[row >>> 5]! |= 1 << (row & 31);
      }
    }
  }

  #selectCodes(codes: ReadonlySet<number>, words: Uint32Array): void {
    const [code] = codes;
    if (codes.size === 1) {
      this.#lanes.selectRange(code!, code! + 1, words);
    } else if (this.#lanes.bits <= 16) {
      const table = new Uint8Array(this.#codeMax + 1);
      for (const code of codes) table[code] = 1;
      this.#lanes.selectTable(table, words);
    } else {
      this.#lanes.selectCodes(codes, words);
    }
  }

  #codesOf(values: ReadonlySet<number>): ReadonlySet<number> {
    const codes = new Set<number>();
    for (const value of values) {
      const code = this.#codeFrom(value);
      if (code <= this.#codeMax && this.#valueOf(code) === value) codes.add(code);
    }
    return codes;
  }

  #valueOf(code: number): number {
    return this.#base + this.#unit * code;
  }

  /** The least code whose value is at least this; codeMax + 1 when there is none. */
  #codeFrom(value: number): number {
    let low = 0;
    let high = this.#codeMax + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#valueOf(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Asks once per code that occurs. */
  #tableOf(test: (value: number) => boolean): Uint8Array {
    const table = this.#lanes.occurring(this.#codeMax);
    for (let code = 0; code <= this.#codeMax; code++) {
      if (table[code] === 1 && !test(this.#valueOf(code))) table[code] = 0;
    }
    return table;
  }
}
