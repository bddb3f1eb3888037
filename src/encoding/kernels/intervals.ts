import { type CohortCounts, type IntervalTable, NO_COHORT, type UserEvents } from './kernels.ts';

/** Which one the time is in; it must be in one of them. */
export function intervalOf(timeMs: number, { startsMs, ofPiece, pieceMs }: IntervalTable): number {
  let interval = ofPiece[((timeMs - startsMs[0]!) / pieceMs) | 0]!;
  while (timeMs >= startsMs[interval + 1]!) interval++;
  return interval;
}

/** See Kernels.addIntervals. */
export function addIntervals(
  events: UserEvents,
  bit: number,
  intervals: IntervalTable,
  counts: Float64Array,
  latest: Float64Array,
): void {
  addChanges(events, bit, (timeMs) => intervalOf(timeMs, intervals), counts, latest);
}

/** The same of anything that later times have no less of. */
export function addChanges(
  { userCount, ordinals, starts, timesMs, kinds }: UserEvents,
  bit: number,
  numberOf: (timeMs: number) => number,
  counts: Float64Array,
  latest: Float64Array,
): void {
  for (let user = 0; user < userCount; user++) {
    const ordinal = ordinals[user]!;
    let before = latest[ordinal]!;
    let count = 0;
    for (let i = starts[user]!; i < starts[user + 1]!; i++) {
      if ((kinds[i]! & bit) === 0) continue;
      const number = numberOf(timesMs[i]!);
      count += number === before ? 0 : 1;
      before = number;
    }
    counts[ordinal]! += count;
    latest[ordinal] = before;
  }
}

/** What a kind stands for; an event may be both. */
const START = 1;
const RETURN = 2;

/** See Kernels.countCohorts. */
export function countCohorts(
  { userCount, ordinals, starts, timesMs, kinds }: UserEvents,
  intervals: IntervalTable,
  periods: number,
  { cohorts, countedMs, sizes, returned }: CohortCounts,
): void {
  const { startsMs } = intervals;
  for (let user = 0; user < userCount; user++) {
    const [from, to] = [starts[user]!, starts[user + 1]!];
    const ordinal = ordinals[user]!;
    let cohort = cohorts[ordinal]!;
    let untilMs = countedMs[ordinal]!;
    let i = from;
    if (cohort === NO_COHORT) {
      while (i < to && (kinds[i]! & START) === 0) i++;
      if (i === to) continue;
      untilMs = timesMs[i]!;
      cohort = intervalOf(untilMs, intervals);
      sizes[cohort]!++;
      // Events of the same time are not before it.
      while (i > from && timesMs[i - 1] === untilMs) i--;
    }
    const lastEndMs = startsMs[cohort + periods + 1]!;
    for (; i < to; i++) {
      const timeMs = timesMs[i]!;
      if (timeMs >= lastEndMs) break;
      if (timeMs < untilMs || (kinds[i]! & RETURN) === 0) continue;
      const interval = intervalOf(timeMs, intervals);
      returned[cohort * (periods + 1) + interval - cohort]!++;
      untilMs = startsMs[interval + 1]!;
    }
    cohorts[ordinal] = cohort;
    countedMs[ordinal] = untilMs;
  }
}
