import { expect, test } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { type Comparison, compare } from './criterion.ts';
import type { RuleLists } from './ruleClasses.ts';
import { RuleCounts } from './ruleCounts.ts';

const USERS = 100;
const RULES = 5;

test('counts of few events and of very many agree with a table', () => {
  const random = new SeededRandom(1);
  for (const eventCount of [0, 10, 1000, 60_000]) {
    const lists = randomLists(random);
    const classCount = lists.checked.length;
    // Some have so many events that their counts end at the most.
    const ordinals = Uint32Array.from({ length: eventCount }, () => random.below(1 + random.below(USERS)));
    const classes = ordinals.map(() => 1 + random.below(classCount - 1));
    const timesMs = Float64Array.from(ordinals, () => random.below(100));
    const expected = Array.from({ length: RULES }, () => new Array<number>(USERS).fill(0));
    for (const [i, ruleClass] of classes.entries()) {
      for (let at = lists.starts[ruleClass]!; at < lists.starts[ruleClass + 1]!; at++) {
        const rule = lists.rules[at]!;
        const isIn = timesMs[i]! >= lists.fromMs[rule]! && timesMs[i]! < lists.toMs[rule]!;
        if (at < lists.checked[ruleClass]! || isIn) expected[rule]![ordinals[i]!]!++;
      }
    }
    const counts = new RuleCounts(RULES, USERS, undefined);
    for (let from = 0; from < eventCount; from += 8000) {
      const part = <T extends Uint32Array | Float64Array>(all: T) => all.subarray(from, from + 8000) as T;
      counts.add(part(classes), part(ordinals), part(timesMs), lists);
    }
    for (const comparison of comparisons()) {
      for (const [rule, ofUsers] of expected.entries()) {
        const users = ofUsers.flatMap((count, user) => (compare(comparison, count) ? [user] : []));
        expect([...counts.select(rule, comparison)], JSON.stringify(comparison)).toEqual(users);
      }
    }
  }
});

/** Six classes, of which the first is of no rule. */
function randomLists(random: SeededRandom): RuleLists {
  const rules: number[] = [];
  const starts = [0, 0];
  const checked = [0];
  for (let ruleClass = 1; ruleClass < 6; ruleClass++) {
    const own = Array.from({ length: RULES }, (_, rule) => rule).filter(() => random.chance(0.5));
    checked.push(rules.length + random.below(own.length + 1));
    rules.push(...own);
    starts.push(rules.length);
  }
  return {
    rules: Uint32Array.from(rules),
    starts: Uint32Array.from(starts),
    checked: Uint32Array.from(checked),
    fromMs: Float64Array.from({ length: RULES }, () => random.below(50)),
    toMs: Float64Array.from({ length: RULES }, () => 50 + random.below(50)),
  };
}

function comparisons(): readonly Comparison[] {
  return [
    ...([0, 1, 2, 5, 100, 254, 255] as const).flatMap((value): Comparison[] => [
      { op: 'gte', value },
      { op: 'lt', value },
    ]),
    ...([0, 1, 3, 254] as const).flatMap((value): Comparison[] => [
      { op: 'eq', value },
      { op: 'neq', value },
    ]),
    { op: 'between', low: 2, high: 20 },
    { op: 'between', low: 3, high: 2 },
    { op: 'gt', value: -1 },
  ];
}
