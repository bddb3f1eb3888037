import { type EncodedValues, type Encoding, expectBytes, passes, selectAll } from './contract.ts';

/** Body: the one value, a double. */
export const constant: Encoding = {
  id: 1,
  name: 'constant',

  analyze(values, { min, max }) {
    if (min !== max) return undefined;
    if (min === 0 && !values.every((value) => Object.is(value, values[0]))) return undefined;
    return {
      bytes: 8,
      scanNsPerRow: 0,
      encode: () => new Uint8Array(Float64Array.of(values[0]!).buffer),
    };
  },

  open(body, rowCount, place): EncodedValues {
    expectBytes(place, 'body bytes', 8, body.length);
    const value = new Float64Array(body.buffer, body.byteOffset, 1)[0]!;
    return {
      at: () => value,
      decode: (from, to, target) => void target.fill(value, 0, to - from),
      select(filter, words) {
        if (passes(filter, value)) selectAll(words, rowCount);
      },
    };
  },
};
