import type { EventPage } from '../eventPage.ts';
import { pagesOf, selectPartsSteps } from '../eventPages.ts';
import type { WantedEvents } from '../filter.ts';
import { canonicalSteps, mergedIntoSteps } from '../mergedEvents.ts';
import { giveBackSelection } from '../partSelection.ts';
import { apartSpans } from './apartSpans.ts';
import type { CellPart } from './cellValues.ts';
import { eventBatches, type WholeParts } from './eventBatches.ts';
import { EventNumbers } from './eventNumbers.ts';
import { KeyIds } from './keyIds.ts';
import { earliestOf, KeyCounter, type KeySketch, surveyKeys } from './keySurvey.ts';
import { PlacedCodes } from './placedCodes.ts';
import type { KeyWeights } from './topKeys.ts';
import { type Events, Wide, type WideOptions, type WidePart } from './wideCells.ts';

export interface WideSketch extends KeySketch {
  /** Undefined when it were too much. */
  readonly wide: WidePart | undefined;
}

/** One walk of the events, for what a survey is to tell, and, unless it is too much, for all there is to know. */
export function* wideSteps(options: WideOptions): Generator<void, WideSketch> {
  const { view, kinds, measure, source, users, intervals } = options;
  const ids = source && new KeyIds(view, source);
  const numbers = new EventNumbers(view, measure.prop);
  // Events are counted by key anyway, unless that were too much.
  const counter = ids && measure.kind !== 'events' ? new KeyCounter(ids, kinds.length) : undefined;
  const wide = new Wide(options, ids);
  let earliestMs = Number.POSITIVE_INFINITY;
  let ownIds = new Uint32Array(0);
  const add = (events: Events, read: (ids: Uint32Array) => void) => {
    earliestMs = Math.min(earliestMs, earliestOf(events.timesMs, events.count));
    if (ownIds.length < events.count) ownIds = new Uint32Array(events.count);
    read(ownIds);
    counter?.add(ownIds, events.kinds, events.count);
    wide.add(events, ownIds, numbers.numbers);
  };
  const placed = new PlacedCodes(ids, intervals, view.budget);
  if (measure.kind === 'users') {
    const merged = yield* mergedIntoSteps(view, users);
    // What merged users did lies under several ordinals.
    const whole = merged && (yield* canonicalSteps(view, merged));
    const others = whole === undefined ? users : users.copy().andNot(whole);
    const visit = (page: EventPage) => add({ ...eventsOf(page), page }, (own) => ids?.readPage(page, own));
    for (const spanKinds of kindsBySpan(options)) {
      const pages = { ...options, kinds: spanKinds };
      const selections = yield* selectPartsSteps(pages);
      const [only] = selections;
      if (only !== undefined && selections.length === 1 && placed.takes(only.part)) {
        if (whole !== undefined) {
          const ofWhole = { ...only, any: only.any.copy() };
          yield* pagesOf({ ...pages, users: whole }, [ofWhole], merged, visit);
        }
        if (others.count() < view.users.count) only.part.andUsers(only.any, others);
        for (const [kind, rows] of only.byKind.entries()) {
          if (rows === undefined) continue;
          earliestMs = Math.min(
            earliestMs,
            yield* wide.addUsersSteps(kind, only.part, rows.and(only.any), placed, counter),
          );
        }
        giveBackSelection(view.budget, only);
        continue;
      }
      yield* pagesOf(pages, selections, merged, visit);
      for (const selection of selections) giveBackSelection(view.budget, selection);
    }
  } else {
    const needsUsers = source?.source === 'profile';
    const whole: WholeParts = {
      takes: (part) => placed.takes(part),
      *addSteps(part, byKind) {
        for (const [kind, rows] of byKind.entries()) {
          if (rows === undefined) continue;
          const steps =
            measure.kind === 'events'
              ? wide.addEventsSteps(kind, part, rows, placed)
              : wide.addNumbersSteps(kind, part, rows, placed, numbers, counter);
          earliestMs = Math.min(earliestMs, yield* steps);
        }
      },
    };
    yield* eventBatches({ ...options, needsUsers, whole }, (batch) => {
      numbers.readBatch(batch);
      add(batch, (own) => ids?.readBatch(batch, own));
    });
  }
  const part = wide.part();
  if (source === undefined) return { earliestMs, weights: [], wide: part };
  if (counter !== undefined) return { earliestMs, weights: [yield* counter.weightsSteps()], wide: part };
  if (part === undefined) return { ...(yield* surveyKeys(options, [source])), wide: part };
  return { earliestMs, weights: [part.events.map(({ cells }) => weightsOf(part, cells))], wide: part };
}

/** How many events have each key. */
function weightsOf({ keys, startsMs }: WidePart, { values }: CellPart): KeyWeights {
  const count = startsMs.length - 1;
  const totals = keys.map((_, key) =>
    values.subarray(key * count, (key + 1) * count).reduce((sum, events) => sum + events, 0),
  );
  const own = [...keys.keys()].filter((key) => totals[key]! > 0);
  return { keys: own.map((key) => keys[key]), weights: own.map((key) => totals[key]!) };
}

/** The kinds, or for each span of intervals that can be walked on its own the kinds of events in it. */
function kindsBySpan({ view, kinds, intervals }: WideOptions): readonly (readonly WantedEvents[])[] {
  if (intervals === undefined || intervals.count === 0) return [kinds];
  return apartSpans(view.events.parts(), intervals).map((span) =>
    kinds.map((kind) => ({
      ...kind,
      fromMs: Math.max(kind.fromMs, span.fromMs),
      toMs: Math.min(kind.toMs, span.toMs),
    })),
  );
}

function eventsOf({ eventCount, timesMs, kinds }: EventPage): Events {
  return { count: eventCount, timesMs, kinds };
}
