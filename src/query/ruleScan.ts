import { Bitset } from '../base/bitset.ts';
import type { Scalar } from '../base/value.ts';
import { Block } from '../store/blocks/block.ts';
import type { TabletView } from '../store/view.ts';
import { countsThatSatisfy } from './criterion.ts';
import type { CountPlan } from './plan.ts';
import { RuleCounts } from './ruleCounts.ts';
import { RuleMasks } from './ruleMasks.ts';
import type { Rule, RuleGroup } from './rules.ts';
import { EVENT_CODE_BYTES, expectedRows, mayMatch, TIME_BYTES, VALUE_BYTES } from './selectRows.ts';
import type { QueryStats } from './stats.ts';

/** Rules that may want one row, for rows to be listed. */
const PAIRS_PER_ROW_MAX = 8;
const ROW_BYTES = EVENT_CODE_BYTES + VALUE_BYTES + TIME_BYTES;

/**
 * Runs the scans of a group in one pass over the events, and hands out what `runScans` would. Each row is counted for all
 * rules that want it at once; then counts are compared for all users.
 */
export function* runRules(
  view: TabletView,
  group: RuleGroup,
  stats: QueryStats,
  done: (plan: CountPlan, ordinals: Bitset) => void,
): Generator<void, void> {
  const { users, budget } = view;
  const { rules } = group;
  const wantedThresholds = rules.map(thresholdsOf);
  const countMax = Math.max(1, ...wantedThresholds.flat());
  const counts = new RuleCounts(view, countMax, expectedPairs(view, group));
  yield* counts.roomSteps();
  yield* countParts(view, group, counts, stats);
  const bitmapBytes = wantedThresholds.flat().length * (users.count >>> 3);
  budget?.charge(bitmapBytes);
  const atLeast = yield* counts.atLeastSteps(wantedThresholds);
  counts.release();
  for (const [rule, { scan }] of rules.entries()) {
    for (const plan of scan.plans) done(plan, satisfying(plan, users.count, atLeast[rule]!));
    yield;
  }
  budget?.release(bitmapBytes);
}

/** What counts of the rule are compared with: whether they are at least so many. */
function thresholdsOf({ scan }: Rule): readonly number[] {
  const all = scan.plans.flatMap(({ compare }) => {
    const { from, to } = countsThatSatisfy(compare);
    return from > to ? [] : [from, to + 1];
  });
  return [...new Set(all)].filter((threshold) => threshold > 0 && threshold <= 0xffffffff);
}

function* countParts(
  view: TabletView,
  group: RuleGroup,
  counts: RuleCounts,
  stats: QueryStats,
): Generator<void, void> {
  const masks = new RuleMasks(group);
  for (const part of view.events.parts()) {
    if (!group.rules.some(({ scan }) => mayMatch(part, scan))) {
      stats.blocksSkipped++;
      continue;
    }
    stats.rowsScanned += part.rowCount;
    stats.bytesScanned += part.rowCount * ROW_BYTES;
    for (const _ of part.tallySteps(masks, counts)) {
      yield;
      yield* counts.roomSteps();
    }
  }
}

/**
 * Pairs of a row and a rule that wants it, if all texts of the property were equally frequent. Infinity where many rules may
 * want one row: a chunk of such rows would be too many pairs for one step.
 */
function expectedPairs({ events }: TabletView, { propertyCode, rules }: RuleGroup): number {
  if (mostTogether(rules) > PAIRS_PER_ROW_MAX) return Number.POSITIVE_INFINITY;
  let expected = 0;
  for (const part of events.parts()) {
    const texts = part instanceof Block ? part.textsOf(propertyCode) : 1;
    for (const { scan, values } of rules) {
      if (!mayMatch(part, scan)) continue;
      expected += expectedRows(part, scan) * Math.min(1, values.length / Math.max(1, texts));
    }
  }
  return expected;
}

/** How many of the rules want one value: no more of them want one row, unless that has an array. */
function mostTogether(rules: readonly Rule[]): number {
  const together = new Map<Scalar, number>();
  for (const value of rules.flatMap(({ values }) => values))
    together.set(value, 1 + (together.get(value) ?? 0));
  return Math.max(...together.values());
}

/** The ordinals that satisfy the plan; those of `atLeast` may be handed out more than once. */
function satisfying({ compare }: CountPlan, userCount: number, atLeast: ReadonlyMap<number, Bitset>): Bitset {
  const { from, to } = countsThatSatisfy(compare);
  if (compare.op === 'gte' && from > 0) return atLeast.get(from)!;
  const ordinals = from > to ? new Bitset(userCount) : (atLeast.get(from)?.copy() ?? Bitset.full(userCount));
  const above = atLeast.get(to + 1);
  if (from <= to && above !== undefined) ordinals.andNot(above);
  return compare.op === 'neq' ? ordinals.not() : ordinals;
}
