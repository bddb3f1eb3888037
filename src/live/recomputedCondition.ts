import type { EventCriterion } from '../query/criterion.ts';
import { evaluateUser } from '../query/evaluateUser.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition, LiveEvent } from './condition.ts';
import { type SlidingWindow, slidingWindow } from './slidingWindow.ts';
import { changeOffsetsMs, nextTestChangeMs } from './timedTest.ts';
import { userEvents } from './userEvents.ts';

/**
 * A criterion about events for which no small state would do: it keeps nothing and reads the user's events each time
 * it is asked. Still exact: it is asked again whenever an event enters or leaves its window, or a test of one of its
 * properties (`withinLast` and the like) may change.
 */
export class RecomputedCondition implements Condition {
  readonly events: ReadonlySet<string>;
  readonly readsTraits = false;
  readonly isTimed = true;
  readonly strategy = 'recomputed';
  readonly memoryBytes = 0;
  readonly #view: TabletView;
  readonly #criterion: EventCriterion;
  readonly #window: SlidingWindow;
  readonly #timedTests: readonly { readonly prop: string; readonly offsetsMs: readonly number[] }[];

  constructor(view: TabletView, criterion: EventCriterion) {
    this.#view = view;
    this.#criterion = criterion;
    this.events = new Set(criterion.filter.events);
    this.#window = slidingWindow(criterion.within, view.settings);
    this.#timedTests = criterion.filter.where
      .flat()
      .map(({ prop, test }) => ({ prop, offsetsMs: changeOffsetsMs(test) }))
      .filter(({ offsetsMs }) => offsetsMs.length > 0);
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
    const { delayMs, spanMs } = this.#window;
    const zone = this.#view.settings.timezone;
    const moments = this.#timedTests.map(({ prop, offsetsMs }) =>
      nextTestChangeMs(property(prop), offsetsMs, zone, afterMs),
    );
    return Math.min(...moments, ...[timeMs + delayMs, timeMs + spanMs].filter((at) => at > afterMs));
  }
}
