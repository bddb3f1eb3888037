import type { Bitset } from '../base/bitset.ts';
import type { TabletView } from '../store/view.ts';
import { EventPage } from './eventPage.ts';
import type { WantedEvents } from './filter.ts';
import { mergedEventsSteps } from './mergedEvents.ts';
import { PartEvents, type ReadableEvents } from './partEvents.ts';
import { type PartSelection, selectKindsSteps } from './partSelection.ts';
import type { QueryStats } from './stats.ts';

/** A bit each in EventPage.kinds. */
export const EVENT_KINDS_MAX = 32;
/** Ordinals of a page: what is kept of each, 8 bytes, stays in a near cache. */
const PAGE_ORDINALS = 1 << 15;

export interface EventPagesOptions {
  readonly view: TabletView;
  /** The events wanted: up to EVENT_KINDS_MAX kinds, which may overlap. */
  readonly kinds: readonly WantedEvents[];
  /** Canonical ordinals; what others did is left out. */
  readonly users: Bitset;
  readonly stats: QueryStats;
  /** Fewer for tests: cutting changes no answer. */
  readonly pageOrdinals?: number;
}

/**
 * Walks the wanted events of a tablet user by user. `visit` is given a page of users at a time, with all that each of
 * them did, and must be done with it when it returns, or when the steps that it returns are done: one user's events
 * may be very many. In small steps; only a page is held in memory, and the events that merged users did under their old
 * ids.
 *
 * A page is what has been read of all parts up to an ordinal of which none can have more, so nothing is copied to make it:
 * its events are counted, and put where they go.
 */
export function* eventPages(
  { view, kinds, users, stats, pageOrdinals = PAGE_ORDINALS }: EventPagesOptions,
  visit: (page: EventPage) => void | Generator<void, void>,
): Generator<void, void> {
  const selections: PartSelection[] = [];
  for (const part of view.events.parts()) {
    const selection = yield* selectKindsSteps(view, part, kinds, stats);
    if (selection !== undefined) selections.push(selection);
  }
  // Before other events of equal times.
  const sources: ReadableEvents[] = [yield* mergedEventsSteps(view, users, selections)];
  const isPartial = users.count() < view.users.count;
  for (const [index, selection] of selections.entries()) {
    if (isPartial) selection.part.andUsers(selection.any, users);
    const cursor = yield* selection.part.rowsByUserSteps(selection.any, selection.byKind);
    sources.push(new PartEvents(cursor, index));
  }

  const page = new EventPage(
    selections.map(({ part }) => part),
    (ordinal) => view.users.mergedInto(ordinal).length > 0,
  );
  for (;;) {
    for (const source of sources) if (source.read()) yield;
    const from = Math.min(...sources.map(({ nextOrdinal }) => nextOrdinal));
    if (from === Infinity) return;
    const to = Math.min(
      from + pageOrdinals,
      ...sources.map(({ wholeBefore }) => wholeBefore),
      view.users.count,
    );
    for (const source of sources) source.take(to);
    yield* page.fillSteps(sources, from, to);
    const steps = visit(page);
    if (steps !== undefined) yield* steps;
    yield;
  }
}
