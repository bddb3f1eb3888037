import type { Scalar, Value } from '../../base/value.ts';
import { keyOfValue, NO_KEY, OTHER_KEY, textOfValue } from './breakdown.ts';

/** Keys looked at between two yields. */
const KEYS_PER_STEP = 1 << 12;

/** What one tablet has of each key. */
export interface KeyWeights {
  /** Undefined for no value. */
  readonly keys: readonly (Value | undefined)[];
  /** By index into `keys`. */
  readonly weights: ArrayLike<number>;
}

export interface TopKeys {
  /** By slot: the heaviest keys, those of equal weight by their text, then `(other)` and `(none)`. */
  readonly keys: readonly Scalar[];
  /** For each part, the slot of each of its keys. */
  readonly slots: readonly Uint32Array[];
}

interface Total {
  readonly value: Value;
  readonly text: string;
  weight: number;
}

/** Which keys of all tablets weigh most. */
export function* topKeysSteps(parts: readonly KeyWeights[], top: number): Generator<void, TopKeys> {
  const heaviest = heaviestOf(yield* totalsSteps(parts), top);
  const slotOf = new Map(heaviest.map(({ text }, slot) => [text, slot]));
  const [other, none] = [heaviest.length, heaviest.length + 1];
  const slots: Uint32Array[] = [];
  for (const { keys } of parts) {
    const own = new Uint32Array(keys.length);
    for (const [i, value] of keys.entries()) {
      if (i % KEYS_PER_STEP === 0) yield;
      own[i] = value === undefined ? none : (slotOf.get(textOfValue(value)) ?? other);
    }
    slots.push(own);
  }
  return { keys: [...heaviest.map(({ value }) => keyOfValue(value)), OTHER_KEY, NO_KEY], slots };
}

function* totalsSteps(parts: readonly KeyWeights[]): Generator<void, Iterable<Total>> {
  const totals = new Map<string, Total>();
  for (const { keys, weights } of parts) {
    for (const [i, value] of keys.entries()) {
      if (i % KEYS_PER_STEP === 0) yield;
      if (value === undefined) continue;
      const text = textOfValue(value);
      const total = totals.get(text);
      if (total === undefined) totals.set(text, { value, text, weight: weights[i]! });
      else total.weight += weights[i]!;
    }
  }
  return totals.values();
}

/** In order. One look at each of them: most are not heavier than the lightest kept. */
function heaviestOf(totals: Iterable<Total>, top: number): readonly Total[] {
  const heaviest: Total[] = [];
  for (const total of totals) {
    if (heaviest.length === top) {
      if (isBefore(heaviest.at(-1)!, total)) continue;
      heaviest.pop();
    }
    let at = heaviest.length;
    while (at > 0 && isBefore(total, heaviest[at - 1]!)) at--;
    heaviest.splice(at, 0, total);
  }
  return heaviest;
}

function isBefore(a: Total, b: Total): boolean {
  return a.weight === b.weight ? a.text < b.text : a.weight > b.weight;
}
