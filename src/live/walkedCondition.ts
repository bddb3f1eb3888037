import { unreachable } from '../base/assert.ts';
import type { EventCriterion, EventFilter, SequenceCriterion, Within } from '../query/criterion.ts';
import { type CompiledFilter, compileFilter, matchesEvent } from '../query/filter.ts';
import {
  compileMeasure,
  compileSequence,
  holdsOfNothing,
  type MeasureOfValues,
  propsOf,
  questionOf,
  type WalkMeasure,
} from '../query/measures/measure.ts';
import { type Moment, type Span, windowSpan } from '../query/predicate.ts';
import { visibleFromMs } from '../query/users.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition, LiveEvent } from './condition.ts';
import { LiveColumns, LiveColumnsCache } from './liveColumns.ts';
import { type SlidingWindow, slidingWindow } from './slidingWindow.ts';
import { isTimed } from './timedTest.ts';
import { userEvents } from './userEvents.ts';

export type WalkedCriterion = (EventCriterion & { readonly measure: MeasureOfValues }) | SequenceCriterion;

/**
 * A measure or a sequence, asked of the user's matches each time. They are read from the trail, and those of users who
 * were asked about lately are remembered, as far as there is room: then another event costs little more than the measure
 * itself. It is asked again whenever a match comes, or enters or leaves a window of the criterion or the retention.
 */
export class WalkedCondition implements Condition {
  readonly events: ReadonlySet<string>;
  readonly readsTraits = false;
  readonly isTimed = true;
  readonly strategy = 'recomputed';
  readonly #view: TabletView;
  readonly #criterion: WalkedCriterion;
  readonly #filters: readonly CompiledFilter[];
  readonly #windows: readonly SlidingWindow[];
  readonly #props: ReturnType<typeof propsOf>;
  readonly #cache = new LiveColumnsCache();

  constructor(view: TabletView, criterion: WalkedCriterion) {
    const { settings, clockMs } = view;
    const moment = { atMs: clockMs, zone: settings.timezone };
    const within = slidingWindow(criterion.within, settings);
    this.#view = view;
    this.#criterion = criterion;
    this.#filters = filtersOf(criterion).map((filter) => compileFilter(filter, moment));
    this.events = new Set(this.#filters.flatMap(({ events }) => [...events]));
    this.#windows = criterion.kind === 'event' ? [within] : [slidingWindow(undefined, settings), within];
    this.#props = propsOf(this.#measureAt(moment));
  }

  get memoryBytes(): number {
    return this.#cache.memoryBytes;
  }

  isTrue(ordinal: number, atMs: number): boolean {
    const columns = this.#columnsOf(ordinal);
    const moment = { atMs, zone: this.#view.settings.timezone };
    const measure = this.#measureAt(moment);
    const { fromMs, toMs } = this.#spanAt(moment);
    const [from, to] = [columns.placeOf(fromMs), columns.placeOf(toMs)];
    if (from >= to) return holdsOfNothing(measure);
    const kinds = this.#filters.map((_, kind) => kind);
    return questionOf(measure, kinds, columns.values)(columns)(from, to);
  }

  nextChangeMs(ordinal: number, afterMs: number): number {
    const columns = this.#columnsOf(ordinal);
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { delayMs, spanMs } of this.#windows) {
      for (const offsetMs of [delayMs, spanMs]) {
        if (offsetMs === Number.POSITIVE_INFINITY) continue;
        const place = columns.placeOf(afterMs - offsetMs + 1);
        if (place < columns.count) nextMs = Math.min(nextMs, columns.timesMs[place] + offsetMs);
      }
    }
    return nextMs;
  }

  onMoment(): void {}

  onEvent(ordinal: number, event: LiveEvent): boolean {
    const kinds = this.#kindsOf(event);
    if (kinds === 0) return false;
    const columns = this.#cache.get(ordinal);
    if (columns === undefined) return true;
    // Of matches of one time those of merged users come first, whenever they arrived.
    if (columns.has(event.timeMs) && this.#view.users.mergedInto(ordinal).length > 0) {
      this.#cache.delete(ordinal);
      return true;
    }
    this.#cache.insert(columns, event, kinds);
    return true;
  }

  *inherit(): Generator<void> {}

  clear(ordinal: number): void {
    this.#cache.delete(ordinal);
  }

  #columnsOf(ordinal: number): LiveColumns {
    let columns = this.#cache.get(ordinal);
    if (columns === undefined) {
      columns = new LiveColumns(this.#props);
      for (const event of userEvents(this.#view, ordinal)) {
        const kinds = this.#kindsOf(event);
        if (kinds !== 0) columns.append(event, kinds);
      }
      this.#cache.put(ordinal, columns);
    }
    return columns;
  }

  /** A bit for each step that the event may be; for a measure, bit 0. */
  #kindsOf({ event, property }: LiveEvent): number {
    let kinds = 0;
    for (const [kind, filter] of this.#filters.entries()) {
      if (matchesEvent(filter, event, property)) kinds |= 1 << kind;
    }
    return kinds;
  }

  #measureAt(moment: Moment): WalkMeasure {
    const criterion = this.#criterion;
    switch (criterion.kind) {
      case 'event':
        return compileMeasure(criterion.measure, moment);
      case 'sequence': {
        const stepKinds = criterion.steps.map((_, step) => 1 << step);
        return compileSequence(criterion, stepKinds, moment);
      }
      default:
        return unreachable(criterion);
    }
  }

  /** Of the matches that the measure is asked about. */
  #spanAt(moment: Moment): Span {
    const within: Within | undefined = this.#criterion.kind === 'event' ? this.#criterion.within : undefined;
    const { fromMs, toMs } = windowSpan(within, moment);
    return { fromMs: Math.max(fromMs, visibleFromMs(this.#view.settings, moment.atMs)), toMs };
  }
}

/** Whether nothing but windows changes the answer by time alone. */
export function isWalked(criterion: EventCriterion | SequenceCriterion): criterion is WalkedCriterion {
  const tests = filtersOf(criterion).flatMap(({ where }) => where.flat());
  if (tests.some(({ test }) => isTimed(test))) return false;
  if (criterion.kind === 'sequence') return true;
  const { measure } = criterion;
  switch (measure.kind) {
    case 'count':
    case 'first':
    case 'last':
      return false;
    case 'lastValue':
      return !isTimed(measure.test);
    default:
      return true;
  }
}

function filtersOf(criterion: EventCriterion | SequenceCriterion): readonly EventFilter[] {
  return criterion.kind === 'event' ? [criterion.filter] : criterion.steps.map(({ filter }) => filter);
}
