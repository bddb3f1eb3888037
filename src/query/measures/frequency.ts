import { isArray, type Scalar, type Value } from '../../base/value.ts';

/** Measures of how often a user's matches have which value; an array is taken by its elements. See columns.ts. */

type Values = readonly (Value | undefined)[];

/** Different values. */
export function countDistinct(
  values: Values,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  const seen = new Set<Scalar>();
  for (let i = from; i < to; i++) {
    const value = values[i];
    if ((kinds[i]! & bit) === 0 || value === undefined) continue;
    if (!isArray(value)) seen.add(value);
    else for (const element of value) seen.add(element);
  }
  return seen.size;
}

/** The value seen most often, of several the one seen last; undefined without any. */
export function mostFrequent(
  values: Values,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): Scalar | undefined {
  const counts = new Map<Scalar, number>();
  let most = 0;
  let found: Scalar | undefined;
  const see = (value: Scalar) => {
    const count = (counts.get(value) ?? 0) + 1;
    counts.set(value, count);
    if (count < most) return;
    most = count;
    found = value;
  };
  for (let i = from; i < to; i++) {
    const value = values[i];
    if ((kinds[i]! & bit) === 0 || value === undefined) continue;
    if (isArray(value)) value.forEach(see);
    else see(value);
  }
  return found;
}
