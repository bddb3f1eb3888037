/** The user's first match, and its last: places of events, or -1 without any. See columns.ts. */

export function firstMatch(kinds: Uint32Array, bit: number, from: number, to: number): number {
  for (let i = from; i < to; i++) if ((kinds[i]! & bit) !== 0) return i;
  return -1;
}

export function lastMatch(kinds: Uint32Array, bit: number, from: number, to: number): number {
  for (let i = to - 1; i >= from; i--) if ((kinds[i]! & bit) !== 0) return i;
  return -1;
}
