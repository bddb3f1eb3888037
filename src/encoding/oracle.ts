import { expect } from 'vitest';
import type { SeededRandom } from '../base/random.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import {
  type Classing,
  type Draft,
  type EncodedValues,
  type Filter,
  type NumberVector,
  passes,
  type Runs,
  type Values,
} from './contract.ts';
import { GATHERED_ROWS } from './kernels/kernels.ts';

/** For tests only: what is encoded against the plain values it was made of. */

export function writtenBy(draft: Draft): Uint8Array {
  const writer = new ByteWriter(1);
  draft.write(writer);
  return writer.written();
}

/** A reader that checks everything, of bytes that begin somewhere in a buffer. */
export function readerOf(bytes: Uint8Array): ByteReader {
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  const place = { file: 'test', offset: 3 };
  return new ByteReader(moved, { offset: 3, end: moved.length }, place, false);
}

/** What codes, values and chunks have in common. */
export interface Readable {
  at(row: number): number;
  decode(from: number, to: number, target: NumberVector): void;
  gather(rows: Uint32Array, first: number, target: NumberVector): void;
  firstFrom(value: number): number;
}

/** `at`, `decode`, `gather` and, of what ascends, `firstFrom` agree with the values themselves. */
export function expectRows(actual: Readable, values: Values, random: SeededRandom): void {
  const all = new Float64Array(values.length);
  actual.decode(0, values.length, all);
  expectSame(all, Float64Array.from(values));
  for (let i = 0; i < 4; i++) {
    const from = random.below(values.length);
    const to = from + random.below(values.length - from) + 1;
    expect(actual.at(from)).toBe(values[from]);
    const some = values instanceof Uint32Array ? new Uint32Array(to - from) : new Float64Array(to - from);
    actual.decode(from, to, some);
    expectSame(some, values.slice(from, to));
    expectGathers(actual, values, random);
  }
  if (values.every((value, row) => row === 0 || value >= values[row - 1]!)) {
    expectFirsts(actual, values, random);
  }
}

/** Of ascending values. */
function expectFirsts(actual: Readable, values: Values, random: SeededRandom): void {
  for (let i = 0; i < 8; i++) {
    const least = Math.max(0, values[random.below(values.length)]! + random.pick([0, 0, 1, -1, 1000]));
    const expected = values.findIndex((value) => value >= least);
    expect(actual.firstFrom(least)).toBe(expected === -1 ? values.length : expected);
  }
}

/** Some rows, close together or far apart, some of them twice. */
function expectGathers(actual: Readable, values: Values, random: SeededRandom): void {
  const first = random.below(1000);
  const share = random.pick([1, 0.3, 0.01]);
  const from = random.below(values.length);
  const rows: number[] = [];
  for (let row = from; row < values.length && rows.length < GATHERED_ROWS - 1; row++) {
    if (row === from || random.chance(share)) rows.push(first + row);
    if (random.chance(share / 10)) rows.push(first + row);
  }
  const expected = rows.map((row) => values[row - first]!);
  const [target, expectedValues] =
    values instanceof Uint32Array && random.chance(0.5)
      ? [new Uint32Array(rows.length), Uint32Array.from(expected)]
      : [new Float64Array(rows.length), Float64Array.from(expected)];
  actual.gather(Uint32Array.from(rows), first, target);
  expectSame(target, expectedValues);
}

/** Tells -0 from 0, and is quick on long vectors. */
export function expectSame(a: Values, b: Values): void {
  const same = Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
  if (!same) expect(a).toEqual(b);
}

/** Runs of classes by bounds, and by a table where values are codes, are those of the values themselves. */
export function expectClassRuns(
  actual: { classRuns(classing: Classing, target: Runs): number },
  values: Values,
  random: SeededRandom,
): void {
  const some = Array.from({ length: random.below(6) }, () => values[random.below(values.length)]!);
  const bounds = Float64Array.from(some, (value) => value + random.pick([0, 0, 1, -0.5])).sort();
  const count = (value: number) => bounds.reduce((n, bound) => n + (bound <= value ? 1 : 0), 0);
  expectRuns(actual, { kind: 'bounds', bounds }, values, count);
  if (!(values instanceof Uint32Array) || values.some((code) => code > 100_000)) return;
  const table = Uint32Array.from({ length: Math.max(...values) + 1 }, () => random.below(3));
  expectRuns(actual, { kind: 'table', table }, values, (code) => table[code]!);
}

function expectRuns(
  actual: { classRuns(classing: Classing, target: Runs): number },
  classing: Classing,
  values: Values,
  classOf: (value: number) => number,
): void {
  const target = { classes: new Uint32Array(values.length), ends: new Uint32Array(values.length) };
  const runCount = actual.classRuns(classing, target);
  const classes = new Uint32Array(values.length);
  let row = 0;
  for (let run = 0; run < runCount; run++) {
    expect(target.ends[run]).toBeGreaterThan(row);
    classes.fill(target.classes[run]!, row, target.ends[run]);
    row = target.ends[run]!;
  }
  expect(row).toBe(values.length);
  expect(classes.every((found, i) => found === classOf(values[i]!))).toBe(true);
}

/** Filters of every kind select what a loop does. */
export function expectSelects(
  actual: Pick<EncodedValues, 'select'>,
  values: Values,
  random: SeededRandom,
): void {
  for (let i = 0; i < 4; i++) {
    const filter = randomFilter(values, random);
    const expected = new Uint32Array((values.length + 31) >>> 5);
    values.forEach((value, row) => {
      if (passes(filter, value)) expected[row >>> 5]! |= 1 << (row & 31);
    });
    const words = new Uint32Array(expected.length).fill(0xdeadbeef);
    actual.select(filter, words);
    if (!Buffer.from(words.buffer).equals(Buffer.from(expected.buffer))) {
      expect({ filter, words }).toEqual({ filter, words: expected });
    }
    const wanted = words.map(() => random.uint32() & random.uint32());
    actual.select(filter, words.fill(0xdeadbeef), wanted);
    for (let w = 0; w < words.length; w++) {
      expect((words[w]! & wanted[w]!) >>> 0).toBe((expected[w]! & wanted[w]!) >>> 0);
    }
  }
}

function randomFilter(values: Values, random: SeededRandom): Filter {
  // Half of them near a value rather than on it.
  const near = () => values[random.below(values.length)]! + random.pick([0, 0, 0, 0.5, -1, 1000]);
  const [a, b] = [near(), near()];
  return random.pick<() => Filter>([
    () => ({ kind: 'in', values: new Set([a]) }),
    () => ({ kind: 'in', values: new Set([a, b, near()]) }),
    () => ({ kind: 'in', values: new Set(Array.from({ length: 30 }, near)) }),
    () => ({ kind: 'in', values: new Set() }),
    () => ({ kind: 'range', from: Math.min(a, b), to: Math.max(a, b) }),
    () => ({ kind: 'range', from: a, to: a }),
    () => ({ kind: 'range', from: Number.NEGATIVE_INFINITY, to: a }),
    () => ({ kind: 'range', from: a, to: Number.POSITIVE_INFINITY }),
    () => ({
      kind: 'set',
      table: Uint8Array.from({ length: random.pick([0, 5, 2000]) }, () => random.below(2)),
    }),
    () => ({ kind: 'test', test: (value) => Math.floor(value) % 2 === 0 }),
    () => ({ kind: 'test', test: (value) => value === a }),
  ])();
}

/** The next value, given the one before; each starts from 0. */
type Shape = (previous: number, random: SeededRandom) => number;

const CODE_SHAPES: readonly Shape[] = [
  () => 7,
  (_, random) => random.below(2),
  (_, random) => random.below(13),
  (_, random) => 1000 + random.below(256),
  (_, random) => random.below(4000),
  (_, random) => random.uint32(),
  (_, random) => random.pick([0, 0xffffffff]),
  (_, random) => random.pick([3, 17, 1_000_000, 70_000]),
  // Runs, of anything and of what is close.
  (previous, random) => (random.chance(0.1) ? random.below(5) : previous),
  (previous, random) => (random.chance(0.02) ? random.uint32() : previous),
  (previous, random) =>
    random.chance(0.1) ? random.uint32() : Math.min(previous + random.below(50), 2 ** 32 - 1),
  // Ascending, evenly and not, and nearly.
  (previous) => previous + 1,
  (previous) => previous + 60,
  (previous, random) => previous + random.below(40),
  (previous, random) => (random.chance(0.1) ? random.below(previous + 1) : previous + 1),
  // Never twice the same.
  (previous, random) => previous + 1 + random.below(5),
  (previous, random) => previous + 1 + (random.chance(0.01) ? random.below(800) : 0),
  // Frequent and rare ones.
  (_, random) => Math.floor(1 / (random.fraction() + 0.001)),
];

const NUMBER_SHAPES: readonly Shape[] = [
  () => -0,
  () => 2.55,
  (_, random) => random.pick([0, -0]),
  (_, random) => random.pick([0, -0, 1, -1, 0.5]),
  (_, random) => random.below(2) * 250 - 1000,
  (_, random) => random.below(60_000) * 60_000 + 1_600_000_000_000,
  (_, random) => random.below(8e9) + 1_600_000_000_000,
  (previous, random) => (random.chance(0.15) ? random.below(8e9) : previous + random.below(60_000)),
  (_, random) => random.pick([Number.MIN_SAFE_INTEGER, -1, 0, 1]),
  (_, random) => random.pick([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 2 ** 60]),
  (_, random) => random.below(2 ** 53),
  (_, random) => Math.round(random.fraction() * 1e5) / 100,
  (_, random) => (random.below(200) * 5) / 100 - 3,
  (_, random) => Math.round(random.fraction() * 360e7) / 1e7 - 180,
  (_, random) => random.pick([2.55, -3.39, 0.1 + 0.2, 1e300, -1e300, 5e-324, Number.MAX_VALUE]),
  (_, random) => random.fraction() * 1e6,
  (_, random) => random.pick([2 ** 53, 2 ** 60, 12]),
  (previous, random) => (random.chance(0.05) ? random.fraction() : previous),
  (_, random) => Math.floor(random.fraction() * 300) / 7,
];

/** Around a word of a bitmap, a checkpoint and a piece. */
const LENGTHS = [1, 2, 31, 32, 33, 129, 300, 1024, 1025, 4000];

function vector(shape: Shape, length: number, random: SeededRandom): number[] {
  let value = 0;
  return Array.from({ length }, () => {
    value = shape(value, random);
    return value;
  });
}

/** Vectors of whole numbers below 2^32 that encodings trip over. */
export function codeVectors(random: SeededRandom): Uint32Array[] {
  return CODE_SHAPES.flatMap((shape) =>
    LENGTHS.map((length) => Uint32Array.from(vector(shape, length, random))),
  );
}

/** Vectors of any numbers that encodings trip over, mixtures among them. */
export function vectors(random: SeededRandom): Values[] {
  const shapes = [...CODE_SHAPES, ...NUMBER_SHAPES];
  const plain = NUMBER_SHAPES.flatMap((shape) => LENGTHS.map((length) => vector(shape, length, random)));
  const mixed = Array.from({ length: 30 }, () =>
    Array.from({ length: 4 }, () => vector(random.pick(shapes), random.below(400) + 1, random)).flat(),
  );
  return [...codeVectors(random), ...[...plain, ...mixed].map((values) => Float64Array.from(values))];
}
