import type { PlacedColumns } from './kernels.ts';

/** See Kernels.startPlaces. */
export function startPlaces(sources: readonly Uint32Array[], first: number, next: Uint32Array): void {
  next.fill(0);
  for (const ordinals of sources) countPlaces(ordinals, first - 1, next);
  for (let i = 1; i < next.length; i++) next[i]! += next[i - 1]!;
}

function countPlaces(ordinals: Uint32Array, shift: number, ends: Uint32Array): void {
  for (let i = 0; i < ordinals.length; i++) ends[ordinals[i]! - shift]!++;
}

/** See Kernels.placeEvents. */
export function placeEvents(
  ordinals: Uint32Array,
  first: number,
  next: Uint32Array,
  before: number,
  { timesMs, kinds }: Omit<PlacedColumns, 'origins'>,
  target: PlacedColumns,
): void {
  const hasTimes = target.timesMs.length > 0;
  for (let i = 0; i < ordinals.length; i++) {
    const place = next[ordinals[i]! - first]!++;
    if (hasTimes) target.timesMs[place] = timesMs[i]!;
    target.kinds[place] = kinds[i]!;
    target.origins[place] = before + i;
  }
}

/** See Kernels.keepFilled. */
export function keepFilled(ends: Uint32Array, first: number, ordinals: Uint32Array): number {
  let count = 0;
  let end = 0;
  for (let u = 0; u < ends.length - 1; u++) {
    const start = end;
    end = ends[u]!;
    ordinals[count] = first + u;
    ends[count] = start;
    count += end > start ? 1 : 0;
  }
  ends[count] = end;
  return count;
}
