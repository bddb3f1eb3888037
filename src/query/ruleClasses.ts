import { isArray, type Scalar, type Value } from '../base/value.ts';
import type { CellClasses, Part, ValuePredicate } from '../store/part.ts';
import type { Rule } from './rules.ts';

/**
 * The rules that want the events of each class c: those from starts[c] on; from checked[c] on and up to starts[c + 1] they
 * want them at their own times only.
 */
export interface RuleLists {
  /** Places in the group. */
  readonly rules: Uint32Array;
  readonly starts: Uint32Array;
  readonly checked: Uint32Array;
  /** By place in the group. */
  readonly fromMs: Float64Array;
  readonly toMs: Float64Array;
}

/** Events of a part by which rules want them, but for their times. */
export class RuleClasses implements CellClasses {
  readonly eventCodes: readonly number[];
  readonly predicate: ValuePredicate;
  /** Whether it depends on an event's time which of its class's rules want it. */
  readonly needTimes: boolean;
  readonly #rules: readonly Rule[];
  readonly #byEvent = new Map<number, Map<Scalar, number[]>>();
  /** Rules that want all of the part's times. */
  readonly #timeless: ReadonlySet<number>;
  readonly #classes = new Map<string | readonly number[], number>();
  /** By class. */
  readonly #lists: (readonly number[])[] = [[]];

  /** `wanted` are the places of those rules that may want any of the part's events, at least one. */
  constructor({ timeMinMs, timeMaxMs }: Part, rules: readonly Rule[], wanted: readonly number[]) {
    this.#rules = rules;
    const values = new Set<Scalar>();
    for (const i of wanted) {
      for (const value of rules[i]!.values) values.add(value);
      for (const eventCode of new Set(rules[i]!.scan.eventCodes)) this.#add(eventCode, i);
    }
    this.eventCodes = [...this.#byEvent.keys()];
    this.predicate = anyOf(values);
    this.#timeless = new Set(
      wanted.filter((i) => rules[i]!.scan.fromMs <= timeMinMs && timeMaxMs < rules[i]!.scan.toMs),
    );
    this.needTimes = this.#timeless.size < wanted.length;
  }

  classOf(eventCode: number, value: Value): number {
    const rules = this.#rulesOf(this.#byEvent.get(eventCode)!, value);
    if (rules.length === 0) return 0;
    // What is found of one value is the same list each time.
    const key = isArray(value) ? rules.join() : rules;
    let found = this.#classes.get(key);
    if (found === undefined) {
      found = this.#lists.push(rules) - 1;
      this.#classes.set(key, found);
    }
    return found;
  }

  /** Of the classes that have been given. */
  lists(): RuleLists {
    const rules: number[] = [];
    const starts = new Uint32Array(this.#lists.length + 1);
    const checked = new Uint32Array(this.#lists.length);
    for (const [i, list] of this.#lists.entries()) {
      rules.push(...list.filter((rule) => this.#timeless.has(rule)));
      checked[i] = rules.length;
      rules.push(...list.filter((rule) => !this.#timeless.has(rule)));
      starts[i + 1] = rules.length;
    }
    return {
      rules: Uint32Array.from(rules),
      starts,
      checked,
      fromMs: Float64Array.from(this.#rules, ({ scan }) => scan.fromMs),
      toMs: Float64Array.from(this.#rules, ({ scan }) => scan.toMs),
    };
  }

  #add(eventCode: number, rule: number): void {
    const byValue = this.#byEvent.get(eventCode) ?? new Map<Scalar, number[]>();
    this.#byEvent.set(eventCode, byValue);
    for (const value of new Set(this.#rules[rule]!.values)) {
      const rules = byValue.get(value);
      if (rules === undefined) byValue.set(value, [rule]);
      else rules.push(rule);
    }
  }

  #rulesOf(byValue: ReadonlyMap<Scalar, readonly number[]>, value: Value): readonly number[] {
    if (!isArray(value)) return byValue.get(value) ?? [];
    return [...new Set(value.flatMap((element) => byValue.get(element) ?? []))];
  }
}

function anyOf(values: ReadonlySet<Scalar>): ValuePredicate {
  return {
    missing: false,
    test: (value) => (isArray(value) ? value.some((element) => values.has(element)) : values.has(value)),
    equalTo: [...values],
  };
}
