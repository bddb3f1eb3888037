import { assert } from '../../base/assert.ts';
import { BLOCK_ROWS_MAX, BLOCKS_PER_WINDOW_MAX, DAY_MS } from '../../base/limits.ts';
import type { Block } from './block.ts';
import {
  boundariesIn,
  finer,
  isCoarser,
  WINDOW_SPANS,
  type Window,
  type WindowSpan,
  windowOf,
} from './windows.ts';

/**
 * A tablet's blocks by window, and what to compact next. Windows never overlap. They adapt to how dense the events lie:
 * a window with too many rows is cut into windows of a finer span, and past windows that are all sparse become one of a
 * coarser span. Within a window blocks stand in order of arrival, and what is merged always stands together.
 */
export class WindowedBlocks {
  readonly #rowsMax: number;
  /** In time order. */
  #slots: readonly Slot[] = [];
  /** Every query asks for them. */
  #listed: { readonly slots: readonly Slot[]; readonly blocks: readonly Block[] } = { slots: [], blocks: [] };
  /** Rows that were sealed, and rows that were written once more. */
  #sealedRows = 0;
  #rewrittenRows = 0;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  blocks(): readonly Block[] {
    if (this.#listed.slots !== this.#slots) {
      const blocks = this.#slots.flatMap((slot) => slot.blocks.map(({ block }) => block));
      this.#listed = { slots: this.#slots, blocks };
    }
    return this.#listed.blocks;
  }

  /** The average number of times that a sealed row was written again. */
  get rewrites(): number {
    return this.#sealedRows === 0 ? 0 : this.#rewrittenRows / this.#sealedRows;
  }

  /** The same blocks in the same windows, for a store of its own. */
  fork(): WindowedBlocks {
    const fork = new WindowedBlocks(this.#rowsMax);
    fork.#slots = this.#slots;
    fork.#sealedRows = this.#sealedRows;
    fork.#rewrittenRows = this.#rewrittenRows;
    return fork;
  }

  /** The windows that rows of these times are sealed into; none is coarser than `coarsest` unless it is there already. */
  windowsFor(times: Float64Array, coarsest: WindowSpan): readonly PlannedWindow[] {
    const planned: PlannedWindow[] = [];
    let current: Window | undefined;
    for (const timeMs of times) {
      if (current !== undefined && timeMs >= current.startMs && timeMs < current.endMs) continue;
      current = planned.find(({ window }) => holds(window, timeMs))?.window;
      if (current !== undefined) continue;
      const slot = this.#windowFor(timeMs, [...this.#slots, ...planned], coarsest);
      planned.push(slot);
      current = slot.window;
    }
    return planned.sort((a, b) => a.window.startMs - b.window.startMs);
  }

  /** Puts sealed blocks behind those that are there. `seen`: when the rows were written. */
  add(blocks: readonly Block[], windows: readonly PlannedWindow[], seen: SeenUsers): void {
    for (const block of blocks) {
      this.#sealedRows += block.rowCount;
      this.#put(windows, { block, generation: 0, ...seen });
    }
  }

  /** Takes the windows away that end at or before this time; gives the rows that went. */
  dropBefore(timeMs: number): number {
    const kept = this.#slots.filter(({ window }) => window.endMs > timeMs);
    const dropped = this.#slots.slice(0, this.#slots.length - kept.length);
    this.#slots = kept;
    return dropped.reduce((total, slot) => total + rowsOf(slot.blocks), 0);
  }

  /**
   * What to compact next; undefined when everything is well. `quiet`: nothing else is to do, so that windows may be
   * merged to one block each, as long as an event is written twice more on average at the most.
   */
  next(options: CompactionOptions): Compaction | undefined {
    return (
      this.#overfull() ??
      this.#crowded() ??
      this.#sparse(options.coarsest) ??
      this.#left(options) ??
      (options.quiet ? this.#untidy(options) : undefined)
    );
  }

  /** Puts `blocks`, made of the compaction's, in their place. False, and nothing is done, when some of those are gone. */
  replace({ sources, windows }: Compaction, blocks: readonly Block[], seen: SeenUsers): boolean {
    const isThere = new Set(this.#slots.flatMap((slot) => slot.blocks));
    if (!sources.every((source) => isThere.has(source))) return false;
    const replaced = new Set(sources);
    this.#slots = this.#slots
      .map((slot) => ({ ...slot, blocks: slot.blocks.filter((block) => !replaced.has(block)) }))
      .filter((slot) => slot.blocks.length > 0);
    const generation = 1 + sources.reduce((most, source) => Math.max(most, source.generation), 0);
    for (const block of blocks) {
      this.#rewrittenRows += block.rowCount;
      this.#put(windows, { block, generation, ...seen });
    }
    return true;
  }

  #put(windows: readonly PlannedWindow[], stored: StoredBlock): void {
    const { startMs } = stored.block.window;
    const known = this.#slots.find(({ window }) => window.startMs === startMs);
    if (known !== undefined) {
      const slot = { ...known, blocks: [...known.blocks, stored] };
      this.#slots = this.#slots.map((each) => (each === known ? slot : each));
      return;
    }
    const planned = windows.find(({ window }) => window.startMs === startMs);
    assert(planned !== undefined, 'a block is of a window that was planned');
    const slot: Slot = { window: planned.window, span: planned.span, blocks: [stored] };
    this.#slots = [...this.#slots, slot].sort((a, b) => a.window.startMs - b.window.startMs);
  }

  /** The window that is there, else a new one as fine as that before it, or finer so as not to overlap any. */
  #windowFor(timeMs: number, slots: readonly PlannedWindow[], coarsest: WindowSpan): PlannedWindow {
    let before: PlannedWindow | undefined;
    for (const slot of slots) {
      if (holds(slot.window, timeMs)) return slot;
      if (slot.window.endMs > timeMs) continue;
      if (before === undefined || slot.window.startMs > before.window.startMs) before = slot;
    }
    let span: WindowSpan | undefined =
      before !== undefined && isCoarser(coarsest, before.span) ? before.span : coarsest;
    for (; span !== undefined; span = finer(span)) {
      const window = windowOf(timeMs, span);
      if (slots.every((slot) => !overlap(slot.window, window))) return { window, span };
    }
    assert(false, 'a day overlaps no finer window');
  }

  /**
   * A window with too many rows is cut into ones that are fine enough for how dense its rows lie. One that is going to
   * have too many is cut as soon as that shows: the fewer rows, the less memory and work it takes.
   */
  #overfull(): Compaction | undefined {
    for (const { window, span, blocks } of this.#slots) {
      const rowCount = rowsOf(blocks);
      if (rowCount <= this.#rowsMax * FORESEEN_SHARE) continue;
      if (rowCount <= this.#rowsMax && rowsPerDay(blocks) * DAYS[span] <= this.#rowsMax) continue;
      const fine = fineEnough(span, blocks, this.#rowsMax);
      if (fine === undefined) continue;
      return { sources: blocks, windows: windowsBetween(boundariesIn(window, fine), fine) };
    }
    return undefined;
  }

  /**
   * Of too many blocks the newest are merged, as many as have been merged least often, but two at least: of 15 equal
   * blocks one after another each is written again twice at the most.
   */
  #crowded(): Compaction | undefined {
    for (const slot of this.#slots) {
      const { blocks } = slot;
      if (blocks.length <= BLOCKS_PER_WINDOW_MAX) continue;
      const second = blocks.at(-2)!.generation;
      const first = blocks.findIndex(({ generation }) => generation <= second);
      // A day that has filled a block keeps it as it is.
      if (rowsOf(blocks.slice(first)) > BLOCK_ROWS_MAX) continue;
      return { sources: blocks.slice(first), windows: [slot] };
    }
    return undefined;
  }

  /** Past windows that have few rows together become one, of the coarsest span where that is so. */
  #sparse(coarsest: WindowSpan): Compaction | undefined {
    const newestMs = this.#slots.at(-1)?.window.startMs ?? 0;
    for (const span of WINDOW_SPANS) {
      if (isCoarser(span, coarsest)) continue;
      for (let i = 0; i + 1 < this.#slots.length; ) {
        const window = windowOf(this.#slots[i]!.window.startMs, span);
        const first = i;
        for (i++; i < this.#slots.length && this.#slots[i]!.window.endMs <= window.endMs; ) i++;
        if (i - first < 2 || window.endMs > newestMs) continue;
        const sources = this.#slots.slice(first, i).flatMap(({ blocks }) => blocks);
        if (rowsOf(sources) <= this.#rowsMax * SPARSE_SHARE) return { sources, windows: [{ window, span }] };
      }
    }
    return undefined;
  }

  /** Blocks that many users have left since they were written; when it is quiet, any have; or those that are due. */
  #left({ gone, goneDue = 0, users, quiet }: CompactionOptions): Compaction | undefined {
    const few = quiet ? 0 : users * GONE_SHARE;
    for (const slot of this.#slots) {
      const source = slot.blocks.find((each) => each.gone < goneDue || gone - each.gone > few);
      // Together with what came after it, so that the order stays.
      if (source !== undefined)
        return { sources: slot.blocks.slice(slot.blocks.indexOf(source)), windows: [slot] };
    }
    return undefined;
  }

  /** A window of several blocks, of one as it was sealed, or with rows of many users who have been merged since. */
  #untidy({ merged, users }: CompactionOptions): Compaction | undefined {
    const few = users * MERGED_SHARE;
    for (const slot of this.#slots) {
      const { blocks } = slot;
      if (blocks.length === 1 && blocks[0]!.generation > 0 && merged - blocks[0]!.merged <= few) continue;
      const rowCount = rowsOf(blocks);
      if (this.#rewrittenRows + rowCount <= REWRITES_MAX * this.#sealedRows) {
        return { sources: blocks, windows: [slot] };
      }
    }
    return undefined;
  }
}

/** Since the beginning: users who have left, and merges of one user into another. */
export interface SeenUsers {
  readonly gone: number;
  readonly merged: number;
}

export interface CompactionOptions extends SeenUsers {
  readonly coarsest: WindowSpan;
  readonly quiet: boolean;
  /** Blocks that have not seen so many leave are to be written again. */
  readonly goneDue?: number;
  /** Users there ever were. */
  readonly users: number;
}

export interface PlannedWindow {
  readonly window: Window;
  readonly span: WindowSpan;
}

/** Blocks, in order of arrival, whose rows are to be written again as one block a window. */
export interface Compaction {
  readonly sources: readonly StoredBlock[];
  readonly windows: readonly PlannedWindow[];
}

export interface StoredBlock extends SeenUsers {
  readonly block: Block;
  /** How often the rows written most often were written again. */
  readonly generation: number;
}

interface Slot extends PlannedWindow {
  readonly blocks: readonly StoredBlock[];
}

const REWRITES_MAX = 2;
/** Of the rows that a window may have: so many show how dense they lie. */
const FORESEEN_SHARE = 0.25;
/** Of the rows that a window may have: so few that it takes long until it must be cut again. */
const SPARSE_SHARE = 0.25;
/** Rows of so many users who have left are worth a rewrite at once. */
const GONE_SHARE = 0.2;
/** Rows of so many merged users are worth a rewrite when nothing else is to do. */
const MERGED_SHARE = 1 / 16;

/** The coarsest span, finer than this one, whose windows are likely to have at most so many rows; else the finest. */
function fineEnough(
  span: WindowSpan,
  blocks: readonly StoredBlock[],
  rowsMax: number,
): WindowSpan | undefined {
  const finerSpans = WINDOW_SPANS.filter((each) => isCoarser(span, each));
  return finerSpans.find((each) => rowsPerDay(blocks) * DAYS[each] <= rowsMax) ?? finerSpans.at(-1);
}

/** On the days from the first row's time to the last one's. */
function rowsPerDay(blocks: readonly StoredBlock[]): number {
  const fromMs = Math.min(...blocks.map(({ block }) => block.timeMinMs));
  const toMs = Math.max(...blocks.map(({ block }) => block.timeMaxMs));
  return (rowsOf(blocks) * DAY_MS) / Math.max(toMs - fromMs, DAY_MS);
}

/** Of the longest such window. */
const DAYS = {
  decade: 3653,
  year: 366,
  quarter: 92,
  month: 31,
  dekad: 11,
  pentad: 6,
  day: 1,
} as const satisfies Record<WindowSpan, number>;

/** The coarsest span that retention lets be: what has expired is held for the length of a window more, a quarter at most. */
export function coarsestFor(retentionMs: number | undefined): WindowSpan {
  if (retentionMs === undefined) return WINDOW_SPANS[0];
  return WINDOW_SPANS.find((span) => 4 * DAYS[span] * DAY_MS <= retentionMs) ?? 'day';
}

function windowsBetween(boundariesMs: readonly number[], span: WindowSpan): PlannedWindow[] {
  return boundariesMs.slice(1).map((endMs, i) => ({ window: { startMs: boundariesMs[i]!, endMs }, span }));
}

function rowsOf(blocks: readonly StoredBlock[]): number {
  return blocks.reduce((total, { block }) => total + block.rowCount, 0);
}

function holds({ startMs, endMs }: Window, timeMs: number): boolean {
  return startMs <= timeMs && timeMs < endMs;
}

function overlap(a: Window, b: Window): boolean {
  return a.startMs < b.endMs && b.startMs < a.endMs;
}
