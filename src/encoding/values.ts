import { assert } from '../base/assert.ts';
import { scratch } from './arena.ts';
import type { ByteReader } from './bytes.ts';
import { bitLength } from './codes.ts';
import { type Draft, damaged, type EncodedValues, type Values } from './contract.ts';
import { DICTIONARY_TAG, dictionaryDraft, openDictionary } from './dictionary.ts';
import { DISTINCT_MAX, distinctOf } from './distinct.ts';
import { DOUBLES_TAG, doublesDraft, openDoubles } from './doubles.ts';
import { codesDraft, cost, type Temperature, wideCodesDraft } from './picker.ts';
import { openScaled, scaledDraft } from './scaled.ts';
import { scaledOf } from './scaling.ts';

/**
 * Values begin with a tag, never reused for something else:
 *
 *   0              their bits                                                  doubles.ts
 *   1              places in a list of distinct values, which follows          dictionary.ts
 *   2 + p          codes in a scale with p decimal places                      scaled.ts
 *   128 + 2 + p    the same, with a negative base
 */

/** Opens the values that begin where the reader is. Throws DamageError. */
export function openValues(reader: ByteReader, rowCount: number): EncodedValues {
  const tag = reader.byte();
  if (tag !== DICTIONARY_TAG) return openPlain(reader, tag, rowCount);
  const distinctCount = reader.varint('distinct values', 2, DISTINCT_MAX);
  const distinct = openPlain(reader, reader.byte(), distinctCount);
  return openDictionary(reader, distinct, distinctCount, rowCount);
}

function openPlain(reader: ByteReader, tag: number, rowCount: number): EncodedValues {
  if (tag === DOUBLES_TAG) return openDoubles(reader, rowCount);
  if (tag === DICTIONARY_TAG) damaged(reader.place, 'distinct values', 'another dictionary');
  return openScaled(reader, tag, rowCount);
}

/** What is best for these values, at least one and all finite. */
export function valuesDraft(values: Values, temperature: Temperature): Draft {
  const plain = plainDraft(values, temperature);
  const dictionary = repeats(values, plain) ? dictionaryOf(values, temperature) : undefined;
  if (dictionary === undefined) return plain;
  const isBetter = cost(dictionary, values.length, temperature) < cost(plain, values.length, temperature);
  return isBetter ? dictionary : plain;
}

function plainDraft(values: Values, temperature: Temperature): Draft {
  const scaled = scaledOf(values);
  if (scaled === undefined) return doublesOf(values, temperature);
  const { codes, scale } = scaled;
  const draft =
    codes instanceof Uint32Array
      ? codesDraft(codes, scale.codeMax, temperature)
      : wideCodesDraft(codes, scale.codeMax, temperature);
  return scaledDraft(scale, draft);
}

function doublesOf(values: Values, temperature: Temperature): Draft {
  assert(values instanceof Float64Array, 'whole numbers can be scaled');
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const upper = scratch(values.length);
  const lower = scratch(values.length);
  let min = Infinity;
  let max = -Infinity;
  for (let row = 0; row < values.length; row++) {
    upper[row] = bits[2 * row + 1]!;
    lower[row] = bits[2 * row]!;
    min = Math.min(min, values[row]!);
    max = Math.max(max, values[row]!);
  }
  return doublesDraft(min, max, halfDraft(upper, temperature), halfDraft(lower, temperature));
}

function halfDraft(half: Uint32Array, temperature: Temperature): Draft {
  let max = 0;
  for (let row = 0; row < half.length; row++) if (half[row]! > max) max = half[row]!;
  return codesDraft(half, max, temperature);
}

const SAMPLE_ROWS = 256;
/** A dictionary needs each value to occur a few times. */
const ROWS_PER_DISTINCT_MIN = 4;

/** Whether a sample has so few different values that places among them would take fewer bits. */
function repeats(values: Values, plain: Draft): boolean {
  const step = Math.max(1, Math.floor(values.length / SAMPLE_ROWS));
  const sample = new Set<number>();
  let looked = 0;
  for (let row = 0; row < values.length; row += step) {
    sample.add(values[row]!);
    looked++;
  }
  const bitsPerRow = (8 * plain.bytes) / values.length;
  return sample.size <= 0.9 * looked && bitLength(sample.size - 1) + 1 <= bitsPerRow;
}

function dictionaryOf(values: Values, temperature: Temperature): Draft | undefined {
  const distinctMax = Math.min(DISTINCT_MAX, Math.floor(values.length / ROWS_PER_DISTINCT_MIN));
  const distinct = distinctOf(values, distinctMax);
  if (distinct === undefined || distinct.values.length < 2) return undefined;
  const count = distinct.values.length;
  // Whoever looks for one place looks at several distinct values: they stay quick to read.
  return dictionaryDraft(
    count,
    plainDraft(distinct.values, 'hot'),
    codesDraft(distinct.codes, count - 1, temperature),
  );
}
