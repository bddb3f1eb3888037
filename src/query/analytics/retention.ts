import { badRequest } from '../../base/errors.ts';
import {
  CARRIED_BYTES_MAX,
  DAY_MS,
  RETENTION_NUMBERS_MAX,
  RETENTION_PERIODS_MAX,
} from '../../base/limits.ts';
import { arraysOf } from '../../base/memoryBudget.ts';
import { isoTime } from '../../base/time.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { type CohortCounts, type IntervalTable, NO_COHORT } from '../../encoding/kernels/kernels.ts';
import type { EventFilter } from '../criterion.ts';
import type { EventPage } from '../eventPage.ts';
import { eventPages } from '../eventPages.ts';
import { type WantedEvents, wantedEvents } from '../filter.ts';
import { type Interval, type Intervals, intervalsOf, parseInterval } from '../intervals.ts';
import type { Span } from '../predicate.ts';
import { mayMatch } from '../selectRows.ts';
import { asWholeNumber } from '../shape.ts';
import type { Analysis, AnalysisContext } from './analysis.ts';
import { eventBatches } from './eventBatches.ts';
import { frameSpan, parseEventFilter } from './frameEvents.ts';
import { eventsOfUsers, type UserWalker, walkUsersSteps } from './userWalk.ts';

export interface RetentionRequest {
  readonly start: EventFilter;
  readonly return: EventFilter;
  readonly interval: Interval;
  /** Intervals after a cohort's own. */
  readonly periods: number;
}

/** Of one tablet: a cohort for each interval of its own range. */
export interface RetentionPart {
  /** When each begins, ascending. */
  readonly startsMs: Float64Array;
  readonly sizes: Uint32Array;
  /** Of cohort c in its k-th interval: returned[c · (periods + 1) + k]. */
  readonly returned: Uint32Array;
}

export interface RetentionResult {
  readonly cohorts: readonly {
    readonly t: string;
    readonly size: number;
    /** Users with a return event in the cohort's own interval, the next one, and so on. */
    readonly returned: readonly number[];
  }[];
}

/** How many of those who began in an interval came back in each of the intervals after it. */
export const retention: Analysis<RetentionRequest, RetentionPart, RetentionResult> = {
  keys: ['start', 'return', 'interval', 'periods'],

  parse: (params) => ({
    start: parseEventFilter(params.start, 'start'),
    return: parseEventFilter(params.return, 'return'),
    interval: parseInterval(params.interval, 'interval', ['day', 'week', 'month']),
    periods: asWholeNumber(params.periods, 'periods', { from: 0, to: RETENTION_PERIODS_MAX }),
  }),

  *map(context, { start, return: back, interval, periods }) {
    const { view, frame, users, stats } = context;
    const span = frameSpan(context);
    const starts = wantedEvents(view.schema, start, span, frame);
    const range = { interval, zone: frame.zone, ...(yield* occupiedSteps(context, starts)) };
    const cohortCount = intervalsOf(range).count;
    checkSize(cohortCount, periods);
    const intervals = intervalsOf({ ...range, more: periods });
    const part = newPart(intervals.startsMs.subarray(0, cohortCount), periods);
    if (cohortCount === 0) return part;
    // Who began before `to` may come back after it.
    const returnSpan = { fromMs: range.fromMs, toMs: Math.min(frame.atMs + 1, intervals.endMs) };
    const kinds = [starts, wantedEvents(view.schema, back, returnSpan, frame)];
    const bytes = users.size * CARRIED_USER_BYTES;
    view.budget?.charge(bytes);
    const arrays = arraysOf(view.budget);
    const table = intervals.table(arrays);
    const counts: CohortCounts = {
      cohorts: arrays.words(users.size).fill(NO_COHORT),
      countedMs: arrays.numbers(users.size),
      sizes: arrays.counts(part.sizes.length),
      returned: arrays.counts(part.returned.length),
    };
    const inEras = bytes <= CARRIED_BYTES_MAX;
    const walker = new CohortWalker(table, periods, counts);
    yield* eventPages({ view, kinds, users, stats, inEras }, (page) => walkUsersSteps(page, walker));
    part.sizes.set(counts.sizes);
    part.returned.set(counts.returned);
    arrays.giveBack(table.startsMs, table.ofPiece, ...Object.values(counts));
    view.budget?.release(bytes);
    return part;
  },

  *reduce(parts, { interval, periods }, { zone }) {
    let fromMs = Infinity;
    let lastMs = -Infinity;
    for (const { startsMs, sizes } of parts) {
      for (const [cohort, startMs] of startsMs.entries()) {
        if (sizes[cohort] === 0) continue;
        fromMs = Math.min(fromMs, startMs);
        lastMs = Math.max(lastMs, startMs);
      }
    }
    const cohorts = intervalsOf({ interval, zone, fromMs, toMs: lastMs + 1 });
    checkSize(cohorts.count, periods);
    const total = newPart(cohorts.startsMs.subarray(0, cohorts.count), periods);
    for (const part of parts) yield* addSteps(total, cohorts, part);
    const width = periods + 1;
    return {
      cohorts: Array.from(total.startsMs, (startMs, cohort) => ({
        t: isoTime(startMs),
        size: total.sizes[cohort]!,
        returned: [...total.returned.subarray(cohort * width, (cohort + 1) * width)],
      })),
    };
  },
};

/**
 * The part of the span in which the tablet has such events, as far as its parts say; where that is very long, as the
 * events do: a clock that is off by decades must not make all days since then cohorts.
 */
function* occupiedSteps(
  { view, users, stats }: AnalysisContext,
  wanted: WantedEvents,
): Generator<void, Span> {
  const parts = view.events.parts().filter((part) => mayMatch(part, wanted));
  let firstMs = parts.reduce((least, { timeMinMs }) => Math.min(least, timeMinMs), Infinity);
  let lastMs = parts.reduce((greatest, { timeMaxMs }) => Math.max(greatest, timeMaxMs), -Infinity);
  if (Math.min(wanted.toMs, lastMs) - Math.max(wanted.fromMs, firstMs) > LONG_MS) {
    [firstMs, lastMs] = [Infinity, -Infinity];
    yield* eventBatches({ view, kinds: [wanted], users, stats }, ({ timesMs, count }) => {
      for (let i = 0; i < count; i++) {
        firstMs = Math.min(firstMs, timesMs[i]!);
        lastMs = Math.max(lastMs, timesMs[i]!);
      }
    });
  }
  return { fromMs: Math.max(wanted.fromMs, firstMs), toMs: Math.min(wanted.toMs, lastMs + 1) };
}

const LONG_MS = 3 * 365 * DAY_MS;

function checkSize(cohortCount: number, periods: number): void {
  if (cohortCount * (periods + 1) <= RETENTION_NUMBERS_MAX) return;
  const message = `the answer has more than ${RETENTION_NUMBERS_MAX} numbers: ask for longer intervals, a shorter range or fewer periods`;
  throw badRequest(message, 'periods');
}

function newPart(startsMs: Float64Array, periods: number): RetentionPart {
  return {
    startsMs: startsMs.slice(),
    sizes: new Uint32Array(startsMs.length),
    returned: new Uint32Array(startsMs.length * (periods + 1)),
  };
}

function* addSteps(total: RetentionPart, cohorts: Intervals, part: RetentionPart): Generator<void, void> {
  const width = total.returned.length / total.sizes.length;
  for (const [cohort, startMs] of part.startsMs.entries()) {
    if (part.sizes[cohort] === 0) continue;
    const target = cohorts.indexOf(startMs);
    total.sizes[target]! += part.sizes[cohort]!;
    for (let k = 0; k < width; k++) total.returned[target * width + k]! += part.returned[cohort * width + k]!;
    if (cohort % COHORTS_PER_STEP === 0) yield;
  }
}

const COHORTS_PER_STEP = 256;

/** Of a user's cohort, and of what has been counted of it. */
const CARRIED_USER_BYTES = 12;

/** Has users counted in their cohorts; of what was before the kernel knows by ordinal. */
class CohortWalker implements UserWalker {
  readonly #intervals: IntervalTable;
  readonly #periods: number;
  readonly #counts: CohortCounts;
  #user = 0;

  constructor(intervals: IntervalTable, periods: number, counts: CohortCounts) {
    this.#intervals = intervals;
    this.#periods = periods;
    this.#counts = counts;
  }

  walkUsers(page: EventPage, from: number, to: number): void {
    kernels().countCohorts(eventsOfUsers(page, from, to), this.#intervals, this.#periods, this.#counts);
  }

  begin(_page: EventPage, user: number): void {
    this.#user = user;
  }

  walk(page: EventPage, from: number, to: number): void {
    const events = { ...eventsOfUsers(page, this.#user, this.#user + 1), starts: Uint32Array.of(from, to) };
    kernels().countCohorts(events, this.#intervals, this.#periods, this.#counts);
  }

  end(): void {}
}
