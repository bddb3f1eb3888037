import { Bitset, ctz32 } from '../base/bitset.ts';
import { arraysOf } from '../base/memoryBudget.ts';
import { firstFrom } from '../base/search.ts';
import { BATCH_ROWS } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import type { ReadableEvents } from './partEvents.ts';
import type { PartSelection } from './partSelection.ts';
import { giveBackBatch, takeBatch } from './rowBatches.ts';
import { ORDINALS_PER_STEP } from './users.ts';

/** As an object, and then in arrays. */
const MERGED_EVENT_BYTES = 100;

/** What merged users did under their old ids, as events of those who stand for them. */
class MergedEvents implements ReadableEvents {
  readonly rows: Uint32Array;
  readonly ordinals: Uint32Array;
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
  readonly parts: Uint32Array;
  readonly ranks: Uint32Array;
  readonly wholeBefore = Infinity;
  from = 0;
  to = 0;

  constructor(events: MergedEvent[]) {
    // Those merged earlier come first; sorting is stable, so that the rest stays in order of parts and rows.
    events.sort((a, b) => a.ordinal - b.ordinal || a.rank - b.rank);
    this.rows = Uint32Array.from(events, ({ row }) => row);
    this.ordinals = Uint32Array.from(events, ({ ordinal }) => ordinal);
    this.timesMs = Float64Array.from(events, ({ timeMs }) => timeMs);
    this.kinds = Uint32Array.from(events, ({ kinds }) => kinds);
    this.parts = Uint32Array.from(events, ({ part }) => part);
    this.ranks = Uint32Array.from(events, ({ rank }) => rank);
  }

  get nextOrdinal(): number {
    return this.ordinals[this.to] ?? Infinity;
  }

  read(): boolean {
    return false;
  }

  take(ordinalEnd: number): void {
    this.from = this.to;
    this.to = firstFrom(this.ordinals, this.from, this.ordinals.length, ordinalEnd);
  }

  release(): void {}
}

interface MergedEvent {
  readonly ordinal: number;
  /** The number that its old ordinal has among those merged into the user. */
  readonly rank: number;
  readonly part: number;
  readonly row: number;
  readonly timeMs: number;
  readonly kinds: number;
}

/** The wanted events of ordinals that were merged into others; `parts` are places among the selections. */
export function* mergedEventsSteps(
  view: TabletView,
  ordinals: Bitset,
  selections: readonly PartSelection[],
): Generator<void, ReadableEvents> {
  const events: MergedEvent[] = [];
  const ranks = new Map<number, number>();
  for (const [part, selection] of selections.entries()) {
    const rows = selection.any.copy();
    selection.part.andUsers(rows, ordinals);
    yield;
    if (!rows.isEmpty) yield* readSteps(view, selection, part, rows, ranks, events);
  }
  return new MergedEvents(events);
}

/** Ordinals that were merged into these users; undefined for none. */
export function* mergedIntoSteps(view: TabletView, users: Bitset): Generator<void, Bitset | undefined> {
  const { canonical, count, merged } = view.users;
  let found: Bitset | undefined;
  for (let w = 0; w << 5 < count; w++) {
    if ((w << 5) % ORDINALS_PER_STEP === 0) yield;
    for (let word = merged[w] ?? 0; word !== 0; word &= word - 1) {
      const ordinal = (w << 5) + ctz32(word);
      if (ordinal >= count || !users.has(canonical[ordinal]!)) continue;
      found ??= new Bitset(count);
      found.add(ordinal);
    }
  }
  return found;
}

/** Whom these merged ordinals were merged into. */
export function* canonicalSteps(view: TabletView, merged: Bitset): Generator<void, Bitset> {
  const found = new Bitset(view.users.count);
  let looked = 0;
  for (const ordinal of merged) {
    found.add(view.users.canonical[ordinal]!);
    if (++looked % ORDINALS_PER_STEP === 0) yield;
  }
  return found;
}

/** `ranks` remembers what number each merged ordinal has among those of its user. */
function* readSteps(
  view: TabletView,
  selection: PartSelection,
  part: number,
  selected: Bitset,
  ranks: Map<number, number>,
  events: MergedEvent[],
): Generator<void, void> {
  const cursor = yield* selection.part.rowsByUserSteps(selected, selection.byKind);
  const arrays = arraysOf(view.budget);
  const batch = takeBatch(arrays, BATCH_ROWS);
  const { rows, ordinals, timesMs, kinds } = batch;
  for (let count = cursor.readInto(batch, 0); count > 0; count = cursor.readInto(batch, 0)) {
    view.budget?.charge(count * MERGED_EVENT_BYTES);
    for (let i = 0; i < count; i++) {
      const ordinal = view.users.canonical[ordinals[i]!]!;
      const rank = ranks.get(ordinals[i]!) ?? rankOf(view, ordinal, ordinals[i]!, ranks);
      events.push({ ordinal, rank, part, row: rows[i]!, timeMs: timesMs[i]!, kinds: kinds[i]! });
    }
    yield;
  }
  giveBackBatch(arrays, batch);
}

function rankOf(view: TabletView, canonical: number, merged: number, ranks: Map<number, number>): number {
  for (const [rank, ordinal] of view.users.mergedInto(canonical).entries()) ranks.set(ordinal, rank);
  return ranks.get(merged)!;
}
