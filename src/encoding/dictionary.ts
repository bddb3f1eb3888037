import {
  damaged,
  type EncodedValues,
  type Encoding,
  expectBytes,
  type Filter,
  type NumberVector,
  passes,
  statisticsOf,
} from './contract.ts';
import { isLaneBits, Lanes, laneBitsFor, laneBytes } from './lanes.ts';
import { packed } from './packed.ts';
import { raw } from './raw.ts';

/**
 * The distinct values once, in order of first appearance, and a narrow code a row.
 *
 *   0  u32  distinct values
 *   4  u8   encoding id of the distinct values: packed or raw
 *   5  u8   bits of a lane
 *   6  u16  0
 *   8  u32  bytes of the distinct values' body
 *  12  u32  0
 *  16       the distinct values' body, padded to a multiple of 8 bytes
 *   .       lanes
 */
const HEADER_BYTES = 16;
/** More distinct values than this need lanes of 32 bits, which save nothing. */
const DISTINCT_MAX = 65_536;

export const dictionary: Encoding = {
  id: 3,
  name: 'dictionary',

  analyze(values) {
    // With more distinct values than half the rows, storing each twice as far away is no gain.
    const found = distinct(values, Math.min(DISTINCT_MAX, values.length >>> 1));
    if (found === undefined) return undefined;
    const statistics = statisticsOf(found.values);
    const packedValues = packed.analyze(found.values, statistics);
    const nested = packedValues ?? raw.analyze(found.values, statistics)!;
    const bits = laneBitsFor(found.values.length - 1)!;
    const lanesAt = HEADER_BYTES + align8(nested.bytes);
    const bytes = lanesAt + laneBytes(bits, values.length);
    return {
      bytes,
      scanNsPerRow: bits <= 8 ? 0.3 : 1,
      encode() {
        const body = new Uint8Array(bytes);
        const header = new DataView(body.buffer);
        header.setUint32(0, found.values.length, true);
        header.setUint8(4, packedValues === undefined ? raw.id : packed.id);
        header.setUint8(5, bits);
        header.setUint32(8, nested.bytes, true);
        body.set(nested.encode(), HEADER_BYTES);
        const lanes = new Lanes(body.subarray(lanesAt), bits, values.length);
        for (let row = 0; row < values.length; row++) lanes.set(row, found.codes[row]!);
        return body;
      },
    };
  },

  open(body, rowCount, place): EncodedValues {
    if (body.length < HEADER_BYTES) damaged(place, 'a dictionary body', `${body.length} bytes`);
    const header = new DataView(body.buffer, body.byteOffset, HEADER_BYTES);
    const distinctCount = header.getUint32(0, true);
    const nestedId = header.getUint8(4);
    const bits = header.getUint8(5);
    const nestedBytes = header.getUint32(8, true);
    if (!isLaneBits(bits)) damaged(place, 'lanes of 1 to 32 bits', `${bits} bits`);
    if (nestedId !== packed.id && nestedId !== raw.id)
      damaged(place, 'packed or raw values', String(nestedId));
    const lanesAt = HEADER_BYTES + align8(nestedBytes);
    expectBytes(place, 'body bytes', lanesAt + laneBytes(bits, rowCount), body.length);
    const nested = nestedId === packed.id ? packed : raw;
    const nestedBody = body.subarray(HEADER_BYTES, HEADER_BYTES + nestedBytes);
    return new DictionaryValues(
      nested.open(nestedBody, distinctCount, place),
      distinctCount,
      new Lanes(body.subarray(lanesAt), bits, rowCount),
    );
  },
};

class DictionaryValues implements EncodedValues {
  readonly #values: EncodedValues;
  readonly #distinctCount: number;
  readonly #lanes: Lanes;

  constructor(values: EncodedValues, distinctCount: number, lanes: Lanes) {
    this.#values = values;
    this.#distinctCount = distinctCount;
    this.#lanes = lanes;
  }

  at(row: number): number {
    return this.#values.at(this.#lanes.at(row));
  }

  decode(from: number, to: number, target: NumberVector): void {
    for (let row = from; row < to; row++) target[row - from] = this.at(row);
  }

  /** Asks once per distinct value. */
  select(filter: Filter, words: Uint32Array): void {
    const table = new Uint8Array(this.#distinctCount);
    for (let code = 0; code < table.length; code++) {
      if (passes(filter, this.#values.at(code))) table[code] = 1;
    }
    this.#lanes.selectTable(table, words);
  }
}

interface Distinct {
  readonly values: Float64Array;
  /** values[codes[row]] is the row's value. */
  readonly codes: Uint32Array;
}

/** undefined when there are more than `distinctMax`. Open addressing over the doubles' bits, so that -0 is not 0. */
function distinct(values: Float64Array, distinctMax: number): Distinct | undefined {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(distinctMax + 1) + 1)); // code + 1; 0 is free
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const found = new Float64Array(distinctMax);
  const foundBits = new Uint32Array(found.buffer);
  const codes = new Uint32Array(values.length);
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    const low = bits[row * 2]!;
    const high = bits[row * 2 + 1]!;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & (slots.length - 1);
    for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const code = slots[slot]! - 1;
      if (foundBits[code * 2] === low && foundBits[code * 2 + 1] === high) break;
    }
    if (slots[slot] === 0) {
      if (count === distinctMax) return undefined;
      foundBits[count * 2] = low;
      foundBits[count * 2 + 1] = high;
      slots[slot] = ++count;
    }
    codes[row] = slots[slot]! - 1;
  }
  return { values: found.slice(0, count), codes };
}

function align8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
