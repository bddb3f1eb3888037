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

/** The same, row by row: what lies behind the last row taken is not merged. */
export function* walkTrail(
  events: EventsView,
  ordinals: readonly number[],
  options: TrailOptions = {},
): Generator<TrailRow, void> {
  const direction = options.newestFirst === true ? -1 : 1;
  const before = (a: Run, b: Run) => compare(a, b) * direction < 0;
  const runs = runsOf(events, ordinals, options).sort((a, b) => compare(a, b) * direction);
  if (follow(runs, direction)) {
    for (const run of runs) {
      do yield { part: run.part, row: run.row, timeMs: run.timeMs };
      while (run.advance());
    }
    return;
  }
  // Sorted, they are a heap.
  while (runs.length > 0) {
    const first = runs[0]!;
    yield { part: first.part, row: first.row, timeMs: first.timeMs };
    if (!first.advance()) {
      const last = runs.pop()!;
      if (runs.length > 0) runs[0] = last;
    }
    siftDown(runs, 0, before);
  }
}

/** Those that have rows, each at its first one. */
function runsOf(
  events: EventsView,
  ordinals: readonly number[],
  { fromMs = -Infinity, toMs = Infinity, newestFirst = false }: TrailOptions,
): Run[] {
  const runs: Run[] = [];
  events.parts().forEach((part, arrival) => {
    if (part.timeMaxMs < fromMs || part.timeMinMs >= toMs) return;
    /** Of merged users, those whose rows the part has as the canonical user's. */
    let known = 0;
    ordinals.forEach((ordinal, i) => {
      if (i > 0 && i <= known) return;
      const trail = part.trailOf(ordinal);
      if (trail === undefined) return;
      // Whoever compacted it knew these merges, and all before them.
      if (i === 0) known = greatest(trail.origins);
      const ranks = { merged: i, own: ordinals.length };
      const run = new Run(part, trail, { fromMs, toMs, newestFirst }, ranks, arrival);
      if (run.hasRows) runs.push(run);
    });
  });
  return runs;
}

/** Whether each run's rows are all behind those of the one before. */
function follow(runs: readonly Run[], direction: 1 | -1): boolean {
  for (let i = 1; i < runs.length; i++) {
    if ((runs[i]!.timeMs - runs[i - 1]!.lastTimeMs) * direction <= 0) return false;
  }
  return true;
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

  get lastTimeMs(): number {
    return this.#trail.timesMs[this.#end - this.#step]!;
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
