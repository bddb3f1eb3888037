import type { Part } from './part.ts';
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
  { fromMs = -Infinity, toMs = Infinity, newestFirst = false }: TrailOptions = {},
): Generator<TrailRow, void> {
  const direction = newestFirst ? -1 : 1;
  const before = (a: Run, b: Run) => compare(a, b) * direction < 0;
  const runs: Run[] = [];
  events.parts().forEach((part, arrival) => {
    if (part.timeMaxMs < fromMs || part.timeMinMs >= toMs) return;
    ordinals.forEach((ordinal, i) => {
      const rank = i === 0 ? ordinals.length : i;
      const rows = rowsInTimeOrder(part, ordinal, fromMs, toMs);
      if (rows.length > 0) runs.push(new Run(part, rows, rank, arrival, newestFirst));
    });
  });
  for (let i = (runs.length >>> 1) - 1; i >= 0; i--) siftDown(runs, i, before);

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

/** A part's rows of one user, in trail order or its reverse, read one by one. */
class Run {
  readonly part: Part;
  readonly rank: number;
  readonly arrival: number;
  row: number;
  timeMs: number;
  readonly #rows: readonly number[];
  readonly #step: number;
  #next: number;

  constructor(part: Part, rows: readonly number[], rank: number, arrival: number, newestFirst: boolean) {
    this.part = part;
    this.rank = rank;
    this.arrival = arrival;
    this.#rows = rows;
    this.#step = newestFirst ? -1 : 1;
    this.#next = newestFirst ? rows.length - 1 : 0;
    this.row = rows[this.#next]!;
    this.timeMs = part.timeAt(this.row);
  }

  /** To the next row; false past the last. */
  advance(): boolean {
    this.#next += this.#step;
    const row = this.#rows[this.#next];
    if (row === undefined) return false;
    this.row = row;
    this.timeMs = this.part.timeAt(row);
    return true;
  }
}

function compare(a: Run, b: Run): number {
  return a.timeMs - b.timeMs || a.rank - b.rank || a.arrival - b.arrival;
}

/** Blocks hold a user's rows by time already; heads hold them in order of arrival, which a stable sort keeps at ties. */
function rowsInTimeOrder(part: Part, ordinal: number, fromMs: number, toMs: number): readonly number[] {
  const rows = Array.from(part.rowsOf(ordinal)).filter((row) => {
    const timeMs = part.timeAt(row);
    return timeMs >= fromMs && timeMs < toMs;
  });
  return rows.sort((a, b) => part.timeAt(a) - part.timeAt(b));
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
