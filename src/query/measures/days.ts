import type { CalendarDays } from '../calendarDays.ts';

/** Different calendar days with a match. See columns.ts. */
export function countDays(
  timesMs: Float64Array,
  kinds: Uint32Array,
  bit: number,
  from: number,
  to: number,
  days: CalendarDays,
): number {
  let count = 0;
  let latest = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) {
    if ((kinds[i]! & bit) === 0) continue;
    const day = days.of(timesMs[i]!);
    if (day === latest) continue;
    latest = day; // times ascend, and days with them
    count++;
  }
  return count;
}
