import type { Bitset } from '../base/bitset.ts';
import { BATCH_ROWS } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import { newBatch } from './partEvents.ts';
import type { CountPlan } from './plan.ts';
import { RuleClasses } from './ruleClasses.ts';
import { RuleCounts } from './ruleCounts.ts';
import type { RuleGroup } from './rules.ts';
import { EVENT_CODE_BYTES, mayMatch, TIME_BYTES, VALUE_BYTES } from './selectRows.ts';
import type { QueryStats } from './stats.ts';

/** What is kept of each row that has one while its part is looked at. */
const CLASS_BYTES = 4;

/**
 * Runs the scans of a group in one pass over the events, and hands out what `runScans` would. Of each part the rows are
 * found that any rule wants by event and value; then each is counted for all rules that want it.
 */
export function* runRules(
  view: TabletView,
  { propertyCode, rules }: RuleGroup,
  stats: QueryStats,
  done: (plan: CountPlan, ordinals: Bitset) => void,
): Generator<void, void> {
  const counts = new RuleCounts(rules.length, view.users.count, view.budget);
  const batch = newBatch(BATCH_ROWS);
  const { timesMs, ...timeless } = batch;
  for (const part of view.events.parts()) {
    const wanted = rules.flatMap(({ scan }, i) => (mayMatch(part, scan) ? [i] : []));
    if (wanted.length === 0) {
      stats.blocksSkipped++;
      continue;
    }
    stats.rowsScanned += part.rowCount;
    stats.bytesScanned += part.rowCount * (EVENT_CODE_BYTES + VALUE_BYTES);
    const rulesOf = new RuleClasses(part, rules, wanted);
    const { classes, cursor } = yield* part.classifySteps(propertyCode, rulesOf);
    view.budget?.charge(classes.length * CLASS_BYTES);
    const target = rulesOf.needTimes ? batch : timeless;
    if (rulesOf.needTimes) stats.bytesScanned += classes.length * TIME_BYTES;
    const lists = rulesOf.lists();
    for (let at = 0; at < classes.length; ) {
      const read = cursor.readInto(target, 0);
      toCanonical(batch.ordinals, read, view.users.canonical);
      counts.add(classes.subarray(at, at + read), batch.ordinals, timesMs, lists);
      at += read;
      yield;
    }
    view.budget?.release(classes.length * CLASS_BYTES);
  }
  for (const [rule, { scan }] of rules.entries()) {
    for (const plan of scan.plans) {
      done(plan, counts.select(rule, plan.compare));
      yield;
    }
  }
  counts.release();
}

function toCanonical(ordinals: Uint32Array, count: number, canonical: Uint32Array): void {
  for (let i = 0; i < count; i++) ordinals[i] = canonical[ordinals[i]!]!;
}
