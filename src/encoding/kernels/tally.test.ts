import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { firstFrom } from '../../base/search.ts';
import type { Runs } from '../contract.ts';
import { kernels } from './chosen.ts';
import type { Packed } from './kernels.ts';
import { PAIR_ORDINAL_BITS } from './matches.ts';
import { plainKernels } from './plain.ts';
import {
  MASK_WORDS,
  TALLY_RULES,
  TALLY_USERS,
  type Tally,
  type TallyMasks,
  type TallyRows,
} from './tally.ts';

const both = [kernels(), plainKernels];

it.each([
  { seed: 1, countMax: 1, users: 60 },
  { seed: 2, countMax: 8, users: 500 },
  { seed: 3, countMax: 9, users: 33 },
  { seed: 4, countMax: 255, users: 5 },
])(
  'counts up to $countMax of $users users: SIMD, twin and a naive loop agree',
  ({ seed, countMax, users }) => {
    for (const each of both) {
      const random = new SeededRandom(seed);
      const tally = each.newTally(users, countMax);
      for (const _ of tally.clearSteps());
      const counts = Array.from({ length: users }, () => new Uint32Array(TALLY_RULES));
      for (let round = 0; round < 4; round++) {
        const { rows, masks } = randomRows(random, users, round === 0 ? 20_000 : 600);
        tally.countRows(rows, masks);
        countNaively(rows, masks, counts);
        for (let i = 0; i < 20; i++) {
          const [user, mask] = [random.below(users), randomMasks(random, 1)];
          tally.add(user, mask);
          addNaively(counts[user]!, mask);
        }
      }
      // Nobody is added to who was added to someone.
      for (let source = 0; source + 1 < users; source += 2) {
        tally.addUser(source, source + 1);
        for (const rule of counts[source]!.keys()) counts[source + 1]![rule]! += counts[source]![rule]!;
      }
      expectCounts(tally, counts, countMax, random);
      tally.release();
    }
  },
);

it('users beyond those who are compared at once, and what is released, which is 0 again', () => {
  for (const each of both) {
    for (let round = 0; round < 2; round++) {
      const users = TALLY_USERS + 70;
      const tally = each.newTally(users, 3);
      for (const _ of tally.clearSteps());
      const counts = Array.from({ length: users }, () => new Uint32Array(TALLY_RULES));
      const random = new SeededRandom(round);
      const { rows, masks } = randomRows(random, users, 20_000);
      tally.countRows(rows, masks);
      countNaively(rows, masks, counts);
      expectCounts(tally, counts, 3, random);
      tally.release();
    }
  }
});

it.each([1, 2, 3])('pairs of a row and a rule: SIMD, twin and a naive loop agree, seed %i', (seed) => {
  for (const each of both) {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 6; round++) {
      const users = 1 + random.below(500);
      const eventCount = random.pick([1, 16, 17, 200, 300]);
      const { rows, masks } = randomRows(random, users, 1 + random.below(20_000), eventCount);
      if (random.chance(0.7)) masks.events.fill(0, MASK_WORDS);
      const expected = Array.from({ length: users }, () => new Uint32Array(TALLY_RULES));
      countNaively(rows, masks, expected);
      const found = Array.from({ length: users }, () => new Uint32Array(TALLY_RULES));
      each.listMatches(rows, masks, (pairs) => {
        for (const pair of pairs) found[pair % 2 ** PAIR_ORDINAL_BITS]![pair >>> PAIR_ORDINAL_BITS]!++;
      });
      expect(found).toEqual(expected);
    }
  }
});

/** Users ascend. Now and then there are more masks than the kernels have room for. */
function randomRows(
  random: SeededRandom,
  users: number,
  rowCount: number,
  eventCount = 10,
): { readonly rows: TallyRows; readonly masks: TallyMasks } {
  const valueCount = random.chance(0.3) ? random.pick([1000, 20_000]) : 1 + random.below(20);
  const ofUsers = randomRuns(random, rowCount, users);
  ofUsers.classes.sort();
  const rows = {
    rowCount,
    events: randomPacked(random, rowCount, random.pick([4, 8, 9, 32]), eventCount),
    values: randomRuns(random, rowCount, valueCount),
    times: randomRuns(random, rowCount, 5),
    users: ofUsers,
  };
  const masks = {
    events: randomMasks(random, eventCount),
    values: randomMasks(random, valueCount),
    times: randomMasks(random, 5),
  };
  return { rows, masks };
}

function randomPacked(random: SeededRandom, rowCount: number, bits: number, eventCount: number): Packed {
  const packed = new Uint8Array(Math.ceil((rowCount * bits) / 8));
  plainKernels.pack(
    Uint32Array.from({ length: rowCount }, () => random.below(Math.min(eventCount, 2 ** bits))),
    bits,
    packed,
  );
  return { packed, bits };
}

function randomRuns(random: SeededRandom, rowCount: number, classCount: number): Runs {
  const ends: number[] = [];
  for (let end = 0; end < rowCount; ) {
    end = Math.min(rowCount, end + 1 + random.below(random.chance(0.1) ? 300 : 10));
    ends.push(end);
  }
  return {
    classes: Uint32Array.from(ends, () => random.below(classCount)),
    ends: Uint32Array.from(ends),
  };
}

/** Every third is of no rule. */
function randomMasks(random: SeededRandom, count: number): Uint32Array {
  const masks = new Uint32Array(MASK_WORDS * count);
  for (let i = 0; i < masks.length; i++) {
    if (Math.floor(i / MASK_WORDS) % 3 !== 1) masks[i] = random.uint32() | random.uint32();
  }
  return masks;
}

function countNaively(
  { rowCount, events, values, times, users }: TallyRows,
  masks: TallyMasks,
  counts: readonly Uint32Array[],
): void {
  const classAt = ({ classes, ends }: Runs, row: number) =>
    classes[firstFrom(ends, 0, ends.length, row + 1)]!;
  const maskOf = (all: Uint32Array, i: number) => all.subarray(MASK_WORDS * i, MASK_WORDS * (i + 1));
  const eventClasses = new Uint32Array(rowCount);
  plainKernels.unpack(events.packed, events.bits, 0, rowCount, eventClasses);
  for (let row = 0; row < rowCount; row++) {
    const ofEvent = maskOf(masks.events, eventClasses[row]!);
    const ofValue = maskOf(masks.values, classAt(values, row));
    const ofTime = maskOf(masks.times, classAt(times, row));
    const mask = ofEvent.map((word, w) => word & ofValue[w]! & ofTime[w]!);
    addNaively(counts[classAt(users, row)]!, mask);
  }
}

function addNaively(counts: Uint32Array, mask: Uint32Array): void {
  for (let rule = 0; rule < TALLY_RULES; rule++) counts[rule]! += (mask[rule >>> 5]! >>> (rule & 31)) & 1;
}

function expectCounts(
  tally: Tally,
  counts: readonly Uint32Array[],
  countMax: number,
  random: SeededRandom,
): void {
  const words = (counts.length + 31) >>> 5;
  for (let round = 0; round < 3; round++) {
    const thresholds = Uint32Array.from({ length: TALLY_RULES }, () => 1 + random.below(countMax));
    const targets = Array.from({ length: TALLY_RULES }, () =>
      random.chance(0.9) ? new Uint32Array(words).fill(0xdeadbeef) : undefined,
    );
    for (let from = 0; from < counts.length; from += TALLY_USERS) {
      tally.selectAtLeast(from, Math.min(from + TALLY_USERS, counts.length), thresholds, targets);
    }
    for (const [rule, target] of targets.entries()) {
      if (target === undefined) continue;
      const expected = new Uint32Array(words);
      for (const [user, ofUser] of counts.entries()) {
        if (ofUser[rule]! >= thresholds[rule]!) expected[user >>> 5]! |= 1 << (user & 31);
      }
      expect(Buffer.compare(Buffer.from(target.buffer), Buffer.from(expected.buffer)), `rule ${rule}`).toBe(
        0,
      );
    }
  }
}
