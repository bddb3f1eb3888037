import type { TabletView } from '../store/view.ts';
import type { Condition } from './condition.ts';
import type { Rule } from './rule.ts';

/** Which conditions an event touches, and which rules a condition. Made anew whenever the rules change. */
export class RuleIndex {
  /** By name, as all lists of rules here. */
  readonly rules: readonly Rule[];
  readonly conditions: ReadonlyMap<string, Condition>;
  readonly timed: readonly Condition[];
  readonly readingTraits: readonly Condition[];
  readonly #view: TabletView;
  readonly #rulesOf = new Map<Condition, Rule[]>();
  readonly #byEvent = new Map<string, Condition[]>();
  /** By code, filled as codes are met: a name may be declared long after a rule mentions it. */
  readonly #byCode: (readonly Condition[] | undefined)[] = [];

  constructor(rules: Iterable<Rule>, view: TabletView) {
    this.rules = [...rules].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#view = view;
    this.conditions = new Map(this.rules.flatMap((rule) => [...rule.conditions]));
    const conditions = [...this.conditions.values()];
    this.timed = conditions.filter((condition) => condition.isTimed);
    this.readingTraits = conditions.filter((condition) => condition.readsTraits);
    for (const condition of conditions) {
      this.#rulesOf.set(condition, []);
      for (const event of condition.events) {
        const touched = this.#byEvent.get(event);
        if (touched === undefined) this.#byEvent.set(event, [condition]);
        else touched.push(condition);
      }
    }
    for (const rule of this.rules) {
      for (const condition of rule.conditions.values()) this.#rulesOf.get(condition)!.push(rule);
    }
  }

  conditionsOn(event: string): readonly Condition[] {
    return this.#byEvent.get(event) ?? NOTHING;
  }

  conditionsOnCode(eventCode: number): readonly Condition[] {
    while (this.#byCode.length <= eventCode) this.#byCode.push(undefined);
    let conditions = this.#byCode[eventCode];
    if (conditions === undefined) {
      conditions = this.conditionsOn(this.#view.schema.eventName(eventCode));
      this.#byCode[eventCode] = conditions;
    }
    return conditions;
  }

  /** Rules that mention any of the conditions. */
  rulesOn(conditions: readonly Condition[]): readonly Rule[] {
    if (conditions.length === 0) return [];
    const [only] = conditions;
    if (conditions.length === 1) return this.#rulesOf.get(only!)!;
    const rules = new Set(conditions.flatMap((condition) => this.#rulesOf.get(condition)!));
    return [...rules].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

const NOTHING: readonly Condition[] = [];
