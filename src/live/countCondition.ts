import type { Bitset } from '../base/bitset.ts';
import { type CalendarDays, calendarDaysOf } from '../query/calendarDays.ts';
import { type Comparison, compare, type EventCriterion, type Measure } from '../query/criterion.ts';
import { type CompiledFilter, compileFilter, matchesEvent } from '../query/filter.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition, LiveEvent } from './condition.ts';
import { type SlidingWindow, slidingWindow } from './slidingWindow.ts';
import { isTimed } from './timedTest.ts';
import { TimesTable } from './timesTable.ts';
import { userEvents } from './userEvents.ts';

export interface CountCriterion extends EventCriterion {
  readonly measure: Extract<Measure, { readonly kind: 'count' | 'days' }>;
}

/** More times than this a user are not worth keeping: such counts are recomputed. */
const TIMES_KEPT_MAX = 64;

/** One user's times: those kept, one still to come, and one just arriving. */
const times = new Float64Array(TIMES_KEPT_MAX + 2);

/**
 * "So many times", or on so many days, "within such a window", answered from the latest matching times of a user, as many as the comparison
 * can tell apart: the count is at least n until the n-th latest time leaves the window. Of the events that the window
 * has not reached yet, which are rare (dated in the future, or `to` is relative), only the earliest time is kept; when
 * it is reached the user's events are read again. Of the times of one day, when days are counted, the latest stands for
 * all.
 */
export class CountCondition implements Condition {
  readonly events: ReadonlySet<string>;
  readonly readsTraits = false;
  readonly isTimed = true;
  readonly strategy = 'incremental';
  readonly #view: TabletView;
  readonly #comparison: Comparison;
  readonly #window: SlidingWindow;
  readonly #filter: CompiledFilter;
  readonly #kept: number;
  readonly #days: CalendarDays | undefined;
  readonly #times = new TimesTable();

  constructor(view: TabletView, criterion: CountCriterion) {
    this.#view = view;
    this.#filter = compileFilter(criterion.filter, { atMs: view.clockMs, zone: view.settings.timezone });
    this.events = this.#filter.events;
    this.#comparison = criterion.measure.compare;
    this.#days = criterion.measure.kind === 'days' ? calendarDaysOf(view.settings.timezone) : undefined;
    this.#window = slidingWindow(criterion.within, view.settings);
    const isEmpty = this.#window.delayMs >= this.#window.spanMs;
    this.#kept = isEmpty ? 0 : timesToKeep(this.#comparison);
  }

  get memoryBytes(): number {
    return this.#times.memoryBytes;
  }

  isTrue(ordinal: number, atMs: number): boolean {
    return this.#isTrueWith(this.#times.read(ordinal, times), atMs);
  }

  nextChangeMs(ordinal: number, afterMs: number): number {
    const { delayMs, spanMs } = this.#window;
    const known = this.#times.read(ordinal, times);
    const reached = countUpTo(known, afterMs - delayMs);
    const changeMs = reached < known ? times[reached] + delayMs : Number.POSITIVE_INFINITY;
    const left = countUpTo(known, afterMs - spanMs);
    const isTrue = compare(this.#comparison, reached - left);
    for (let i = left; i < reached; i++) {
      if (compare(this.#comparison, reached - 1 - i) !== isTrue) return Math.min(changeMs, times[i] + spanMs);
    }
    return changeMs;
  }

  onMoment(ordinal: number, atMs: number): void {
    const known = this.#times.read(ordinal, times);
    if (!times.subarray(0, known).includes(atMs - this.#window.delayMs)) return;
    this.clear(ordinal);
    for (const event of userEvents(this.#view, ordinal)) this.onEvent(ordinal, event, atMs);
  }

  onEvent(ordinal: number, { event, timeMs, property }: LiveEvent, clockMs: number): boolean {
    const { fromMs, toMs, delayMs, spanMs } = this.#window;
    const expiredMs = clockMs - spanMs;
    if (timeMs < fromMs || timeMs >= toMs || timeMs <= expiredMs || this.#kept === 0) return false;
    if (!matchesEvent(this.#filter, event, property)) return false;
    let known = this.#times.read(ordinal, times);
    const wasTrue = this.#isTrueWith(known, clockMs);
    if (this.#days !== undefined) {
      const dropped = dropEarlierOfDay(this.#days, known, timeMs, clockMs - delayMs);
      if (dropped === undefined) return false;
      known -= dropped;
    }
    let place = known++;
    for (; place > 0 && times[place - 1] > timeMs; place--) times[place] = times[place - 1];
    times[place] = timeMs;
    const reached = countUpTo(known, clockMs - delayMs);
    const from = Math.max(countUpTo(known, expiredMs), reached - this.#kept);
    const isTrue = this.#isTrueWith(known, clockMs);
    this.#times.write(ordinal, times, from, Math.min(known, reached + 1), expiredMs);
    return isTrue !== wasTrue || reached < known; // else one more time can only postpone the next change
  }

  inherit(parent: CountCondition, here: Bitset): Generator<void> {
    return this.#times.inherit(parent.#times, here);
  }

  clear(ordinal: number): void {
    this.#times.write(ordinal, times, 0, 0, Number.NEGATIVE_INFINITY);
  }

  #isTrueWith(known: number, atMs: number): boolean {
    const { delayMs, spanMs } = this.#window;
    return compare(this.#comparison, countUpTo(known, atMs - delayMs) - countUpTo(known, atMs - spanMs));
  }
}

/** Whether the state would be small, and the same whenever it is asked for. */
export function canKeepTimes(criterion: EventCriterion): criterion is CountCriterion {
  const { filter, measure } = criterion;
  const isTimeless = filter.where.flat().every(({ test }) => !isTimed(test));
  return (
    isTimeless &&
    (measure.kind === 'count' || measure.kind === 'days') &&
    timesToKeep(measure.compare) <= TIMES_KEPT_MAX
  );
}

/** The smallest number beyond which the comparison gives one answer. */
function timesToKeep(comparison: Comparison): number {
  switch (comparison.op) {
    case 'gte':
    case 'lt':
      return Math.max(0, Math.ceil(comparison.value));
    case 'between':
      return Math.max(0, Math.floor(comparison.high) + 1);
    default:
      return Math.max(0, Math.floor(comparison.value) + 1);
  }
}

/**
 * Makes room among times[0, known) for one more of its day: how many it dropped, or undefined when a later one of that
 * day is there already. Times after `reachedMs`, which do not count yet, stay.
 */
function dropEarlierOfDay(
  days: CalendarDays,
  known: number,
  timeMs: number,
  reachedMs: number,
): number | undefined {
  if (timeMs > reachedMs) return 0;
  const day = days.of(timeMs);
  for (let i = countUpTo(known, reachedMs) - 1; i >= 0; i--) {
    if (days.of(times[i]) !== day) continue;
    if (times[i] >= timeMs) return undefined;
    times.copyWithin(i, i + 1, known);
    return 1;
  }
  return 0;
}

/** How many of times[0, known), ascending, are at or before the moment. */
function countUpTo(known: number, momentMs: number): number {
  let count = known;
  while (count > 0 && times[count - 1] > momentMs) count--;
  return count;
}
