import type { Value } from '../../base/value.ts';

/** The place of the user's latest match that has a value; -1 without any. See columns.ts. */
export function lastWithValue(
  values: readonly (Value | undefined)[],
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
): number {
  for (let i = to - 1; i >= from; i--) if ((kinds[i]! & bit) !== 0 && values[i] !== undefined) return i;
  return -1;
}
