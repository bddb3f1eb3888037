import type { Bitset } from '../base/bitset.ts';
import type { Part } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import type { WantedEvents } from './filter.ts';
import { selectSteps } from './selectRows.ts';
import type { QueryStats } from './stats.ts';

/** The rows of a part that are wanted. */
export interface PartSelection {
  readonly part: Part;
  /** Of any kind. */
  readonly any: Bitset;
  /** By kind; undefined where none is. */
  readonly byKind: readonly (Bitset | undefined)[];
}

/** The part's rows of these kinds; undefined when there are none. */
export function* selectKindsSteps(
  view: TabletView,
  part: Part,
  kinds: readonly WantedEvents[],
  stats: QueryStats,
): Generator<void, PartSelection | undefined> {
  const byKind: (Bitset | undefined)[] = [];
  let any: Bitset | undefined;
  for (const kind of kinds) {
    const rows = yield* selectSteps(view.schema, part, kind, stats);
    byKind.push(rows);
    if (rows !== undefined) any = any === undefined ? rows.copy() : any.or(rows);
  }
  return any === undefined || any.isEmpty ? undefined : { part, any, byKind };
}

/** Which kinds each row is of: kinds[i], for rows[i]. */
export function kindsOf(
  byKind: PartSelection['byKind'],
  rows: Uint32Array,
  count: number,
  kinds: Uint32Array,
): void {
  const present = byKind.flatMap((selected, kind) => (selected === undefined ? [] : [kind]));
  if (present.length === 1) kinds.fill((1 << present[0]!) >>> 0, 0, count);
  else {
    kinds.fill(0, 0, count);
    for (const kind of present) addKind(byKind[kind]!.words, kind, rows, count, kinds);
  }
}

function addKind(
  words: Uint32Array,
  kind: number,
  rows: Uint32Array,
  count: number,
  kinds: Uint32Array,
): void {
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    kinds[i]! |= ((words[row >>> 5]! >>> (row & 31)) & 1) << kind;
  }
}

/** The first place of ascending numbers in [from, to) whose number is not below `end`; `to` when all are. */
export function firstFrom(ascending: Uint32Array, from: number, to: number, end: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < end) low = middle + 1;
    else high = middle;
  }
  return low;
}
