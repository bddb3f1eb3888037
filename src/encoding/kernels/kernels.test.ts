import { afterEach, describe, expect, it } from 'vitest';
import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import { SpareArrays } from '../../base/spareArrays.ts';
import { kernels, useKernels } from './chosen.ts';
import {
  COUNTED_WORDS,
  type Differences,
  GATHERED_ROWS,
  INTERVALS_MAX,
  type Kernels,
  NO_PLACE,
  PLACES_MAX,
} from './kernels.ts';
import { plainKernels } from './plain.ts';
import { simdKernels, simdKernelsWithArena } from './simd.ts';

const simd = simdKernels()!;
const both: readonly Kernels[] = [simd, plainKernels];
const spare = new SpareArrays();
const GARBAGE = 0xdeadbeef;
const WIDTHS = Array.from({ length: 32 }, (_, i) => i + 1);
const COUNTS = [0, 1, 7, 8, 31, 32, 33, 64, 127, 2047, 2048, 2049, 5000];

afterEach(() => useKernels());

it('the SIMD kernels are chosen here, unless overridden', () => {
  expect(kernels().name).toBe('simd');
  useKernels(plainKernels);
  expect(kernels().name).toBe('plain');
});

describe('selections', () => {
  it.each(WIDTHS)('of %i bits: SIMD, twin and a naive loop agree', (bits) => {
    const random = new SeededRandom(bits);
    for (const count of [...COUNTS, pieceRows(bits) - 1, pieceRows(bits) + 1]) {
      const codes = randomCodes(random, bits, count);
      check(codes, bits, pack(codes, bits, random.below(4)), random);
    }
  });

  it.each([1, 4, 7, 8, 13, 16, 20, 32])('of %i bits, codes in shared memory and in the arena', (bits) => {
    const random = new SeededRandom(bits);
    const codes = randomCodes(random, bits, 3001);
    const packed = pack(codes, bits, 0);
    const shared = new Uint8Array(new SharedArrayBuffer(packed.length + 3), 3);
    shared.set(packed);
    check(codes, bits, shared, random);
    const withArena = simdKernelsWithArena(packed.length + 1)!;
    const resident = withArena.arena.subarray(1);
    resident.set(packed);
    check(codes, bits, resident, random, [withArena]);
    expect(resident).toEqual(packed);
  });

  it('find nothing outside a width, and everything within it', () => {
    const packed = Uint8Array.of(0, 255, 7);
    for (const each of both) {
      for (const bits of [1, 3, 4, 8]) {
        const words = Uint32Array.of(GARBAGE);
        each.selectEqual(packed, bits, 2 ** bits, 3, words);
        expect(words[0]).toBe(0);
        each.selectRange(packed, bits, 2, 1, 3, words);
        expect(words[0]).toBe(0);
        each.selectRange(packed, bits, 0, 0xffff_ffff, 3, words);
        expect(words[0]).toBe(7);
        each.selectSet(packed, bits, new Uint8Array(0), 3, words);
        expect(words[0]).toBe(0);
        each.selectSet(packed, bits, new Uint8Array(1000).fill(1), 3, words);
        expect(words[0]).toBe(7);
      }
    }
  });
});

it.each(WIDTHS)('unpack of %i bits, from any row', (bits) => {
  const random = new SeededRandom(100 + bits);
  for (const count of [...COUNTS, 40_000]) {
    const codes = randomCodes(random, bits, count);
    const packed = pack(codes, bits, random.below(4));
    const fromRow = random.below(Math.min(count + 1, 40));
    for (const each of both) {
      const target = new Uint32Array(count - fromRow + 1).fill(GARBAGE);
      each.unpack(packed, bits, fromRow, count - fromRow, target);
      expect(equal(target.subarray(0, -1), codes.subarray(fromRow))).toBe(true);
      expect(target.at(-1)).toBe(GARBAGE);
    }
  }
});

describe('some rows', () => {
  it.each(WIDTHS)('gather of %i bits', (bits) => {
    const random = new SeededRandom(200 + bits);
    for (const count of COUNTS) {
      const codes = randomCodes(random, bits, count + 1);
      const packed = pack(codes, bits, random.below(4));
      const first = random.below(100);
      const share = random.pick([1, 0.1, 0.003]);
      const rows = Uint32Array.from({ length: count + 1 }, (_, row) => first + row);
      const some = rows.filter(() => random.chance(share)).subarray(0, GATHERED_ROWS);
      for (const each of both) {
        const target = new Uint32Array(some.length + 1).fill(GARBAGE);
        each.gather(packed, bits, some, first, target);
        expect(equal(target, [...Array.from(some, (row) => codes[row - first]!), GARBAGE])).toBe(true);
      }
    }
  });

  it('ranks and listRows: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(10);
    for (let round = 0; round < 200; round++) {
      const rowCount = round === 0 ? GATHERED_ROWS : 1 + random.below(3000);
      const [selected, firsts] = [randomBits(random, rowCount), randomBits(random, rowCount)];
      const before = { row: random.below(1000), user: 1 + random.below(1000) };
      const rows: number[] = [];
      const users: number[] = [];
      let user = before.user;
      for (let row = 0; row < rowCount; row++) {
        if (has(firsts, row)) user++;
        if (!has(selected, row)) continue;
        rows.push(before.row + row);
        users.push(user);
      }
      for (const each of both) {
        const [foundRows, foundUsers] = [new Uint32Array(rowCount), new Uint32Array(rowCount)];
        expect(each.listRows(selected, firsts, before, foundRows, foundUsers)).toBe(rows.length);
        expect(equal(foundRows.subarray(0, rows.length), rows)).toBe(true);
        expect(equal(foundUsers.subarray(0, rows.length), users)).toBe(true);
        const ranks = new Uint32Array(rows.length + 1).fill(GARBAGE);
        each.ranks(firsts, Uint32Array.from(rows), before.row, before.user, ranks);
        expect(equal(ranks, [...users, GARBAGE])).toBe(true);
        const places = new Uint32Array(rows.length + 1).fill(GARBAGE);
        const missing = each.places(firsts, Uint32Array.from(rows), before.row, before.user, places);
        const expected = rows.map((row, i) => (has(firsts, row - before.row) ? users[i]! - 1 : NO_PLACE));
        expect(missing).toBe(expected.filter((place) => place === NO_PLACE).length);
        expect(equal(places, [...expected, GARBAGE])).toBe(true);
      }
    }
  });
});

it.each(WIDTHS)('gatherRuns of codes of %i bits: SIMD, twin and a naive loop agree', (bits) => {
  const random = new SeededRandom(300 + bits);
  for (let round = 0; round < 10; round++) {
    const rowCount = round === 0 ? CHUNK_ROWS_MAX : 1 + random.below(5000);
    const share = random.pick([1, 0.3, 0.01]);
    const starts = [0];
    for (let row = 1; row < rowCount; row++) if (random.chance(share)) starts.push(row);
    const codes = randomCodes(random, bits, starts.length);
    const packed = { packed: pack(codes, bits, random.below(4)), bits };
    const bytes = new Uint8Array((rowCount + 7) >>> 3);
    for (const row of starts) bytes[row >>> 3]! |= 1 << (row & 7);
    const ends = [...starts.slice(1), rowCount];
    const differences = Uint32Array.from(ends.slice(1), (end, i) => end - ends[i]! - 1);
    const lengths = { packed: pack(differences, 16, 0), bits: 16, least: 1, count: differences.length };
    const first = random.below(1000);
    const rows: number[] = [];
    const expected: number[] = [];
    const wanted = random.pick([1, 0.1, 0.002]);
    for (let row = 0, run = 0; row < rowCount && rows.length < GATHERED_ROWS; row++) {
      if (row === ends[run]) run++;
      for (; random.chance(wanted / 2) && rows.length < GATHERED_ROWS; ) {
        rows.push(first + row);
        expected.push(codes[run]!);
      }
    }
    const lowBits = 1 + random.below(53 - bits > 32 ? 32 : 53 - bits);
    const lowCodes = randomCodes(random, lowBits, rowCount);
    const low = { packed: pack(lowCodes, lowBits, random.below(4)), bits: lowBits };
    for (const each of both) {
      for (const bounds of [{ starts: bytes }, { firstEnd: ends[0]!, lengths }]) {
        const target = new Uint32Array(rows.length + 1).fill(GARBAGE);
        each.gatherRuns(packed, bounds, Uint32Array.from(rows), first, target);
        expect(equal(target, [...expected, GARBAGE])).toBe(true);
        const doubles = new Float64Array(rows.length + 1).fill(GARBAGE);
        each.gatherSplit(packed, bounds, low, Uint32Array.from(rows), first, doubles);
        const joined = rows.map((row, i) => expected[i]! * 2 ** low.bits + lowCodes[row - first]!);
        expect(doubles).toEqual(Float64Array.of(...joined, GARBAGE));
      }
    }
  }
});

it.each(WIDTHS)('addCodes and addPlaces, of %i bits: SIMD, twin and a naive loop agree', (bits) => {
  const random = new SeededRandom(400 + bits);
  for (let round = 0; round < 10; round++) {
    const rowCount = round === 0 ? CHUNK_ROWS_MAX : 1 + random.below(5000);
    const { runOf, lengths, starts } = randomBounds(random, rowCount);
    const codes = randomCodes(random, bits, rowCount);
    const packed = { packed: pack(codes, bits, random.below(4)), bits };
    const first = random.below(1 + (rowCount >>> 6)) << 6;
    const wordCount = Math.min(GATHERED_ROWS >>> 5, ((rowCount + 31) >>> 5) - (first >>> 5));
    const selected = randomBits(random, Math.max(0, Math.min(32 * wordCount, rowCount - first)));
    const rows = Array.from({ length: rowCount - first }, (_, i) => i).filter((i) => has(selected, i));
    const factor = random.pick([1, 3, 0x12345678]);
    const places = randomCodes(random, 20, Math.min(2 ** bits, PLACES_MAX)).map((place) =>
      random.chance(0.1) ? NO_PLACE : place,
    );
    for (const each of both) {
      for (const near of [false, true]) {
        const target = near ? each.near.subarray(0, rows.length) : new Uint32Array(rows.length);
        target.fill(7);
        each.addCodes(selected, first, packed, factor, target);
        const expected = rows.map((row) => 7 + Math.imul(factor, codes[first + row]!));
        expect(equal(target, Uint32Array.from(expected))).toBe(true);
        for (const bounds of [starts, lengths]) {
          target.fill(7);
          const own = rows.map((row) => codes[runOf[first + row]!]!);
          each.addCodes(selected, first, { ...packed, bounds }, factor, target);
          const ofRuns = own.map((code) => 7 + Math.imul(factor, code));
          expect(equal(target, Uint32Array.from(ofRuns))).toBe(true);
          if (2 ** bits > PLACES_MAX) continue;
          target.fill(7);
          const others = new Uint32Array(3 * GATHERED_ROWS);
          const count = each.addPlaces(selected, first, { ...packed, bounds }, places, target, others);
          const placed = own.map((code) => (places[code] === NO_PLACE ? 7 : 7 + places[code]!));
          expect(equal(target, Uint32Array.from(placed))).toBe(true);
          const listed = rows.flatMap((row, n) =>
            places[own[n]!] === NO_PLACE ? [n, first + row, own[n]!] : [],
          );
          expect(equal(others.subarray(0, 3 * count), listed)).toBe(true);
        }
      }
    }
  }
});

it.each([1, 2, 7, 8, 12, 14])('placeRuns, of %i bits: SIMD, twin and a naive loop agree', (bits) => {
  const random = new SeededRandom(500 + bits);
  for (let round = 0; round < 10; round++) {
    const rowCount = round === 0 ? CHUNK_ROWS_MAX : 1 + random.below(5000);
    const [one, other] = [
      placedRuns(random, bits, rowCount),
      placedRuns(random, random.pick([1, 9, 14]), rowCount),
    ];
    const row = random.below(1 + (rowCount >>> 6)) << 6;
    const wordCount = Math.min(GATHERED_ROWS >>> 5, ((rowCount + 31) >>> 5) - (row >>> 5));
    const selected = randomBits(random, Math.max(0, Math.min(32 * wordCount, rowCount - row)));
    const rows = Array.from({ length: rowCount - row }, (_, i) => i).filter((i) => has(selected, i));
    const isSum = random.chance(0.5);
    const areApart = random.chance(0.3);
    const usersBefore = random.below(100);
    const firsts = random.chance(0.5) ? randomBits(random, 32 * selected.length) : undefined;
    one.places.forEach((place, code) => {
      if (place === NO_PLACE) one.places[code] = 3;
    });
    for (const [bounds, otherBounds] of [
      [one.lengths, other.starts],
      [one.starts, other.lengths],
    ] as const) {
      const runs = [
        { codes: { ...one.packed, bounds }, places: one.places },
        { codes: { ...other.packed, bounds: otherBounds }, places: other.places },
      ] as const;
      const expected: number[][] = [];
      const listed: number[] = [];
      let before: unknown[] = [];
      let user = usersBefore;
      for (let i = 0, next = 0; next < rows.length; i++) {
        if (firsts !== undefined && has(firsts, i)) user++;
        if (rows[next] !== i) continue;
        next++;
        const code = other.codeOf(row + i);
        const isOther = other.places[code] === NO_PLACE;
        const second = isOther ? code : other.places[code]!;
        const own = [i >>> 6, one.runOf[row + i], other.runOf[row + i], user];
        if (!isOther && !areApart && own.every((each, k) => each === before[k])) {
          expected.at(-1)![3]!++;
          continue;
        }
        before = own;
        if (isOther) listed.push(((expected.length << 16) | (row + i)) >>> 0);
        const place = one.places[one.codeOf(row + i)]!;
        expected.push([isSum && !isOther ? place + second : place, second, user, 1]);
      }
      for (const each of both) {
        for (const near of [each.near, new Uint32Array(4 * GATHERED_ROWS)]) {
          const columns = [0, 1, 2, 3].map((i) => near.subarray(i * GATHERED_ROWS, (i + 1) * GATHERED_ROWS));
          const [places, seconds, users, sizes] = columns as [
            Uint32Array,
            Uint32Array,
            Uint32Array,
            Uint32Array,
          ];
          const others = new Uint32Array(GATHERED_ROWS);
          const found = each.placeRuns(
            { selected, row, runs, isSum, firsts, usersBefore, areApart },
            { places, seconds, users, sizes, others },
          );
          expect(found).toEqual({ entries: expected.length, others: listed.length });
          for (const [k, column] of columns.entries()) {
            expect(
              equal(
                column.subarray(0, found.entries),
                expected.map((entry) => entry[k]!),
              ),
            ).toBe(true);
          }
          expect(equal(others.subarray(0, found.others), listed)).toBe(true);
        }
      }
    }
  }
});

it('placeLengths tells the interval of whole lengths: SIMD, twin and a look at their ends agree', () => {
  const random = new SeededRandom(13);
  for (let round = 0; round < 300; round++) {
    const startsMs = [random.below(1000) - 500];
    const longest = random.pick([2, 30, 1000]);
    const count = round === 0 ? INTERVALS_MAX : 1 + random.below(50);
    while (startsMs.length <= count) startsMs.push(startsMs.at(-1)! + 1 + random.below(longest));
    const [base, length] = [random.below(1000) - 700, random.pick([1, 2, 7, 100, 0.5])];
    const placeCount = random.pick([1, 100, PLACES_MAX]);
    for (const each of both) {
      for (const places of [each.near.subarray(0, placeCount), new Uint32Array(placeCount)]) {
        each.placeLengths(Float64Array.from(startsMs), base, length, places);
        for (const [k, place] of places.entries()) {
          const [from, to] = [base + length * k, base + length * (k + 1)];
          if (to <= startsMs[0]! || from >= startsMs.at(-1)!) continue;
          // What is before the first interval may be said to be in it.
          const isCut = startsMs.slice(1).some((startMs) => startMs >= from && startMs < to);
          const interval = Math.max(0, startsMs.findIndex((startMs) => startMs > from) - 1);
          if (place === NO_PLACE ? !isCut : place !== interval || isCut)
            throw new Error(`${place} for ${from} to ${to} of ${startsMs}`);
        }
      }
    }
  }
});

/** Runs of random lengths, and a place for each code but some. */
function placedRuns(random: SeededRandom, bits: number, rowCount: number) {
  const { runOf, runCount, lengths, starts } = randomBounds(random, rowCount);
  const codes = randomCodes(random, bits, runCount);
  return {
    packed: { packed: pack(codes, bits, random.below(4)), bits },
    ...{ lengths, starts, runOf },
    places: randomCodes(random, 15, Math.min(2 ** bits, PLACES_MAX)).map((place) =>
      random.chance(0.1) ? NO_PLACE : place,
    ),
    codeOf: (row: number) => codes[runOf[row]!]!,
  };
}

/** Where runs of random lengths begin, said in both ways. */
function randomBounds(random: SeededRandom, rowCount: number) {
  const share = random.pick([1, 0.3, 0.01]);
  const starts = [0];
  for (let row = 1; row < rowCount; row++) if (random.chance(share)) starts.push(row);
  const bytes = new Uint8Array((rowCount + 7) >>> 3);
  for (const row of starts) bytes[row >>> 3]! |= 1 << (row & 7);
  const ends = [...starts.slice(1), rowCount];
  const differences = Uint32Array.from(ends.slice(1), (end, i) => end - ends[i]! - 1);
  const lengths = { packed: pack(differences, 16, 0), bits: 16, least: 1, count: differences.length };
  const runOf = new Uint32Array(rowCount);
  for (let row = 0, run = 0; row < rowCount; row++) runOf[row] = row === ends[run] ? ++run : run;
  return {
    runOf,
    runCount: starts.length,
    starts: { starts: bytes },
    lengths: { firstEnd: ends[0]!, lengths },
  };
}

it('rankRows and countGroups: SIMD, twin and a naive loop agree', () => {
  const random = new SeededRandom(12);
  for (let round = 0; round < 100; round++) {
    const rowCount = round === 0 ? GATHERED_ROWS : 1 + random.below(3000);
    const [selected, firsts] = [randomBits(random, rowCount), randomBits(random, rowCount)];
    const before = random.below(1000);
    const ranks: number[] = [];
    for (let row = 0, rank = before; row < rowCount; row++) {
      if (has(firsts, row)) rank++;
      if (has(selected, row)) ranks.push(rank);
    }
    const [codeCount, width] = [1 + random.below(random.pick([5, 300])), 1 + random.below(50)];
    const codes = ranks.map(() => (random.chance(0.8) ? 0 : random.below(codeCount)));
    let interval = 0;
    const intervals = ranks.map((rank, i) => {
      if (rank !== ranks[i - 1]) interval = 0;
      else if (random.chance(0.5)) interval += random.below(width - interval);
      return interval;
    });
    const sizes = ranks.map(() => 1 + random.below(3));
    const tallies = new Uint32Array(2 * codeCount * width).fill(3);
    const several: number[] = [];
    for (let i = 0; i < ranks.length; i++) {
      const tally = 2 * (codes[i]! * width + intervals[i]!);
      tallies[tally]! += sizes[i]!;
      if (ranks[i] !== ranks[i - 1] || intervals[i] !== intervals[i - 1]) tallies[tally + 1]!++;
      else if (codes[i] !== codes[i - 1]) several.push(i);
    }
    for (const each of both) {
      for (const near of [each.near, new Uint32Array(4 * GATHERED_ROWS)]) {
        const column = (i: number) => near.subarray(i * GATHERED_ROWS, i * GATHERED_ROWS + ranks.length);
        column(0).set(codes);
        column(1).set(intervals);
        column(3).set(sizes);
        each.rankRows(selected, firsts, before, column(2));
        expect(equal(column(2), ranks)).toBe(true);
        const own = near === each.near ? spare.counts(tallies.length) : new Uint32Array(tallies.length);
        const foundSeveral = new Uint32Array(GATHERED_ROWS);
        const rows = { users: column(2), codes: column(0), intervals: column(1), sizes: column(3) };
        own.fill(3);
        const count = each.countGroups(rows, width, own, foundSeveral);
        expect(equal(own, tallies)).toBe(true);
        expect(equal(foundSeveral.subarray(0, count), several)).toBe(true);
        spare.giveBackAll();
      }
    }
  }
});

it('markKinds: SIMD, twin and a naive loop agree', () => {
  const random = new SeededRandom(11);
  for (let round = 0; round < 100; round++) {
    const rowCount = round === 0 ? GATHERED_ROWS : 1 + random.below(3000);
    const selected = randomBits(random, rowCount);
    const bitmaps = Array.from({ length: round === 0 ? 32 : random.below(5) }, () =>
      random.chance(0.2) ? undefined : randomBits(random, rowCount),
    );
    const rows = Array.from({ length: rowCount }, (_, row) => row).filter((row) => has(selected, row));
    const expected = rows.map((row) =>
      bitmaps.reduce(
        (kinds, words, k) => (words !== undefined && has(words, row) ? kinds | (1 << k) : kinds),
        0,
      ),
    );
    for (const each of both) {
      const target = new Uint32Array(rows.length).fill(GARBAGE);
      each.markKinds(selected, bitmaps, target);
      expect(equal(target, Uint32Array.from(expected))).toBe(true);
    }
  }
});

describe('runs', () => {
  it('fillRuns: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(3);
    for (let round = 0; round < 200; round++) {
      const rowsMax = round === 0 ? 65_536 : 3000;
      const { offsets, rowCount } = randomRuns(random, rowsMax);
      if (rowCount === 0) continue;
      const runEnds = offsets.subarray(1);
      const runs = randomBits(random, runEnds.length);
      const expected = new Uint32Array(wordCount(rowCount));
      runEnds.forEach((to, run) => {
        if (has(runs, run)) for (let row = offsets[run]!; row < to; row++) add(expected, row);
      });
      const lengths = differencesOf(runEnds, random);
      for (const each of both) {
        const words = new Uint32Array(expected.length + 1).fill(GARBAGE);
        each.fillRuns(runs, runEnds[0]!, lengths, words);
        expect(equal(words, Uint32Array.of(...expected, GARBAGE))).toBe(true);
      }
    }
  });

  it.each(WIDTHS)('classRuns of codes of %i bits: SIMD, twin and a naive loop agree', (bits) => {
    const random = new SeededRandom(bits);
    for (let round = 0; round < 20; round++) {
      const { offsets, rowCount } = randomRuns(random, round === 0 ? 65_536 : 9000);
      if (rowCount === 0) continue;
      const ends = offsets.slice(1).filter((end, i) => end > offsets[i]!);
      const codes = randomCodes(random, bits, ends.length);
      const shift = random.below(4);
      // Now and then too many for the memory of the kernels.
      const classCount = 1 + random.below(round % 10 === 0 ? 20_000 : 100);
      const table = Uint32Array.from({ length: classCount }, () => random.pick([0, 1, 2, GARBAGE]));
      const expected: number[][] = [];
      for (const [run, code] of codes.entries()) {
        const found = table[Math.min(code >>> shift, classCount - 1)]!;
        if (expected.at(-1)?.[0] === found) expected.pop();
        expected.push([found, ends[run]!]);
      }
      const starts = new Uint8Array((rowCount + 7) >>> 3);
      for (const row of [0, ...ends.slice(0, -1)]) starts[row >>> 3]! |= 1 << (row & 7);
      const packed = { packed: pack(codes, bits, random.below(4)), bits };
      for (const bounds of [{ starts }, { firstEnd: ends[0]!, lengths: differencesOf(ends, random) }]) {
        for (const each of both) {
          const target = { classes: new Uint32Array(codes.length), ends: new Uint32Array(codes.length) };
          expect(each.classRuns(packed, bounds, rowCount, table, shift, target)).toBe(expected.length);
          const agrees = ([found, end]: number[], run: number) =>
            found === target.classes[run] && end === target.ends[run];
          expect(expected.every(agrees)).toBe(true);
        }
      }
    }
  });

  it('repeat: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(13);
    for (let round = 0; round < 60; round++) {
      const { offsets, rowCount } = randomRuns(random, round === 0 ? 65_536 : 9000);
      const ends = offsets.slice(1, 1 + GATHERED_ROWS);
      if (rowCount === 0 || ends[0] === 0) continue;
      const codes = ends.map(() => random.below(2 ** 32));
      const row = random.below(ends[0]!);
      // Some end before the runs do, some after.
      const length = random.below(rowCount - row + 20);
      const next = Math.min(row + length, ends.at(-1)!);
      const expected = new Array<number>(length + 1).fill(GARBAGE);
      for (let at = row, run = 0; at < next; at++) {
        while (ends[run]! <= at) run++;
        expected[at - row] = codes[run]!;
      }
      for (const each of both) {
        for (const target of [new Uint32Array(length + 1), new Float64Array(length + 1)]) {
          target.fill(GARBAGE);
          expect(each.repeat(codes, ends, row, target.subarray(0, length))).toBe(next);
          expect(target.every((value, i) => value === expected[i])).toBe(true);
        }
      }
    }
  });

  it('fillStarts: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(10);
    for (let round = 0; round < 300; round++) {
      const rowCount = round === 0 ? 65_536 : 1 + random.below(3000);
      const share = random.fraction();
      const starts = new Uint8Array(new SharedArrayBuffer(Math.ceil(rowCount / 8)));
      for (let row = 0; row < rowCount; row++) {
        if (row === 0 || random.chance(share)) starts[row >>> 3]! |= 1 << (row & 7);
      }
      const runCount = starts.reduce((count, byte) => count + byte.toString(2).replaceAll('0', '').length, 0);
      const runs = randomBits(random, runCount);
      const expected = new Uint32Array(wordCount(rowCount));
      for (let row = 0, run = -1; row < rowCount; row++) {
        run += (starts[row >>> 3]! >>> (row & 7)) & 1;
        if (has(runs, run)) add(expected, row);
      }
      for (const each of both) {
        const words = new Uint32Array(expected.length + 1).fill(GARBAGE);
        each.fillStarts(runs, starts, rowCount, words);
        expect(equal(words, Uint32Array.of(...expected, GARBAGE))).toBe(true);
      }
    }
  });

  it('positions: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(9);
    for (let round = 0; round < 200; round++) {
      const words = randomBits(random, round === 0 ? 65_536 : random.below(3000));
      const all = Array.from({ length: words.length * 32 }, (_, i) => i).filter((i) => has(words, i));
      const base = random.below(1e6);
      const skip = random.pick([0, random.below(all.length + 2)]);
      const expected = all.slice(skip).map((i) => base + i);
      for (const each of both) {
        const target = new Uint32Array(expected.length + 1).fill(GARBAGE);
        expect(each.positions(words, base, skip, target)).toBe(expected.length);
        expect(equal(target, [...expected, GARBAGE])).toBe(true);
        const few = new Uint32Array(Math.min(3, expected.length));
        expect(each.positions(words, base, skip, few)).toBe(few.length);
        expect(equal(few, expected.slice(0, few.length))).toBe(true);
      }
    }
  });

  it('positionsOf: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(12);
    for (let round = 0; round < 200; round++) {
      const words = randomBits(random, round === 0 ? 65_536 : random.below(3000));
      const all = Array.from({ length: words.length * 32 }, (_, i) => i).filter((i) => has(words, i));
      const share = round === 0 ? 1 : random.pick([1, 0.3, 0.02]);
      const [base, first] = [random.below(1e6), random.below(1e6)];
      const places = all.map((_, place) => place).filter(() => random.chance(share));
      const rows = [...places, ...places.slice(0, 5)].sort((a, b) => a - b).slice(0, GATHERED_ROWS);
      for (const each of both) {
        const target = new Uint32Array(rows.length + 1).fill(GARBAGE);
        each.positionsOf(
          words,
          base,
          Uint32Array.from(rows, (row) => first + row),
          first,
          target,
        );
        expect(equal(target, [...rows.map((row) => base + all[row]!), GARBAGE])).toBe(true);
      }
    }
  });

  it('countUsers: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(8);
    for (let round = 0; round < 200; round++) {
      const rowCount = round === 0 ? 32 * COUNTED_WORDS : random.below(3000);
      const [rows, firsts] = [randomBits(random, rowCount), randomBits(random, rowCount)];
      const expected = new Map<number, number>();
      let user = 0;
      for (let row = 0; row < rowCount; row++) {
        if (has(firsts, row)) user++;
        if (has(rows, row)) expected.set(user, (expected.get(user) ?? 0) + 1);
      }
      for (const each of both) {
        const found = new Uint32Array(rowCount + 1).fill(GARBAGE);
        const foundCount = each.countUsers(rows, firsts, found);
        const counts = new Map<number, number>();
        let before = 0;
        for (const one of found.subarray(0, foundCount)) {
          expect(one >>> 16).toBeGreaterThanOrEqual(before);
          before = one >>> 16;
          counts.set(before, (counts.get(before) ?? 0) + (one & 0xffff));
        }
        expect(counts).toEqual(expected);
        expect(found[foundCount]).toBe((user << 16) >>> 0);
      }
    }
  });

  it('countRuns and reduceRuns: SIMD, twin and a naive loop agree', () => {
    const random = new SeededRandom(4);
    for (let round = 0; round < 200; round++) {
      const { offsets, rowCount } = randomRuns(random);
      const words = randomBits(random, rowCount);
      const values = Float64Array.from({ length: rowCount }, () => (random.fraction() - 0.5) * 1e6);
      const expected = emptyTotals(offsets.length - 1);
      for (let run = 0; run < expected.counts.length; run++) {
        const rows = Array.from({ length: offsets[run + 1]! - offsets[run]! }, (_, i) => offsets[run]! + i);
        const selected = rows.filter((row) => has(words, row)).map((row) => values[row]!);
        expected.counts[run] = selected.length;
        expected.sums[run] = selected.reduce((sum, value) => sum + value, 0);
        expected.mins[run] = Math.min(...selected);
        expected.maxs[run] = Math.max(...selected);
      }
      for (const each of both) {
        const totals = emptyTotals(offsets.length - 1);
        each.reduceRuns(words, values, offsets, totals);
        for (const key of ['counts', 'sums', 'mins', 'maxs'] as const) {
          expect(equal(totals[key], expected[key])).toBe(true);
        }
        const counts = new Uint32Array(expected.counts.length).fill(7);
        each.countRuns(words, offsets, counts);
        expect(equal(counts, expected.counts)).toBe(true);
      }
    }
  });

  it('countRuns of more rows and more runs than go through the memory at once', () => {
    const random = new SeededRandom(5);
    const words = new Uint32Array(new SharedArrayBuffer(640_000), 4, 156_250);
    words.set(randomBits(random, 5_000_000));
    const long = Uint32Array.of(3, 3_500_000, 3_500_001, 5_000_000);
    const short = Uint32Array.from({ length: 100_000 }, (_, i) => i * 50);
    for (const offsets of [long, short]) {
      const [counts, expected] = [1, 2].map(() => new Uint32Array(offsets.length - 1)) as [
        Uint32Array,
        Uint32Array,
      ];
      simd.countRuns(words, offsets, counts);
      plainKernels.countRuns(words, offsets, expected);
      expect(equal(counts, expected)).toBe(true);
    }
  });
});

it.each(WIDTHS)('pack of %i bits, and back', (bits) => {
  const random = new SeededRandom(200 + bits);
  for (const count of [...COUNTS, 8191, 8192, 8193, 40_000]) {
    const codes = randomCodes(random, bits, count);
    // What is above the lowest bits is left out.
    const wide = bits === 32 ? codes : codes.map((code) => code | (random.below(2) << bits));
    const expected = pack(codes, bits, 0);
    for (const each of both) {
      const packed = new Uint8Array(expected.length + 1).fill(170);
      each.pack(wide, bits, packed);
      expect(equal(packed.subarray(0, -1), expected)).toBe(true);
      expect(packed.at(-1)).toBe(170);
    }
  }
});

it('bounds and runs: SIMD, twin and a naive loop agree', () => {
  const random = new SeededRandom(27);
  for (const count of [...COUNTS, 8190, 8191, 8192, 8193, 40_000]) {
    for (const lowBits of [0, 1, 13, 31]) {
      const stays = random.pick([0, 0.5, 0.97]);
      const codes = new Uint32Array(count);
      for (let i = 0; i < count; i++) {
        codes[i] =
          i > 0 && random.chance(stays) ? codes[i - 1]! : random.below(2 ** random.pick([2, 16, 32]));
      }
      const expected = { codes: [] as number[], ends: [] as number[] };
      for (let i = 0; i < count; i++) {
        if (i + 1 < count && codes[i + 1]! >>> lowBits === codes[i]! >>> lowBits) continue;
        expected.codes.push(codes[i]! >>> lowBits);
        expected.ends.push(i + 1);
      }
      for (const each of both) {
        expect(each.bounds(codes)).toEqual({
          min: codes.reduce((min, code) => Math.min(min, code), 0xffffffff),
          max: codes.reduce((max, code) => Math.max(max, code), 0),
        });
        const [runCodes, ends] = [new Uint32Array(count), new Uint32Array(count)];
        const runCount = each.runs(codes, lowBits, runCodes, ends);
        expect(equal(runCodes.subarray(0, runCount), expected.codes)).toBe(true);
        expect(equal(ends.subarray(0, runCount), expected.ends)).toBe(true);
      }
    }
  }
});

it('and: SIMD, twin and a naive loop agree', () => {
  const random = new SeededRandom(11);
  for (const length of [0, 1, 3, 4, 5, 4095, 4096, 4097, 9000]) {
    const [words, others] = [randomBits(random, length * 32), randomBits(random, length * 32)];
    for (const each of both) {
      const result = Uint32Array.of(...words, GARBAGE);
      each.and(result.subarray(0, -1), others);
      expect(equal(result, [...words.map((word, w) => word & others[w]!), GARBAGE])).toBe(true);
    }
  }
});

it('expand and compress: SIMD, twin and a naive loop agree', () => {
  const random = new SeededRandom(6);
  for (let round = 0; round < 200; round++) {
    const rowCount = round === 0 ? 300_000 : random.below(3000);
    const rows = randomBits(random, rowCount);
    const dense: number[] = [];
    const expected = new Uint32Array(rows.length);
    let n = 0;
    for (let row = 0; row < rowCount; row++) {
      if (!has(rows, row)) continue;
      if (random.chance(0.5)) {
        dense.push(n);
        add(expected, row);
      }
      n++;
    }
    const denseWords = new Uint32Array(wordCount(n));
    for (const bit of dense) add(denseWords, bit);
    const selection = expected.map((word, w) => word | (random.uint32() & ~rows[w]!));
    for (const each of both) {
      const words = new Uint32Array(rows.length).fill(GARBAGE);
      each.expand(denseWords, rows, words);
      expect(equal(words, expected)).toBe(true);
      const compressed = new Uint32Array(denseWords.length).fill(GARBAGE);
      each.compress(selection, rows, compressed);
      expect(equal(compressed, denseWords)).toBe(true);
    }
  }
});

it.each(WIDTHS)('sum of differences of %i bits, from any row', (bits) => {
  const random = new SeededRandom(200 + bits);
  for (const count of [...COUNTS, 40_000]) {
    const codes = randomCodes(random, bits, count);
    const [least, start] = [random.uint32() | 0, random.uint32()];
    const differences = { packed: pack(codes, bits, random.below(4)), bits, least, count };
    const fromRow = random.below(Math.min(count + 1, 40));
    const expected = new Uint32Array(count - fromRow + 1).fill(GARBAGE);
    let sum = start;
    for (let row = fromRow; row < count; row++) {
      sum = (sum + codes[row]! + least) % 2 ** 32;
      expected[row - fromRow] = sum;
    }
    for (const each of both) {
      const target = new Uint32Array(expected.length).fill(GARBAGE);
      each.sum(differences, fromRow, count - fromRow, start, target);
      expect(equal(target, expected)).toBe(true);
    }
  }
});

/** Every kind of selection against a naive loop. */
function check(
  codes: Uint32Array,
  bits: number,
  packed: Uint8Array,
  random: SeededRandom,
  tested: readonly Kernels[] = both,
): void {
  const count = codes.length;
  const [one, other] = [pickCode(random, bits, codes), pickCode(random, bits, codes)];
  const [from, to] = [Math.min(one, other), Math.max(one, other)];
  const table = random.bytes(bits <= 16 ? random.below(2 ** bits + 1) : 0).map((byte) => byte & 1);
  for (const each of tested) {
    const result = (select: (words: Uint32Array) => void) => {
      const words = new Uint32Array(wordCount(count) + 1).fill(GARBAGE);
      select(words);
      return words;
    };
    const expectRows = (words: Uint32Array, test: (code: number) => boolean) => {
      const expected = new Uint32Array(words.length);
      for (let row = 0; row < count; row++) if (test(codes[row]!)) add(expected, row);
      expected[words.length - 1] = GARBAGE;
      expect(equal(words, expected)).toBe(true);
    };
    expectRows(
      result((words) => each.selectEqual(packed, bits, one, count, words)),
      (code) => code === one,
    );
    expectRows(
      result((words) => each.selectRange(packed, bits, from, to, count, words)),
      (code) => code >= from && code <= to,
    );
    const groups = new Uint32Array(count);
    const rows = result((words) => {
      const found = each.selectRangeBounds(packed, bits, from, to, count, words, groups);
      const bounds = new Set<number>();
      codes.forEach((code, row) => {
        if (code === from || code === to) bounds.add(row >>> 4);
      });
      const named = [...groups.subarray(0, found)];
      if (named.at(-1) === (count - 1) >>> 4) bounds.add(named.at(-1)!);
      expect(named).toEqual([...bounds]);
    });
    expectRows(rows, (code) => code >= from && code <= to);
    if (bits > 16) continue;
    expectRows(
      result((words) => each.selectSet(packed, bits, table, count, words)),
      (code) => table[code] === 1,
    );
  }
}

/** Rows that pass through the memory at once. */
function pieceRows(bits: number): number {
  return simd.pieceRows(bits);
}

function randomCodes(random: SeededRandom, bits: number, count: number): Uint32Array {
  const few = Array.from({ length: 3 }, () => random.uint32());
  return Uint32Array.from(
    { length: count },
    () => (random.chance(0.5) ? random.uint32() : random.pick(few)) >>> (32 - bits),
  );
}

function pickCode(random: SeededRandom, bits: number, codes: Uint32Array): number {
  if (codes.length === 0 || random.chance(0.2)) return random.uint32() >>> (32 - bits);
  return codes[random.below(codes.length)]!;
}

/** Bit by bit; the bytes begin `offset` bytes into their buffer and end where the last code does. */
function pack(codes: Uint32Array, bits: number, offset: number): Uint8Array {
  const packed = new Uint8Array(new ArrayBuffer(offset + Math.ceil((codes.length * bits) / 8)), offset);
  let at = 0;
  for (const code of codes) {
    for (let bit = 0; bit < bits; bit++, at++) packed[at >>> 3]! |= ((code >>> bit) & 1) << (at & 7);
  }
  return packed;
}

/** Offsets of runs, some of them empty, some long. */
function randomRuns(random: SeededRandom, rowsMax = 3000): { offsets: Uint32Array; rowCount: number } {
  const rowCount = rowsMax === 3000 ? random.below(rowsMax) : rowsMax;
  const lengthEnd = random.pick([2, 5, 300]);
  const offsets = [0];
  while (offsets.at(-1)! < rowCount) {
    offsets.push(Math.min(rowCount, offsets.at(-1)! + random.below(lengthEnd)));
  }
  return { offsets: Uint32Array.from(offsets), rowCount };
}

/** Of ascending numbers; the least difference may be put apart. */
function differencesOf(numbers: Uint32Array, random: SeededRandom): Differences {
  const codes = numbers.subarray(1).map((number, i) => number - numbers[i]!);
  const least = random.chance(0.5) ? 0 : Math.min(0xffff, ...codes);
  const bits = 32 - Math.clz32(Math.max(1, ...codes) - least) || 1;
  const packed = pack(
    codes.map((code) => code - least),
    bits,
    random.below(4),
  );
  return { packed, bits, least, count: codes.length };
}

/** A bitmap of any density, in stretches; bits past the count are 0. */
function randomBits(random: SeededRandom, count: number): Uint32Array {
  const words = new Uint32Array(wordCount(count));
  const changes = random.pick([0.5, 0.1, 0.01]);
  let bit = random.chance(0.5);
  for (let i = 0; i < count; i++) {
    if (random.chance(changes)) bit = !bit;
    if (bit) add(words, i);
  }
  return words;
}

function emptyTotals(runCount: number) {
  return {
    counts: new Uint32Array(runCount),
    sums: new Float64Array(runCount),
    mins: new Float64Array(runCount),
    maxs: new Float64Array(runCount),
  };
}

function wordCount(count: number): number {
  return (count + 31) >>> 5;
}

function has(words: Uint32Array, bit: number): boolean {
  return ((words[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
}

function add(words: Uint32Array, bit: number): void {
  words[bit >>> 5]! |= 1 << (bit & 31);
}

/** Much faster on long arrays than toEqual. */
function equal(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
