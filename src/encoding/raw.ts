import {
  type EncodedValues,
  type Encoding,
  expectBytes,
  type Filter,
  type NumberVector,
  passes,
} from './contract.ts';

/** Body: a double a row. Holds anything, so that there is always an encoding. */
export const raw: Encoding = {
  id: 4,
  name: 'raw',

  analyze(values) {
    return {
      bytes: values.length * 8,
      scanNsPerRow: 1,
      encode: () => new Uint8Array(values.slice().buffer),
    };
  },

  open(body, rowCount, place): EncodedValues {
    expectBytes(place, 'body bytes', rowCount * 8, body.length);
    return new RawValues(new Float64Array(body.buffer, body.byteOffset, rowCount));
  },
};

class RawValues implements EncodedValues {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  at(row: number): number {
    return this.#values[row]!;
  }

  decode(from: number, to: number, target: NumberVector): void {
    target.set(this.#values.subarray(from, to));
  }

  select(filter: Filter, words: Uint32Array): void {
    const values = this.#values;
    const [only] = filter.kind === 'in' && filter.values.size === 1 ? filter.values : [];
    if (only !== undefined) {
      for (let row = 0; row < values.length; row++) {
        if (values[row] === only) words[row >>> 5]! |= 1 << (row & 31);
      }
    } else {
      for (let row = 0; row < values.length; row++) {
        if (passes(filter, values[row]!)) words[row >>> 5]! |= 1 << (row & 31);
      }
    }
  }
}
