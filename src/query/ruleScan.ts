import { Bitset, ctz32 } from '../base/bitset.ts';
import { kernels } from '../encoding/kernels/chosen.ts';
import { TALLY_USERS, type Tally, tallyBytes } from '../encoding/kernels/tally.ts';
import type { TabletView, UsersView } from '../store/view.ts';
import { countsThatSatisfy } from './criterion.ts';
import type { CountPlan } from './plan.ts';
import { RuleMasks } from './ruleMasks.ts';
import type { Rule, RuleGroup } from './rules.ts';
import { EVENT_CODE_BYTES, mayMatch, TIME_BYTES, VALUE_BYTES } from './selectRows.ts';
import type { QueryStats } from './stats.ts';

const ROW_BYTES = EVENT_CODE_BYTES + VALUE_BYTES + TIME_BYTES;
/** Words of 32 ordinals, all of which may be merged, between two yields. */
const MERGED_WORDS_PER_STEP = 1 << 9;

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
  const bytes = tallyBytes(users.count, countMax);
  budget?.charge(bytes);
  const tally = kernels().newTally(users.count, countMax);
  yield* tally.clearSteps();
  yield* tallyParts(view, group, tally, stats);
  yield* addMerged(users, tally);
  const bitmapBytes = wantedThresholds.flat().length * (users.count >>> 3);
  budget?.charge(bitmapBytes);
  const atLeast = yield* selectAtLeast(users.count, tally, wantedThresholds);
  tally.release();
  budget?.release(bytes);
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

function* tallyParts(
  view: TabletView,
  group: RuleGroup,
  tally: Tally,
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
    yield* part.tallySteps(masks, tally);
  }
}

/** Adds what merged ordinals have to those who stand for them. */
function* addMerged({ count, canonical, merged }: UsersView, tally: Tally): Generator<void, void> {
  for (let w = 0; w << 5 < count; w++) {
    if (w % MERGED_WORDS_PER_STEP === 0) yield;
    for (let word = merged[w]!; word !== 0; word &= word - 1) {
      const ordinal = (w << 5) + ctz32(word);
      if (ordinal < count) tally.addUser(ordinal, canonical[ordinal]!);
    }
  }
}

/** Of each rule, the ordinals that have at least so many rows, by how many that is. */
function* selectAtLeast(
  userCount: number,
  tally: Tally,
  wanted: readonly (readonly number[])[],
): Generator<void, readonly ReadonlyMap<number, Bitset>[]> {
  const found: Map<number, Bitset>[] = [];
  for (const thresholds of wanted) {
    found.push(new Map(thresholds.map((each) => [each, new Bitset(userCount)])));
    yield;
  }
  const rounds = Math.max(0, ...wanted.map(({ length }) => length));
  for (let round = 0; round < rounds; round++) {
    const thresholds = Uint32Array.from(wanted, (ofRule) => ofRule[round] ?? 0);
    const targets = found.map((ofRule, rule) => ofRule.get(thresholds[rule]!)?.words);
    for (let from = 0; from < userCount; from += TALLY_USERS) {
      tally.selectAtLeast(from, Math.min(from + TALLY_USERS, userCount), thresholds, targets);
      yield;
    }
  }
  return found;
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
