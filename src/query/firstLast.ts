import { assert } from '../base/assert.ts';
import { DAY_MS } from '../base/limits.ts';
import { parseTime } from '../base/time.ts';
import type { Criterion, EventCriterion, EventFilter, Measure, TimePoint, Within } from './criterion.ts';

export type FirstLastMeasure = Extract<Measure, { readonly kind: 'first' | 'last' }>;

/**
 * A criterion about a user's first or last match, said by whether there are matches at all: the first lies in [from, to)
 * when one does and none is before; the last, when one is at or after `from` and none is at or after `to`.
 */
export function byMatches(filter: EventFilter, { kind, within }: FirstLastMeasure): Criterion {
  const { from, to } = endsOf(within);
  return kind === 'first'
    ? butNot(hasMatch(filter, { from, to }), from && hasMatch(filter, { from: undefined, to: from }))
    : butNot(hasMatch(filter, { from, to: undefined }), to && hasMatch(filter, { from: to, to: undefined }));
}

interface Ends {
  readonly from: TimePoint | undefined;
  readonly to: TimePoint | undefined;
}

function hasMatch(filter: EventFilter, { from, to }: Ends): EventCriterion {
  const within: Within | undefined =
    from === undefined && to === undefined ? undefined : { kind: 'range', from, to };
  return { kind: 'event', filter, within, measure: { kind: 'count', compare: { op: 'gte', value: 1 } } };
}

function butNot(criterion: Criterion, excluded: Criterion | undefined): Criterion {
  if (excluded === undefined) return criterion;
  return { kind: 'and', criteria: [criterion, { kind: 'not', criterion: excluded }] };
}

/** As [from, to), as far as events are not later than the moment. */
function endsOf(within: Within): Ends {
  switch (within.kind) {
    case 'range':
      return within;
    case 'last': // after at - duration
      return { from: { kind: 'relative', agoMs: within.durationMs - 1 }, to: undefined };
    case 'on': {
      const startMs = parseTime(within.date, 'utc');
      assert(startMs !== undefined, 'a date was checked when the segment was parsed');
      const nextDate = new Date(startMs + DAY_MS).toISOString().slice(0, 10);
      return { from: { kind: 'absolute', text: within.date }, to: { kind: 'absolute', text: nextDate } };
    }
  }
}
