import { isArray, type Scalar, type Value } from '../base/value.ts';
import { MASK_WORDS } from '../encoding/kernels/tally.ts';
import type { TallyWanted, ValuePredicate } from '../store/part.ts';
import type { Rule, RuleGroup } from './rules.ts';

const NONE = new Uint32Array(MASK_WORDS);

/** What the rules of a group want, each with the bit of its place in the group. */
export class RuleMasks implements TallyWanted {
  readonly propertyCode: number;
  readonly eventMasks: ReadonlyMap<number, Uint32Array>;
  readonly predicate: ValuePredicate;
  readonly timeBounds: Float64Array;
  readonly timeMasks: Uint32Array;
  readonly #byValue: ReadonlyMap<Scalar, Uint32Array>;
  readonly #ofArray = new Uint32Array(MASK_WORDS);

  constructor({ propertyCode, rules }: RuleGroup) {
    this.propertyCode = propertyCode;
    this.eventMasks = masksBy(rules, ({ scan }) => scan.eventCodes);
    this.#byValue = masksBy(rules, ({ values }) => values);
    this.predicate = anyOf(this.#byValue);
    this.timeBounds = boundsOf(rules);
    this.timeMasks = timeMasks(rules, this.timeBounds);
  }

  maskOfValue(value: Value): Uint32Array {
    if (!isArray(value)) return this.#byValue.get(value) ?? NONE;
    this.#ofArray.fill(0);
    for (const element of value) {
      const mask = this.#byValue.get(element) ?? NONE;
      for (let w = 0; w < MASK_WORDS; w++) this.#ofArray[w]! |= mask[w]!;
    }
    return this.#ofArray;
  }
}

function masksBy<K>(
  rules: readonly Rule[],
  keysOf: (rule: Rule) => readonly K[],
): ReadonlyMap<K, Uint32Array> {
  const masks = new Map<K, Uint32Array>();
  for (const [i, rule] of rules.entries()) {
    for (const key of keysOf(rule)) {
      const mask = masks.get(key) ?? new Uint32Array(MASK_WORDS);
      masks.set(key, mask);
      mask[i >>> 5]! |= 1 << (i & 31);
    }
  }
  return masks;
}

/** All times where a rule begins or ends to want events. */
function boundsOf(rules: readonly Rule[]): Float64Array {
  const bounds = new Set(rules.flatMap(({ scan }) => [scan.fromMs, scan.toMs]));
  return Float64Array.from([...bounds].filter(Number.isFinite)).sort();
}

function timeMasks(rules: readonly Rule[], bounds: Float64Array): Uint32Array {
  const masks = new Uint32Array(MASK_WORDS * (bounds.length + 1));
  for (let span = 0; span <= bounds.length; span++) {
    const fromMs = span === 0 ? -Infinity : bounds[span - 1]!;
    for (const [i, { scan }] of rules.entries()) {
      // Where it does not begin or end, a rule wants the whole span if it wants its first moment.
      const isWanted = scan.fromMs <= fromMs && fromMs < scan.toMs;
      if (isWanted) masks[MASK_WORDS * span + (i >>> 5)]! |= 1 << (i & 31);
    }
  }
  return masks;
}

function anyOf(values: ReadonlyMap<Scalar, unknown>): ValuePredicate {
  return {
    missing: false,
    test: (value) => (isArray(value) ? value.some((element) => values.has(element)) : values.has(value)),
    equalTo: [...values.keys()],
  };
}
