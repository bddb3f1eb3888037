import type { Bitset } from '../base/bitset.ts';
import { arraysUntilClosed, type MemoryBudget } from '../base/memoryBudget.ts';
import type { Part } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import type { WantedEvents } from './filter.ts';
import { selectSteps } from './selectRows.ts';
import type { QueryStats } from './stats.ts';

/** The rows of a part that are wanted. */
export interface PartSelection {
  readonly part: Part;
  /** Of any kind; of an only one the same bitset. */
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
    const rows = yield* selectSteps(view, part, kind, stats);
    byKind.push(rows);
    if (rows === undefined) continue;
    view.budget?.charge((any === undefined && kinds.length > 1 ? 2 : 1) * rows.words.byteLength);
    if (any !== undefined) any.or(rows);
    else any = kinds.length === 1 ? rows : rows.copy(arraysUntilClosed(view.budget));
  }
  return any === undefined || any.isEmpty ? undefined : { part, any, byKind };
}

/** Nobody uses them any more. */
export function giveBackSelection(budget: MemoryBudget | undefined, { any, byKind }: PartSelection): void {
  const arrays = arraysUntilClosed(budget);
  arrays.giveBack(any.words);
  for (const rows of byKind) if (rows !== undefined) arrays.giveBack(rows.words);
}
