import type { Bitset } from '../base/bitset.ts';
import type { RowCursor } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import { type EventBatch, EventPage } from './eventPage.ts';
import type { WantedEvents } from './filter.ts';
import { mergedEventsSteps } from './mergedEvents.ts';
import { firstFrom, kindsOf, type PartSelection, selectKindsSteps } from './partSelection.ts';
import type { QueryStats } from './stats.ts';

/** A bit each in EventPage.kinds. */
export const EVENT_KINDS_MAX = 32;
/** Events of a page on average: what is kept of them, some 50 bytes each, stays in a near cache. */
const PAGE_EVENTS = 1 << 15;
/** With a smaller share of the users wanted, rows of the others are left out before anything is read of them. */
const FEW_USERS_SHARE = 1 / 2;

export interface EventPagesOptions {
  readonly view: TabletView;
  /** The events wanted: up to EVENT_KINDS_MAX kinds, which may overlap. */
  readonly kinds: readonly WantedEvents[];
  /** Canonical ordinals; what others did is left out. */
  readonly users: Bitset;
  readonly stats: QueryStats;
  /** Smaller ones for tests: cutting changes no answer. */
  readonly pageEvents?: number;
}

/**
 * Walks the wanted events of a tablet user by user. `visit` is given a page of users at a time, with all that each of
 * them did, and must be done with it when it returns. In small steps; only a page is held in memory, and the events
 * that merged users did under their old ids.
 */
export function* eventPages(
  { view, kinds, users, stats, pageEvents = PAGE_EVENTS }: EventPagesOptions,
  visit: (page: EventPage) => void,
): Generator<void, void> {
  const selections: PartSelection[] = [];
  for (const part of view.events.parts()) {
    const selection = yield* selectKindsSteps(view, part, kinds, stats);
    if (selection !== undefined) selections.push(selection);
  }
  const merged = yield* mergedEventsSteps(view, users, selections);
  const sources: Source[] = [];
  let eventCount = 0;
  for (const selection of selections) {
    const { part, any } = selection;
    if (users.count() < FEW_USERS_SHARE * users.size) part.andUsers(any, users);
    eventCount += any.count();
    sources.push(new Source(selection, yield* part.rowsByUserSteps(any)));
  }

  const page = new EventPage(selections.map(({ part }) => part));
  const { count } = view.users;
  const ordinalsPerPage = Math.max(1, Math.ceil((count * pageEvents) / Math.max(1, eventCount)));
  for (let from = 0; from < count; from += ordinalsPerPage) {
    const to = Math.min(from + ordinalsPerPage, count);
    page.begin(from, to);
    for (const [i, source] of sources.entries()) {
      page.beginPart(i);
      while (source.readBefore(to)) {
        page.add(source, source.from, source.to, users);
        yield;
      }
      merged[i]?.addBefore(to, page, users);
    }
    yield* page.finishSteps();
    if (page.eventCount > 0) visit(page);
    yield;
  }
}

/** What is still to be read of a part. */
class Source implements EventBatch {
  readonly ranks = undefined;
  readonly kinds: Uint32Array;
  /** The entries read last are [from, to). */
  from = 0;
  to = 0;
  readonly #cursor: RowCursor;
  readonly #byKind: PartSelection['byKind'];
  #count = 0;

  constructor({ byKind }: PartSelection, cursor: RowCursor) {
    this.#cursor = cursor;
    this.#byKind = byKind;
    this.kinds = new Uint32Array(cursor.rows.length);
  }

  get rows(): Uint32Array {
    return this.#cursor.rows;
  }

  get ordinals(): Uint32Array {
    return this.#cursor.ordinals;
  }

  get timesMs(): Float64Array {
    return this.#cursor.timesMs;
  }

  /** Reads entries of ordinals below; false when there are no more of them. */
  readBefore(ordinalEnd: number): boolean {
    if (this.to === this.#count) {
      this.#count = this.#cursor.next();
      this.to = 0;
      kindsOf(this.#byKind, this.rows, this.#count, this.kinds);
    }
    this.from = this.to;
    this.to = firstFrom(this.ordinals, this.from, this.#count, ordinalEnd);
    return this.to > this.from;
  }
}
