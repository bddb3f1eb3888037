import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { clearArena } from './arena.ts';
import { KIND } from './codes.ts';
import type { EncodedValues, Values } from './contract.ts';
import { DICTIONARY_TAG, dictionaryDraft } from './dictionary.ts';
import { DOUBLES_TAG } from './doubles.ts';
import { readerOf, writtenBy } from './oracle.ts';
import { packedDraft } from './packed.ts';
import type { Temperature } from './picker.ts';
import { SCALED_TAG } from './scaled.ts';
import { openValues, valuesDraft } from './values.ts';

const ROWS = 20_000;
const random = new SeededRandom(10);

function written(values: Values, temperature: Temperature = 'hot'): Uint8Array {
  clearArena();
  return writtenBy(valuesDraft(values, temperature));
}

function opened(values: Values): EncodedValues {
  return openValues(readerOf(written(values)), values.length);
}

const codes = (valueAt: (row: number) => number) =>
  Uint32Array.from({ length: ROWS }, (_, row) => valueAt(row));
const numbers = (valueAt: (row: number) => number) =>
  Float64Array.from({ length: ROWS }, (_, row) => valueAt(row));
const bitsPerRow = (values: Values, temperature: Temperature = 'hot') =>
  (written(values, temperature).length * 8) / values.length;

describe('what is picked', () => {
  it('is narrow for what has a unit or decimals', () => {
    const minutes = numbers(() => 1_600_000_000_000 + random.below(256) * 60_000);
    expect(written(minutes)[0]).toBe(SCALED_TAG);
    expect(bitsPerRow(minutes)).toBeLessThan(8.1);
    const prices = numbers(() => (random.below(60_000) - 500) / 100);
    expect(written(prices)[0]! & 127).toBe(SCALED_TAG + 2);
    expect(bitsPerRow(prices)).toBeLessThan(16.1);
  });

  it('is a dictionary for a few values far apart', () => {
    const far = numbers(() => random.pick([1, 3_000_000_000, 17, 1 / 3]));
    expect(written(far)[0]).toBe(DICTIONARY_TAG);
    expect(bitsPerRow(far)).toBeLessThan(2.1);
    expect(bitsPerRow(codes(() => random.pick([1, 3_000_000_000, 17])))).toBeLessThan(2.1);
  });

  it('is bits where nothing else holds the numbers', () => {
    expect(written(numbers(() => random.fraction() / 3))[0]).toBe(DOUBLES_TAG);
    expect(written(numbers((row) => (row === 9 ? -0 : row)))[0]).toBe(DOUBLES_TAG);
  });

  it('is runs for what repeats, and differences for what ascends', () => {
    let code = 0;
    const repeated = codes(() => {
      if (random.chance(0.02)) code = random.below(4096);
      return code;
    });
    expect(bitsPerRow(repeated)).toBeLessThan(0.6);
    const ascending = codes(() => {
      code += random.below(16);
      return code;
    });
    expect(bitsPerRow(ascending, 'warm')).toBeLessThan(5);
    expect(
      written(
        codes((row) => row),
        'warm',
      ).length,
    ).toBeLessThan(ROWS / 16);
  });

  it('parts times in order of users into a high part in runs and low bits', () => {
    let timeMs = 0;
    const times = numbers(() => {
      timeMs = random.chance(0.15) ? 1.6e12 + random.below(90 * 86_400_000) : timeMs + random.below(120_000);
      return timeMs;
    });
    const bytes = written(times);
    expect(bytes.subarray(0, 20)).toContain(KIND.split);
    expect(bitsPerRow(times)).toBeLessThan(26);
  });

  it('is compressed for cold columns only', () => {
    const skewed = codes(() => Math.floor(1 / (random.fraction() + 0.005)));
    expect(bitsPerRow(skewed, 'cold')).toBeLessThan(0.8 * bitsPerRow(skewed, 'hot'));
    const even = codes(() => random.below(256));
    expect(written(even, 'cold').length).toBe(written(even, 'hot').length);
  });
});

describe('a filter', () => {
  it('by a test asks once per value where values repeat', () => {
    for (const values of [numbers((row) => (row % 5) / 10), numbers((row) => Math.sqrt(row % 5))]) {
      const asked: number[] = [];
      const test = (value: number) => asked.push(value) > 0;
      opened(values).select({ kind: 'test', test }, new Uint32Array(ROWS / 32));
      expect(asked).toEqual(Array.from(values.subarray(0, 5)));
    }
  });
});

describe('a dictionary', () => {
  it('is refused when its values do not ascend or a code is past them', () => {
    const dictionary = (values: number[], codeMax: number) => {
      const places = Uint32Array.from({ length: 64 }, (_, row) => row % (codeMax + 1));
      const distinct = valuesDraft(Float64Array.from(values), 'hot');
      const bytes = writtenBy(dictionaryDraft(values.length, distinct, packedDraft(places, 3)));
      return openValues(readerOf(bytes), 64);
    };
    expect(dictionary([-1, -0, 0, 2.5], 3).at(6)).toBe(0);
    for (const values of [
      [3, 1, 2],
      [1, 1, 2],
      [0, -0, 2],
    ]) {
      expect(() => dictionary(values, 2)).toThrow(/ascending/);
    }
    expect(() => dictionary([1, 2, 3.5], 3)).toThrow(/codes up to 2/);
  });
});
