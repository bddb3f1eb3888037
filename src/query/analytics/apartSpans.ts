import type { Part } from '../../store/part.ts';
import type { Intervals } from '../intervals.ts';
import type { Span } from '../predicate.ts';

const NO_PART = -1;
const SEVERAL_PARTS = -2;

/**
 * Cuts the intervals' time into spans of whole intervals, in order: each has events of one part alone or is of intervals
 * that several parts have events in. Parts mostly lie apart in time, and then few intervals are: the events of the others
 * need not be brought together to see all that a user did in an interval.
 */
export function apartSpans(parts: readonly Part[], intervals: Intervals): readonly Span[] {
  const { startsMs, count, endMs } = intervals;
  /** By interval. */
  const owners = new Int32Array(count).fill(NO_PART);
  for (const [place, { timeMinMs, timeMaxMs }] of parts.entries()) {
    const [fromMs, lastMs] = [Math.max(timeMinMs, startsMs[0]!), Math.min(timeMaxMs, endMs - 1)];
    if (fromMs > lastMs) continue;
    for (let i = intervals.indexOf(fromMs); i <= intervals.indexOf(lastMs); i++) {
      owners[i] = owners[i] === NO_PART ? place : SEVERAL_PARTS;
    }
  }
  const spans: Span[] = [];
  let owner = NO_PART;
  let fromMs = startsMs[0]!;
  for (let i = 0; i < count; i++) {
    const next = owners[i]!;
    if (next === NO_PART || next === owner) continue;
    if (owner !== NO_PART) {
      spans.push({ fromMs, toMs: startsMs[i]! });
      fromMs = startsMs[i]!;
    }
    owner = next;
  }
  spans.push({ fromMs, toMs: endMs });
  return spans;
}
