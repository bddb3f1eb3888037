import type { Bitset } from '../base/bitset.ts';
import { arraysOf, arraysUntilClosed } from '../base/memoryBudget.ts';
import type { TabletView } from '../store/view.ts';
import { areApart, EventPage } from './eventPage.ts';
import type { WantedEvents } from './filter.ts';
import { canonicalSteps, mergedEventsSteps, mergedIntoSteps } from './mergedEvents.ts';
import { PartEvents, type ReadableEvents } from './partEvents.ts';
import { giveBackSelection, type PartSelection, selectKindsSteps } from './partSelection.ts';
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
  /**
   * For whoever can go on with a user later: a user may be on several pages, the earlier events on the earlier page. Parts
   * whose times lie apart are then walked one after another, and need not be brought together.
   */
  readonly inEras?: boolean;
  /** False for whoever does not ask when a page's events were. */
  readonly needsTimes?: boolean;
  /** Fewer for tests: cutting changes no answer. */
  readonly pageOrdinals?: number;
}

/**
 * Walks the wanted events of a tablet user by user. `visit` is given a page of users at a time, with all that each of
 * them did, unless it is in eras, and must be done with it when it returns, or when the steps that it returns are done: one
 * user's events may be very many. In small steps; only a page is held in memory, and the events that merged users did
 * under their old ids.
 */
export function* eventPages(options: EventPagesOptions, visit: PageVisit): Generator<void, void> {
  const selections = yield* selectPartsSteps(options);
  const merged = yield* mergedIntoSteps(options.view, options.users);
  yield* pagesOf(options, selections, merged, visit);
  for (const selection of selections) giveBackSelection(options.view.budget, selection);
}

/** The wanted rows of all parts that have any, whoever's they are. */
export function* selectPartsSteps(options: EventPagesOptions): Generator<void, PartSelection[]> {
  const { view, kinds, stats } = options;
  const selections: PartSelection[] = [];
  for (const part of view.events.parts()) {
    const selection = yield* selectKindsSteps(view, part, kinds, stats);
    if (selection !== undefined) selections.push(selection);
  }
  return selections;
}

/** The same as eventPages of what is selected already; `merged` are the ordinals that were merged into users, if any. */
export function* pagesOf(
  options: EventPagesOptions,
  selections: PartSelection[],
  merged: Bitset | undefined,
  visit: PageVisit,
): Generator<void, void> {
  const { view } = options;
  const users = options.users.count() < view.users.count ? options.users : undefined;
  const eras = erasOf(selections);
  if (eras.length === selections.length) selections.sort(byTime);
  if (options.inEras !== true || eras.length <= 1) {
    yield* selectionPages(options, selections, users, merged, visit);
    return;
  }
  // What merged users did may be of any era.
  const whole = merged && (yield* canonicalSteps(view, merged));
  const others = whole === undefined ? users : options.users.copy().andNot(whole);
  if (whole !== undefined) {
    const copies = selections.map((each) => ({ ...each, any: each.any.copy() }));
    yield* selectionPages(options, copies, whole, merged, visit);
  }
  for (const era of eras) yield* selectionPages(options, era, others, undefined, visit);
}

export type PageVisit = (page: EventPage) => void | Generator<void, void>;

/** Of these rows of parts. `users`: undefined for all. `merged`: ordinals that were merged into users; undefined for none. */
function* selectionPages(
  { view, needsTimes = true, pageOrdinals = PAGE_ORDINALS }: EventPagesOptions,
  selections: readonly PartSelection[],
  users: Bitset | undefined,
  merged: Bitset | undefined,
  visit: PageVisit,
): Generator<void, void> {
  const arrays = arraysOf(view.budget);
  // Before other events of equal times.
  const sources: ReadableEvents[] =
    merged === undefined ? [] : [yield* mergedEventsSteps(view, merged, selections)];
  const parts = selections.map(({ part }) => part);
  // Where they do not lie in order, times bring them into it.
  const hasTimes = needsTimes || merged !== undefined || !areApart(parts);
  for (const [index, selection] of selections.entries()) {
    if (users !== undefined) selection.part.andUsers(selection.any, users);
    const own = arraysUntilClosed(view.budget);
    const cursor = yield* selection.part.rowsByUserSteps(selection.any, selection.byKind, own);
    sources.push(new PartEvents(cursor, index, hasTimes, arrays));
  }

  const isMergedInto = merged && ((ordinal: number) => view.users.mergedInto(ordinal).length > 0);
  const page = new EventPage(parts, isMergedInto, hasTimes, view.budget);
  for (;;) {
    for (const source of sources) if (source.read()) yield;
    const from = Math.min(...sources.map(({ nextOrdinal }) => nextOrdinal));
    if (from === Infinity) break;
    // What has been read of all parts up to an ordinal of which none can have more: nothing is copied to make a page.
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
  for (const source of sources) source.release();
  page.release();
}

/** Groups of selections, in the order of time, whose times lie apart. Within a group they stay in their order. */
function erasOf(selections: readonly PartSelection[]): readonly PartSelection[][] {
  const eras: PartSelection[][] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  for (const selection of [...selections].sort(byTime)) {
    const { timeMinMs, timeMaxMs } = selection.part;
    if (timeMinMs > endMs) eras.push([]);
    eras.at(-1)!.push(selection);
    endMs = Math.max(endMs, timeMaxMs);
  }
  const place = new Map(selections.map((selection, i) => [selection, i]));
  for (const era of eras) era.sort((a, b) => place.get(a)! - place.get(b)!);
  return eras;
}

function byTime(a: PartSelection, b: PartSelection): number {
  return a.part.timeMinMs - b.part.timeMinMs;
}
