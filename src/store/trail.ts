import type { Part, PartTrail } from './part.ts';
import type { EventsView } from './view.ts';

export interface TrailRow {
  readonly part: Part;
  readonly row: number;
  readonly timeMs: number;
}

export interface TrailOptions {
  /** Only rows with fromMs <= time < toMs. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** The exact reverse of the trail's order. */
  readonly newestFirst?: boolean;
}

/**
 * One user's rows in trail order: by time; at equal times rows of merged users before the canonical user's own, the
 * earlier merge first; then in order of arrival. `ordinals[0]` is the canonical user, the others were merged into it,
 * in this order. Touches only these users' rows: a merge of the sorted runs that the parts hold.
 */
export function readTrail(
  events: EventsView,
  ordinals: readonly number[],
  {
    limit = Infinity,
    ...range
  }: TrailOptions & { /** Rows from the start of that order. */ readonly limit?: number } = {},
): TrailRow[] {
  const trail: TrailRow[] = [];
  if (limit === 0) return trail;
  for (const row of walkTrail(events, ordinals, range)) if (trail.push(row) === limit) break;
  return trail;
}

/**
 * The same, row by row: what lies behind the last row taken is not merged, and parts that begin behind it are not looked
 * into. So the parts must stay as they are until it is over, as those of a snapshot do.
 */
export function* walkTrail(
  events: EventsView,
  ordinals: readonly number[],
  { fromMs = -Infinity, toMs = Infinity, newestFirst = false }: TrailOptions = {},
): Generator<TrailRow, void> {
  const range = { fromMs, toMs, newestFirst };
  const direction = newestFirst ? -1 : 1;
  const before = (a: Run, b: Run) => compare(a, b) * direction < 0;
  /** By where their rows begin, in the direction of the walk; the next one last. */
  const ahead = events
    .parts()
    .map((part, arrival) => ({ part, arrival, beginsMs: newestFirst ? part.timeMaxMs : part.timeMinMs }))
    .filter(({ part }) => part.timeMaxMs >= fromMs && part.timeMinMs < toMs)
    .sort((a, b) => (b.beginsMs - a.beginsMs) * direction);
  /** A heap, of runs at a row each. */
  const runs: Run[] = [];
  for (;;) {
    for (let next = ahead.at(-1); next !== undefined; next = ahead.at(-1)) {
      if (runs.length > 0 && (next.beginsMs - runs[0]!.timeMs) * direction > 0) break;
      ahead.pop();
      for (const run of runsOf(next.part, next.arrival, ordinals, range)) {
        runs.push(run);
        siftUp(runs, before);
      }
    }
    const first = runs[0];
    if (first === undefined) return;
    yield { part: first.part, row: first.row, timeMs: first.timeMs };
    if (!first.advance()) {
      const last = runs.pop()!;
      if (runs.length > 0) runs[0] = last;
    }
    if (runs.length > 1) siftDown(runs, 0, before);
  }
}

/** Those of a part that have rows, each at its first one. */
function runsOf(
  part: Part,
  arrival: number,
  ordinals: readonly number[],
  range: Required<TrailOptions>,
): Run[] {
  const runs: Run[] = [];
  /** Of merged users, those whose rows the part has as the canonical user's. */
  let known = 0;
  for (const [i, ordinal] of ordinals.entries()) {
    if (i > 0 && i <= known) continue;
    const trail = part.trailOf(ordinal);
    if (trail === undefined) continue;
    // Whoever compacted it knew these merges, and all before them.
    if (i === 0) known = greatest(trail.origins);
    const run = new Run(part, trail, range, { merged: i, own: ordinals.length }, arrival);
    if (run.hasRows) runs.push(run);
  }
  return runs;
}

/** A part's rows of one user, in trail order or its reverse, read one by one. */
class Run {
  readonly part: Part;
  readonly #ranks: Ranks;
  readonly arrival: number;
  readonly #trail: PartTrail;
  readonly #step: number;
  /** Places in the trail: the row it is at, and where the rows end, in the direction of the steps. */
  #at: number;
  readonly #end: number;

  constructor(
    part: Part,
    trail: PartTrail,
    { fromMs, toMs, newestFirst }: Required<TrailOptions>,
    ranks: Ranks,
    arrival: number,
  ) {
    this.part = part;
    this.#ranks = ranks;
    this.arrival = arrival;
    this.#trail = trail;
    this.#step = newestFirst ? -1 : 1;
    const [first, end] = [firstFrom(trail.timesMs, fromMs), firstFrom(trail.timesMs, toMs)];
    this.#at = newestFirst ? end - 1 : first;
    this.#end = newestFirst ? first - 1 : end;
  }

  get hasRows(): boolean {
    return (this.#end - this.#at) * this.#step > 0;
  }

  get row(): number {
    return this.#trail.rows[this.#at]!;
  }

  get timeMs(): number {
    return this.#trail.timesMs[this.#at]!;
  }

  /** The place among rows of one time: the earlier merge first, the user's own rows last. */
  get rank(): number {
    const { merged, own } = this.#ranks;
    // Rows of who was merged are the canonical user's once they were compacted.
    return merged || this.#trail.origins?.[this.#at] || own;
  }

  /** To the next row; false past the last. */
  advance(): boolean {
    this.#at += this.#step;
    return this.#at !== this.#end;
  }
}

interface Ranks {
  /** The run is of the n-th merged user; 0: of the canonical one. */
  readonly merged: number;
  /** Of the canonical user's own rows. */
  readonly own: number;
}

/** 0 for none. */
function greatest(origins: Uint32Array = NO_ORIGINS): number {
  let max = 0;
  for (let i = 0; i < origins.length; i++) if (origins[i]! > max) max = origins[i]!;
  return max;
}

const NO_ORIGINS = new Uint32Array(0);

/** The first place in ascending times that is not before this time. */
function firstFrom(timesMs: readonly number[], timeMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle]! < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: Run, b: Run): number {
  return a.timeMs - b.timeMs || a.rank - b.rank || a.arrival - b.arrival;
}

/** Restores a binary heap, the least first, whose entry `i` may have become too large. */
function siftDown(heap: Run[], i: number, before: (a: Run, b: Run) => boolean): void {
  for (;;) {
    let least = i;
    for (const child of [2 * i + 1, 2 * i + 2]) {
      if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
    }
    if (least === i) return;
    [heap[i], heap[least]] = [heap[least]!, heap[i]!];
    i = least;
  }
}

/** The same of the last entry, which may be too small. */
function siftUp(heap: Run[], before: (a: Run, b: Run) => boolean): void {
  for (let i = heap.length - 1; i > 0; ) {
    const parent = (i - 1) >>> 1;
    if (!before(heap[i]!, heap[parent]!)) return;
    [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
    i = parent;
  }
}
