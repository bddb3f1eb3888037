import type { EventCriterion, PropertyTest, SequenceCriterion } from '../query/criterion.ts';
import { evaluateUser } from '../query/evaluateUser.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition, LiveEvent } from './condition.ts';
import { type SlidingWindow, slidingWindow } from './slidingWindow.ts';
import { isTimed, nextTestChangeMs } from './timedTest.ts';
import { userEvents } from './userEvents.ts';

/**
 * A criterion about events for which no small state would do: it keeps nothing and reads the user's events each time
 * it is asked. Still exact: it is asked again whenever an event enters or leaves a window of the criterion or the
 * retention, or a test of one of its properties (`withinLast` and the like) may change.
 */
export class RecomputedCondition implements Condition {
  readonly events: ReadonlySet<string>;
  readonly readsTraits = false;
  readonly isTimed = true;
  readonly strategy = 'recomputed';
  readonly memoryBytes = 0;
  readonly #view: TabletView;
  readonly #criterion: EventCriterion | SequenceCriterion;
  readonly #windows: readonly SlidingWindow[];
  readonly #timedTests: readonly PropertyTest[];

  constructor(view: TabletView, criterion: EventCriterion | SequenceCriterion) {
    const filters =
      criterion.kind === 'event' ? [criterion.filter] : criterion.steps.map(({ filter }) => filter);
    this.#view = view;
    this.#criterion = criterion;
    this.events = new Set(filters.flatMap(({ events }) => events));
    this.#windows = windowsOf(criterion, view);
    this.#timedTests = [...filters.flatMap(({ where }) => where.flat()), ...testsOfMeasure(criterion)].filter(
      ({ test }) => isTimed(test),
    );
  }

  isTrue(ordinal: number, atMs: number): boolean {
    return evaluateUser(this.#view, this.#criterion, ordinal, { atMs, nowMs: atMs });
  }

  nextChangeMs(ordinal: number, afterMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const event of userEvents(this.#view, ordinal)) {
      if (this.events.has(event.event)) nextMs = Math.min(nextMs, this.#nextOfEventMs(event, afterMs));
    }
    return nextMs;
  }

  onMoment(): void {}

  onEvent(): boolean {
    return true;
  }

  *inherit(): Generator<void> {}

  clear(): void {}

  #nextOfEventMs({ timeMs, property }: LiveEvent, afterMs: number): number {
    const zone = this.#view.settings.timezone;
    const ofTests = this.#timedTests.map(({ prop, test }) =>
      nextTestChangeMs(property(prop), test, zone, afterMs),
    );
    const ofWindows = this.#windows
      .flatMap(({ delayMs, spanMs }) => [timeMs + delayMs, timeMs + spanMs])
      .filter((atMs) => atMs > afterMs);
    return Math.min(...ofTests, ...ofWindows);
  }
}

/** Where an event may begin or end to count, or to be the first one of a sequence. */
function windowsOf(
  criterion: EventCriterion | SequenceCriterion,
  view: TabletView,
): readonly SlidingWindow[] {
  const { settings } = view;
  if (criterion.kind === 'sequence')
    return [slidingWindow(undefined, settings), slidingWindow(criterion.within, settings)];
  return [slidingWindow(criterion.within, settings)];
}

function testsOfMeasure(criterion: EventCriterion | SequenceCriterion): readonly PropertyTest[] {
  if (criterion.kind !== 'event' || criterion.measure.kind !== 'lastValue') return [];
  return [criterion.measure];
}
