import type { EventSource } from './eventPage.ts';

/** counts[ordinal - ordinalFrom + 1]++ for the ordinals [from, to). */
export function countEach(
  ordinals: Uint32Array,
  from: number,
  to: number,
  ordinalFrom: number,
  counts: Uint32Array,
): void {
  const shift = ordinalFrom - 1;
  for (let i = from; i < to; i++) counts[ordinals[i]! - shift]!++;
}

/** Each entry goes to its user's next place; the first one is entry `before` of all. Without times `toTimesMs` is empty. */
export function placeEach(
  { ordinals, timesMs, kinds, from, to }: EventSource,
  ordinalFrom: number,
  next: Uint32Array,
  before: number,
  toTimesMs: Float64Array,
  toKinds: Uint32Array,
  toOrigins: Uint32Array,
): void {
  const hasTimes = toTimesMs.length > 0;
  const shift = before - from;
  for (let i = from; i < to; i++) {
    const place = next[ordinals[i]! - ordinalFrom]!++;
    if (hasTimes) toTimesMs[place] = timesMs[i]!;
    toKinds[place] = kinds[i]!;
    toOrigins[place] = i + shift;
  }
}

export function addUp(counts: Uint32Array): void {
  for (let i = 1; i < counts.length; i++) counts[i]! += counts[i - 1]!;
}

/**
 * ends[u] is where the events of the u-th ordinal end; afterwards, of those that have events, where they start. Returns
 * how many there are, whose ordinals it lists.
 */
export function keepFilled(ends: Uint32Array, ordinalFrom: number, ordinals: Uint32Array): number {
  let count = 0;
  let end = 0;
  for (let u = 0; u < ends.length - 1; u++) {
    const start = end;
    end = ends[u]!;
    ordinals[count] = ordinalFrom + u;
    ends[count] = start;
    count += end > start ? 1 : 0;
  }
  ends[count] = end;
  return count;
}
