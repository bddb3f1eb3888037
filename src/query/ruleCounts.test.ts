import { expect, it } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { SeededRandom } from '../base/random.ts';
import { MASK_WORDS, TALLY_RULES, TALLY_USERS } from '../encoding/kernels/tally.ts';
import type { UsersView } from '../store/view.ts';
import { RuleCounts } from './ruleCounts.ts';
import { run } from './testStore.ts';

const THRESHOLDS = [1, 2, 5, 200];

it.each([
  { as: 'listed', expected: 0, pairsMin: 1 << 20 },
  { as: 'listed until they are many', expected: 0, pairsMin: 0 },
  { as: 'in a tally', expected: Number.POSITIVE_INFINITY, pairsMin: 0 },
])('counts, $as, are what a naive loop finds, merged users among them', ({ expected, pairsMin }) => {
  const random = new SeededRandom(7);
  const users = usersOf(TALLY_USERS + 100, random);
  const counts = new RuleCounts({ users }, 200, expected, pairsMin);
  const naive = Array.from({ length: users.count }, () => new Uint32Array(TALLY_RULES));
  run(counts.roomSteps());
  for (let row = 0; row < 40_000; row++) {
    const ordinal = random.chance(0.02) ? 3 : random.below(users.count);
    const mask = Uint32Array.from({ length: MASK_WORDS }, () =>
      random.chance(0.5) ? 1 << random.below(32) : 0,
    );
    counts.add(ordinal, mask);
    for (let rule = 0; rule < TALLY_RULES; rule++) {
      naive[users.canonical[ordinal]!]![rule]! += (mask[rule >>> 5]! >>> (rule & 31)) & 1;
    }
    if (row % 1000 === 0) run(counts.roomSteps());
  }
  const wanted = Array.from({ length: TALLY_RULES }, () => [random.pick(THRESHOLDS), 3]);
  const found = run(counts.atLeastSteps(wanted));
  counts.release();
  for (const [rule, thresholds] of wanted.entries()) {
    for (const threshold of thresholds) {
      const members = Array.from(naive.keys()).filter((user) => naive[user]![rule]! >= threshold);
      const all = new Bitset(users.count);
      for (const ordinal of found[rule]!.get(threshold)!)
        if (users.canonical[ordinal] === ordinal) all.add(ordinal);
      expect([...all]).toEqual(members);
    }
  }
});

/** Some of them are merged into others. */
function usersOf(count: number, random: SeededRandom): UsersView {
  const canonical = Uint32Array.from({ length: count }, (_, ordinal) => ordinal);
  const merged = new Bitset(count);
  for (let i = 0; i < 200; i++) {
    const ordinal = 1000 + random.below(count - 1000);
    canonical[ordinal] = random.below(1000);
    merged.add(ordinal);
  }
  return {
    ...{ count, canonical, merged: merged.words, withEvents: Bitset.full(count).words },
    find: () => -1,
    refOf: (ordinal) => ({ known: true, id: `${ordinal}` }),
    mergedInto: () => [],
    isGone: () => false,
    latestEventMs: () => 0,
  };
}
