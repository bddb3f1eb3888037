import { expect } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { type EncodedValues, type Encoding, type Filter, passes, statisticsOf } from './contract.ts';

/** For tests only: an encoding against the plain values it was made of. */

/** Encodes and opens again; undefined when the encoding declines. Checks that it said how large it would be. */
export function encoded(encoding: Encoding, values: Float64Array): EncodedValues | undefined {
  const candidate = encoding.analyze(values, statisticsOf(values));
  if (candidate === undefined) return undefined;
  const body = candidate.encode();
  if (encoding.name !== 'lz4') expect(body.length).toBe(candidate.bytes);
  return encoding.open(body, values.length, { file: 'test', offset: 0 });
}

/** Every verb agrees with the values themselves. */
export function expectSame(actual: EncodedValues, values: Float64Array, seed = 1): void {
  const random = new SeededRandom(seed);
  const all = new Float64Array(values.length);
  actual.decode(0, values.length, all);
  expect(sameBits(all, values)).toBe(true);
  for (let i = 0; i < 20; i++) {
    const from = random.below(values.length);
    const to = from + random.below(values.length - from) + 1;
    expect(Object.is(actual.at(from), values[from])).toBe(true);
    const some = new Float64Array(to - from);
    actual.decode(from, to, some);
    expect(sameBits(some, values.slice(from, to))).toBe(true);
    expectSameRows(actual, values, randomFilter(values, random));
  }
}

/** Tells -0 from 0, and is quick on long vectors. */
function sameBits(a: Float64Array | Uint32Array, b: Float64Array | Uint32Array): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

function expectSameRows(actual: EncodedValues, values: Float64Array, filter: Filter): void {
  const expected = new Uint32Array((values.length + 31) >>> 5);
  values.forEach((value, row) => {
    if (passes(filter, value)) expected[row >>> 5]! |= 1 << (row & 31);
  });
  const words = new Uint32Array(expected.length);
  actual.select(filter, words);
  expect(sameBits(words, expected), JSON.stringify(filter)).toBe(true);
}

function randomFilter(values: Float64Array, random: SeededRandom): Filter {
  // Half of them near a value rather than on it.
  const near = () => values[random.below(values.length)]! + random.pick([0, 0, 0, 0.5, -1, 1000]);
  const [a, b] = [near(), near()];
  return random.pick<Filter>([
    { kind: 'in', values: new Set([a]) },
    { kind: 'in', values: new Set([a, b, near()]) },
    { kind: 'in', values: new Set() },
    { kind: 'range', from: Math.min(a, b), to: Math.max(a, b) },
    { kind: 'range', from: Number.NEGATIVE_INFINITY, to: a },
    { kind: 'range', from: a, to: Number.POSITIVE_INFINITY },
    { kind: 'test', test: (value) => Math.floor(value) % 2 === 0 },
    { kind: 'test', test: (value) => value === a },
  ]);
}

/** Vectors that encodings trip over, of every length around a word and a byte. */
export function vectors(seed: number): Float64Array[] {
  const random = new SeededRandom(seed);
  const shapes: (() => number)[] = [
    () => 7,
    () => -0,
    () => random.pick([0, -0]),
    () => random.below(2) * 250,
    () => random.below(4),
    () => random.below(13),
    () => 1000 + random.below(256),
    () => random.below(60_000) * 60_000 + 1_600_000_000_000,
    () => random.uint32(),
    () => random.pick([0, 0xffffffff]),
    () => random.pick([Number.MIN_SAFE_INTEGER, -1, 0, 1, Number.MAX_SAFE_INTEGER]),
    () => random.pick([2.55, -3.39, 0.1 + 0.2, 1e300, 5e-324]),
    () => random.fraction() * 1e6,
    () => random.pick([2 ** 53, 2 ** 60, 12]),
  ];
  const lengths = [1, 7, 8, 31, 32, 33, 100, 1000];
  return shapes.flatMap((shape) => lengths.map((length) => Float64Array.from({ length }, shape)));
}
