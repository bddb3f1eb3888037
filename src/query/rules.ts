import type { Scalar } from '../base/value.ts';
import { TALLY_COUNT_MAX, TALLY_RULES } from '../encoding/kernels/tally.ts';
import type { ValuePredicate } from '../store/part.ts';
import type { SchemaView } from '../store/view.ts';
import { countsThatSatisfy } from './criterion.ts';
import type { Scan } from './plan.ts';

/** Scans of one property from which on one pass for all of them takes less than one for each; measured. */
const RULES_MIN = 8;
/** Of one scan; with more it is worth a pass of its own. */
const RULE_VALUES_MAX = 64;

/** A scan of some events with one of some values of a property. */
export interface Rule {
  readonly scan: Scan;
  readonly values: readonly Scalar[];
}

/** Scans that ask the same property: the events of all are found in one pass. */
export interface RuleGroup {
  readonly propertyCode: number;
  /** At most TALLY_RULES. */
  readonly rules: readonly Rule[];
}

/** Sorts out the scans that can be done together where these are enough. */
export function groupRules(
  schema: SchemaView,
  scans: readonly Scan[],
): { readonly groups: readonly RuleGroup[]; readonly others: readonly Scan[] } {
  const others: Scan[] = [];
  const byProperty = new Map<number, Rule[]>();
  for (const scan of scans) {
    const test = ruleTest(scan);
    const propertyCode = test && schema.propertyCode(test.prop);
    if (test === undefined || propertyCode === undefined) {
      others.push(scan);
      continue;
    }
    const rules = byProperty.get(propertyCode) ?? [];
    byProperty.set(propertyCode, rules);
    rules.push({ scan, values: test.values });
  }
  const groups: RuleGroup[] = [];
  for (const [propertyCode, all] of byProperty) {
    for (let from = 0; from < all.length; from += TALLY_RULES) {
      const rules = all.slice(from, from + TALLY_RULES);
      if (rules.length >= RULES_MIN) groups.push({ propertyCode, rules });
      else others.push(...rules.map(({ scan }) => scan));
    }
  }
  return { groups, others };
}

/** Undefined when the scan is more than a rule. */
function ruleTest({ filter, plans }: Scan) {
  const [group] = filter.where;
  const [test] = group ?? [];
  if (filter.where.length !== 1 || group!.length !== 1 || test!.kind !== 'value') return undefined;
  const values = valuesOf(test!.predicate);
  if (values === undefined || !plans.every(({ compare }) => isKnown(compare))) return undefined;
  return { prop: test!.prop, values };
}

/** Those of which a cell must have one; numbers have no codes to find them by. */
function valuesOf({ equalTo }: ValuePredicate): readonly Scalar[] | undefined {
  if (equalTo === undefined || equalTo.length > RULE_VALUES_MAX) return undefined;
  return equalTo.some((value) => typeof value === 'number') ? undefined : equalTo;
}

/** Whether counts of TALLY_COUNT_MAX and more are all alike to the comparison. */
function isKnown(comparison: Scan['plans'][number]['compare']): boolean {
  const { from, to } = countsThatSatisfy(comparison);
  return from > to || (from <= TALLY_COUNT_MAX && (to < TALLY_COUNT_MAX || to === 0xffffffff));
}
