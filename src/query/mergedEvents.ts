import { Bitset } from '../base/bitset.ts';
import type { TabletView } from '../store/view.ts';
import type { EventBatch, EventPage } from './eventPage.ts';
import { firstFrom, kindsOf, type PartSelection } from './partSelection.ts';
import { ORDINALS_PER_STEP } from './users.ts';

/** What merged users did under their old ids, as events of those who stand for them: of one part, by canonical ordinal. */
export class MergedEvents implements EventBatch {
  readonly rows: Uint32Array;
  readonly ordinals: Uint32Array;
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
  readonly ranks: Uint32Array;
  #at = 0;

  constructor(events: MergedEvent[]) {
    // Sorting is stable: rows of one user stay in the order of time, then arrival.
    events.sort((a, b) => a.ordinal - b.ordinal || a.rank - b.rank);
    this.rows = Uint32Array.from(events, ({ row }) => row);
    this.ordinals = Uint32Array.from(events, ({ ordinal }) => ordinal);
    this.timesMs = Float64Array.from(events, ({ timeMs }) => timeMs);
    this.kinds = Uint32Array.from(events, ({ kinds }) => kinds);
    this.ranks = Uint32Array.from(events, ({ rank }) => rank);
  }

  /** Adds what is left of ordinals below. */
  addBefore(ordinalEnd: number, page: EventPage, wanted: Bitset): void {
    const to = firstFrom(this.ordinals, this.#at, this.ordinals.length, ordinalEnd);
    if (to > this.#at) page.add(this, this.#at, to, wanted);
    this.#at = to;
  }
}

interface MergedEvent {
  readonly ordinal: number;
  readonly rank: number;
  readonly row: number;
  readonly timeMs: number;
  readonly kinds: number;
}

/** For each selection, the wanted events of ordinals that were merged into `users`; undefined where there are none. */
export function* mergedEventsSteps(
  view: TabletView,
  users: Bitset,
  selections: readonly PartSelection[],
): Generator<void, readonly (MergedEvents | undefined)[]> {
  const ordinals = yield* mergedIntoSteps(view, users);
  const merged: (MergedEvents | undefined)[] = [];
  const ranks = new Map<number, number>();
  for (const selection of ordinals === undefined ? [] : selections) {
    const rows = selection.any.copy();
    selection.part.andUsers(rows, ordinals!);
    yield;
    merged.push(rows.isEmpty ? undefined : yield* readSteps(view, selection, rows, ranks));
  }
  return merged;
}

/** Ordinals that were merged into these users; undefined for none. */
function* mergedIntoSteps(view: TabletView, users: Bitset): Generator<void, Bitset | undefined> {
  const { canonical, count } = view.users;
  let found: Bitset | undefined;
  for (let from = 0; from < count; from += ORDINALS_PER_STEP) {
    const to = Math.min(from + ORDINALS_PER_STEP, count);
    for (let ordinal = from; ordinal < to; ordinal++) {
      if (canonical[ordinal] === ordinal || !users.has(canonical[ordinal]!)) continue;
      found ??= new Bitset(count);
      found.add(ordinal);
    }
    yield;
  }
  return found;
}

/** `ranks` remembers what number each merged ordinal has among those of its user. */
function* readSteps(
  view: TabletView,
  { part, byKind }: PartSelection,
  selected: Bitset,
  ranks: Map<number, number>,
): Generator<void, MergedEvents> {
  const cursor = yield* part.rowsByUserSteps(selected);
  const kinds = new Uint32Array(cursor.rows.length);
  const events: MergedEvent[] = [];
  for (let count = cursor.next(); count > 0; count = cursor.next()) {
    const { rows, ordinals, timesMs } = cursor;
    kindsOf(byKind, rows, count, kinds);
    for (let i = 0; i < count; i++) {
      const ordinal = view.users.canonical[ordinals[i]!]!;
      const rank = ranks.get(ordinals[i]!) ?? rankOf(view, ordinal, ordinals[i]!, ranks);
      events.push({ ordinal, rank, row: rows[i]!, timeMs: timesMs[i]!, kinds: kinds[i]! });
    }
    yield;
  }
  return new MergedEvents(events);
}

function rankOf(view: TabletView, canonical: number, merged: number, ranks: Map<number, number>): number {
  for (const [rank, ordinal] of view.users.mergedInto(canonical).entries()) ranks.set(ordinal, rank);
  return ranks.get(merged)!;
}
