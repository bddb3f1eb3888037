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
    if (rows === undefined) continue;
    view.budget?.charge((any === undefined ? 2 : 1) * rows.words.byteLength);
    any = any === undefined ? rows.copy() : any.or(rows);
  }
  return any === undefined || any.isEmpty ? undefined : { part, any, byKind };
}
