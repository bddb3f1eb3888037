import { isoTime } from '../../base/time.ts';
import type { JsonObject } from '../shape.ts';
import type { Edges } from './quintiles.ts';

/** A rectangle of the grid: scores of recency, and of frequency and monetary value together, both ends included. */
export interface RfmGroup {
  readonly name: string;
  readonly recency: readonly [number, number];
  readonly frequencyMonetary: readonly [number, number];
}

/** The ten usual ones, which cover the grid; those who come back soonest first. */
export const RFM_GROUPS: readonly RfmGroup[] = [
  { name: 'Champions', recency: [5, 5], frequencyMonetary: [4, 5] },
  { name: 'Loyal', recency: [3, 4], frequencyMonetary: [4, 5] },
  { name: 'Potential Loyalists', recency: [4, 5], frequencyMonetary: [2, 3] },
  { name: 'New Customers', recency: [5, 5], frequencyMonetary: [1, 1] },
  { name: 'Promising', recency: [4, 4], frequencyMonetary: [1, 1] },
  { name: 'Need Attention', recency: [3, 3], frequencyMonetary: [3, 3] },
  { name: 'About To Sleep', recency: [3, 3], frequencyMonetary: [1, 2] },
  { name: 'Cannot Lose Them', recency: [1, 2], frequencyMonetary: [5, 5] },
  { name: 'At Risk', recency: [1, 2], frequencyMonetary: [3, 4] },
  { name: 'Hibernating', recency: [1, 2], frequencyMonetary: [1, 2] },
];

/** Frequency and monetary value as one score: the mean of both, a half up. */
export function frequencyMonetaryOf(frequency: number, monetary: number): number {
  return Math.floor((frequency + monetary + 1) / 2);
}

/** Where the fifths begin that scores 2 to 5 are; Infinity where nobody has it. */
export interface RfmThresholds {
  /** Times from which on the last event gives the score. */
  readonly lastMs: readonly number[];
  readonly counts: Edges;
  /** Between the sums of the users on either side, so that it does not matter how they were added up. */
  readonly sums: readonly number[];
}

/** What all parts of the groups' definitions have in common. */
export interface RfmEvents {
  readonly event: unknown;
  readonly where: unknown;
  readonly monetary: string;
  /** Of the range; -Infinity for no beginning. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Only these users. */
  readonly segment: unknown;
}

const NOBODY: JsonObject = { not: { all: true } };

/** The group as a definition of the segment language: whoever is in it, by the same range and thresholds. */
export function segmentOf(
  { recency, frequencyMonetary }: RfmGroup,
  { lastMs, counts, sums }: RfmThresholds,
  events: RfmEvents,
): JsonObject {
  const filter = { event: events.event, ...(events.where !== undefined && { where: events.where }) };
  const span = (fromMs: number) => ({
    ...(fromMs !== Number.NEGATIVE_INFINITY && { from: iso(fromMs) }),
    to: iso(events.toMs),
  });
  const seenSince = (fromMs: number) => ({ ...filter, within: span(fromMs) });
  const criteria: JsonObject[] = [];
  if (events.segment !== undefined) {
    const isName = typeof events.segment === 'string';
    criteria.push(isName ? { segment: events.segment } : (events.segment as JsonObject));
  }
  const [lowest, highest] = recency;
  if (lowest > 1) {
    const fromMs = lastMs[lowest - 2]!;
    if (fromMs === Number.POSITIVE_INFINITY) return NOBODY;
    criteria.push(seenSince(fromMs));
  }
  const tooLateMs = highest < 5 ? lastMs[highest - 1]! : Number.POSITIVE_INFINITY;
  if (tooLateMs !== Number.POSITIVE_INFINITY) criteria.push({ not: seenSince(tooLateMs) });

  const choices: JsonObject[] = [];
  for (let frequency = 1; frequency <= 5; frequency++) {
    const count = countOf(counts, frequency);
    const monetary = monetaryRange(frequency, frequencyMonetary);
    const sum = monetary && sumOf(sums, monetary);
    if (count === undefined || sum === undefined) continue;
    const within = span(events.fromMs);
    const ofCount = { ...filter, within, count };
    choices.push(
      sum === ANY_SUM
        ? ofCount
        : { and: [ofCount, { ...filter, within, sum: { prop: events.monetary, ...sum } }] },
    );
  }
  if (choices.length === 0) return NOBODY;
  criteria.push(choices.length === 1 ? choices[0]! : { or: choices });
  return criteria.length === 1 ? criteria[0]! : { and: criteria };
}

/** Of the scores of monetary value that make the mean lie in the range beside this frequency; undefined for none. */
function monetaryRange(
  frequency: number,
  [lowest, highest]: RfmGroup['frequencyMonetary'],
): readonly [number, number] | undefined {
  const from = Math.max(1, 2 * lowest - 1 - frequency);
  const to = Math.min(5, 2 * highest - frequency);
  return from <= to ? [from, to] : undefined;
}

/** The counts that have a score; undefined for none. */
function countOf({ at, next }: Edges, score: number): JsonObject | undefined {
  const least = score === 1 ? 1 : next[score - 2]!;
  const most = score === 5 ? Number.POSITIVE_INFINITY : at[score - 1]!;
  if (least > most || least === Number.POSITIVE_INFINITY) return undefined;
  // With the greatest counts in it.
  if (score === 5 || next[score - 1] === Number.POSITIVE_INFINITY) return { gte: least };
  return least === most ? { eq: least } : { between: [least, most] };
}

const ANY_SUM: JsonObject = {};

function sumOf(sums: readonly number[], [from, to]: readonly [number, number]): JsonObject | undefined {
  const least = from === 1 ? Number.NEGATIVE_INFINITY : sums[from - 2]!;
  const end = to === 5 ? Number.POSITIVE_INFINITY : sums[to - 1]!;
  if (least === Number.POSITIVE_INFINITY || least === end) return undefined;
  if (least === Number.NEGATIVE_INFINITY) return end === Number.POSITIVE_INFINITY ? ANY_SUM : { lt: end };
  // No sum is at a threshold, so both ends may be included.
  return end === Number.POSITIVE_INFINITY ? { gte: least } : { between: [least, end] };
}

/** A short number between two, away from both. */
export function numberBetween(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  const margin = (high - low) / 4;
  for (let digits = 1; digits < 17; digits++) {
    const number = Number(middle.toPrecision(digits));
    if (number >= low + margin && number <= high - margin) return number;
  }
  return middle;
}

/** As far as four digits for the year go: there are no events before or after that. */
function iso(timeMs: number): string {
  return isoTime(Math.min(Math.max(timeMs, FIRST_MS), LAST_MS));
}

const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
