import { describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { clearArena } from './arena.ts';
import { bitLength, type Codes, KIND } from './codes.ts';
import { compressedDraft } from './compressed.ts';
import type { Draft } from './contract.ts';
import { deltaParts, deltasDraft } from './deltas.ts';
import { onesDraft } from './ones.ts';
import { openCodes } from './openCodes.ts';
import { codeVectors, expectRows, expectSame, readerOf, writtenBy } from './oracle.ts';
import { packedDraft } from './packed.ts';
import { runParts, runsDraft } from './runs.ts';
import { splitDraft } from './split.ts';
import { zerosDraft } from './zeros.ts';

const packed = (codes: Uint32Array) => packedDraft(codes, Math.max(1, bitLength(Math.max(...codes))));

function deltas(codes: Uint32Array): Draft {
  const least = codes.reduce(
    (min, code, row) => (row === 0 ? min : Math.min(min, code - codes[row - 1]!)),
    2 ** 32,
  );
  const parts = deltaParts(codes, least);
  return deltasDraft(least, packed(parts.checkpoints), packed(parts.differences));
}

function runs(codes: Uint32Array, lowBits = 0): Draft | undefined {
  const parts = runParts(codes, lowBits);
  if (parts.ends.length < 2) return undefined;
  return runsDraft(codes.length, parts.ends.length, packed(parts.codes), deltas(parts.ends));
}

/** Every kind, made to hold the codes whether it pays or not; undefined when it cannot. */
const KINDS: Readonly<Record<string, (codes: Uint32Array) => Draft | undefined>> = {
  zeros: (codes) => (codes.every((code) => code === 0) ? zerosDraft : undefined),
  packed,
  'packed as wide as can be': (codes) => packedDraft(codes, 32),
  compressed: (codes) => compressedDraft(codes, bitLength(Math.max(...codes)), 1e9),
  deltas: (codes) => (codes.length > 1 && Math.max(...codes) < 2 ** 31 ? deltas(codes) : undefined),
  ones: (codes) => {
    const ascends = codes.every((code, row) => row === 0 || code > codes[row - 1]!);
    return ascends && codes.at(-1)! <= 32 * codes.length ? onesDraft(codes) : undefined;
  },
  runs,
  'runs of high parts': (codes) => {
    const high = runs(codes, 7);
    return high && splitDraft(7, high, packedDraft(codes, 7));
  },
  split: (codes) => splitDraft(3, packed(codes.map((code) => code >>> 3)), packedDraft(codes, 3)),
};

function opened(draft: Draft, rowCount: number): Codes {
  const reader = readerOf(writtenBy(draft));
  const codes = openCodes(reader, rowCount);
  reader.expectEnd();
  return codes;
}

describe('codes', () => {
  it.each(Object.keys(KINDS))('%s: give back what they were made of, and filter like a loop', (kind) => {
    const random = new SeededRandom(3);
    let taken = 0;
    for (const codes of [
      new Uint32Array(500),
      ...codeVectors(random),
      longRuns(random, 5000),
      longRuns(random, 600),
    ]) {
      clearArena();
      const draft = KINDS[kind]!(codes);
      if (draft === undefined) continue;
      const actual = opened(draft, codes.length);
      expectRows(actual, codes, random);
      for (let i = 0; i < 6; i++) expectSelectsCodes(actual, codes, random);
      taken++;
    }
    expect(taken).toBeGreaterThan({ zeros: 0, ones: 15 }[kind] ?? 40);
  });

  it('nest in one order only', () => {
    const codes = Uint32Array.from({ length: 300 }, (_, row) => row >>> 4);
    const nested = splitDraft(1, splitDraft(1, packed(codes), packedDraft(codes, 1)), packedDraft(codes, 1));
    expect(() => opened(nested, 300)).toThrow(/codes of a kind up to 35/);
    expect(() => openCodes(readerOf(Uint8Array.of(KIND.split + 1)), 300)).toThrow(DamageError);
  });

  it('refuse parts that do not belong together', () => {
    const ends = (...values: number[]) => deltas(Uint32Array.from(values));
    const twoRuns = packed(Uint32Array.of(5, 6));
    expect(opened(runsDraft(10, 2, twoRuns, ends(4, 10)), 10).at(4)).toBe(6);
    for (const wrong of [ends(4, 9), ends(4, 11), ends(0, 10), ends(10, 10), ends(11, 10)]) {
      expect(() => opened(runsDraft(10, 2, twoRuns, wrong), 10)).toThrow(/ends that ascend/);
    }
    const checkpoints = deltasDraft(1, packed(Uint32Array.of(0, 65)), zerosDraft);
    expect(() => opened(checkpoints, 100)).toThrow(/sums that come to the checkpoints/);
    const wideLow = splitDraft(2, zerosDraft, packedDraft(Uint32Array.of(1, 4), 3));
    expect(() => opened(wideLow, 2)).toThrow(/codes up to 3/);
  });

  it('are compressed by LZ4 unless deflate makes clearly less of them', () => {
    const random = new SeededRandom(4);
    const block = Uint32Array.from({ length: 500 }, () => random.uint32());
    const repeated = Uint32Array.from({ length: 5000 }, (_, row) => block[row % 500]!);
    const skewed = Uint32Array.from({ length: 5000 }, () => Math.floor(1 / (random.fraction() + 0.01)));
    for (const [codec, codes] of [repeated, skewed].entries()) {
      const draft = compressedDraft(codes, 32, 1e9)!;
      expect(writtenBy(draft)[2]).toBe(codec + 1);
      expectRows(opened(draft, 5000), codes, random);
    }
  });

  it('never inflate a group beyond its rows', () => {
    const codes = Uint32Array.from({ length: 40_000 }, (_, row) => row % 3);
    const bytes = writtenBy(compressedDraft(codes, 2, 1e9)!);
    const fewer = openCodes(readerOf(bytes), 39_000);
    expect(fewer.at(0)).toBe(0);
    expect(() => fewer.at(38_999)).toThrow(/compressed group|plain bytes/);
  });
});

/** With few different codes, many rows are at the ends of a range of high parts. */
function longRuns(random: SeededRandom, codesEnd: number): Uint32Array {
  const codes = new Uint32Array(60_000);
  for (let row = 1; row < codes.length; row++)
    codes[row] = random.chance(0.2) ? random.below(codesEnd) : codes[row - 1]!;
  return codes;
}

function expectSelectsCodes(actual: Codes, codes: Uint32Array, random: SeededRandom): void {
  const near = () => codes[random.below(codes.length)]! + random.pick([0, 0, 1]);
  const [from, to] = [near(), near()];
  const table = Uint8Array.from({ length: random.pick([0, 9, 3000]) }, () => random.below(2));
  const words = new Uint32Array((codes.length + 31) >>> 5).fill(0xdeadbeef);
  const ofRange = codes.map((code) => Number(code >= from && code <= to));
  actual.select({ kind: 'range', from, to }, words);
  expectSame(words, bitsOf(ofRange));
  actual.select({ kind: 'set', table }, words.fill(0xdeadbeef));
  expectSame(words, bitsOf(codes.map((code) => table[code] ?? 0)));
}

function bitsOf(flags: Uint32Array): Uint32Array {
  const words = new Uint32Array((flags.length + 31) >>> 5);
  flags.forEach((flag, row) => {
    words[row >>> 5]! |= flag << (row & 31);
  });
  return words;
}
