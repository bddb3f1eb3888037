import type { Scalar } from '../base/value.ts';
import type { ValuePredicate } from '../store/part.ts';
import type { SchemaView } from '../store/view.ts';
import { countsThatSatisfy } from './criterion.ts';
import type { Scan } from './plan.ts';

/** Scans of one property from which on it pays to look at each event's name and value, not at bitmaps of them. */
const RULES_MIN = 24;
/** Each may keep a byte a user, and half as much again. */
const RULES_MAX = 128;
/** Of one scan; with more it is worth a pass of its own. */
const RULE_VALUES_MAX = 64;
/** Of a group: parts make a table of them and the values. */
const RULE_EVENTS_MAX = 64;
/** What a count is known up to: see RuleCounts. */
export const RULE_COUNT_MAX = 255;

/** A scan of some events with one of some values of a property. */
export interface Rule {
  readonly scan: Scan;
  readonly values: readonly Scalar[];
}

/** Scans that ask the same property: the events of all are found in one pass. */
export interface RuleGroup {
  readonly propertyCode: number;
  /** At most RULES_MAX, of at most RULE_EVENTS_MAX events. */
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
    for (const rules of cut(all)) {
      if (rules.length >= RULES_MIN) groups.push({ propertyCode, rules });
      else others.push(...rules.map(({ scan }) => scan));
    }
  }
  return { groups, others };
}

/** The rules in groups that keep to the limits, those of an event together. */
function cut(rules: readonly Rule[]): Rule[][] {
  const firstEvent = ({ scan }: Rule) => scan.eventCodes[0] ?? -1;
  const groups: Rule[][] = [];
  let events = new Set<number>();
  for (const rule of rules.toSorted((a, b) => firstEvent(a) - firstEvent(b))) {
    const { eventCodes } = rule.scan;
    const group = groups.at(-1);
    const more = eventCodes.filter((code) => !events.has(code));
    if (group !== undefined && group.length < RULES_MAX && events.size + more.length <= RULE_EVENTS_MAX) {
      group.push(rule);
      for (const code of more) events.add(code);
    } else {
      groups.push([rule]);
      events = new Set(eventCodes);
    }
  }
  return groups;
}

/** Undefined when the scan is more than a rule. */
function ruleTest({ filter, eventCodes, plans }: Scan) {
  const [group] = filter.where;
  const [test] = group ?? [];
  if (filter.where.length !== 1 || group!.length !== 1 || test!.kind !== 'value') return undefined;
  if (eventCodes.length > RULE_EVENTS_MAX) return undefined;
  const values = valuesOf(test!.predicate);
  if (values === undefined || !plans.every(({ compare }) => isKnown(compare))) return undefined;
  return { prop: test!.prop, values };
}

/** Those of which a cell must have one; numbers have no codes to find them by. */
function valuesOf({ equalTo }: ValuePredicate): readonly Scalar[] | undefined {
  if (equalTo === undefined || equalTo.length > RULE_VALUES_MAX) return undefined;
  return equalTo.some((value) => typeof value === 'number') ? undefined : equalTo;
}

/** Whether counts of RULE_COUNT_MAX and more are all alike to the comparison. */
function isKnown(comparison: Scan['plans'][number]['compare']): boolean {
  const { from, to } = countsThatSatisfy(comparison);
  return from > to || (from <= RULE_COUNT_MAX && (to < RULE_COUNT_MAX || to === 0xffffffff));
}
