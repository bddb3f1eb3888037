import type { Bitset } from '../../base/bitset.ts';
import { arraysOf, arraysUntilClosed } from '../../base/memoryBudget.ts';
import { BATCH_ROWS, type Part, type RowBatch, type RowTarget } from '../../store/part.ts';
import type { TabletView } from '../../store/view.ts';
import type { EventPagesOptions } from '../eventPages.ts';
import { mergedIntoSteps } from '../mergedEvents.ts';
import { giveBackSelection, selectKindsSteps } from '../partSelection.ts';
import { giveBackBatch, takeBatch } from '../rowBatches.ts';

/** Some wanted events of one part, in no order that matters. Its arrays are used again for the next batch. */
export interface EventBatch extends RowBatch {
  readonly part: Part;
  /** How many, from the start of the arrays; their ordinals are canonical. */
  readonly count: number;
}

/**
 * The events of `eventPages`, for whoever needs no user's together: they are taken as they lie. In small steps. Without
 * `needsTimes` or `needsUsers` their times, or whose they are, is not read. Ends when `isEnough` says so after a batch.
 */
export function* eventBatches(
  { view, kinds, users, stats, needsTimes = true, needsUsers = true, isEnough, whole }: EventBatchesOptions,
  visit: (batch: EventBatch) => void,
): Generator<void, void> {
  // Nobody is merged then.
  const areAll = users.count() === view.users.count;
  /** Also those that were merged into them; undefined until they are needed. */
  let ordinals: Bitset | undefined;
  const arrays = arraysOf(view.budget);
  const batch = takeBatch(arrays, BATCH_ROWS);
  const { rows, kinds: ofRows } = batch;
  const target: RowTarget = {
    rows,
    kinds: ofRows,
    ...(needsTimes ? { timesMs: batch.timesMs } : {}),
    ...(needsUsers || !areAll ? { ordinals: batch.ordinals } : {}),
  };
  try {
    for (const part of view.events.parts()) {
      const selection = yield* selectKindsSteps(view, part, kinds, stats);
      if (selection === undefined) continue;
      if (whole?.takes(part) === true) {
        if (!areAll) ordinals ??= yield* allOrdinalsSteps(view, users);
        for (const rows of selection.byKind)
          if (ordinals !== undefined && rows) part.andUsers(rows, ordinals);
        yield* whole.addSteps(part, selection.byKind);
        if (isEnough?.() === true) return;
        giveBackSelection(view.budget, selection);
        continue;
      }
      const cursor = yield* part.rowsByUserSteps(
        selection.any,
        selection.byKind,
        arraysUntilClosed(view.budget),
      );
      for (;;) {
        const read = cursor.readInto(target, 0);
        if (read === 0) break;
        const count = areAll ? read : keepWanted(batch, read, view.users.canonical, users);
        if (count > 0) visit({ part, count, ...batch });
        if (isEnough?.() === true) return;
        yield;
      }
      giveBackSelection(view.budget, selection);
    }
  } finally {
    giveBackBatch(arrays, batch);
  }
}

/** Whoever needs not see the events of some parts one by one. */
export interface WholeParts {
  takes(part: Part): boolean;
  /** Of such a part the wanted rows, by kind. */
  addSteps(part: Part, byKind: readonly (Bitset | undefined)[]): Generator<void, void>;
}

function* allOrdinalsSteps(view: TabletView, users: Bitset): Generator<void, Bitset> {
  const merged = yield* mergedIntoSteps(view, users);
  return merged === undefined ? users : users.copy().or(merged);
}

export interface EventBatchesOptions extends EventPagesOptions {
  /** Asked of each part before it is taken in batches. */
  readonly whole?: WholeParts | undefined;
  readonly needsTimes?: boolean;
  readonly needsUsers?: boolean;
  readonly isEnough?: () => boolean;
}

/** Moves those of the first `read` whose users are wanted to the front, and puts who they are; how many they are. */
function keepWanted(
  { rows, ordinals, timesMs, kinds }: RowBatch,
  read: number,
  canonical: TabletView['users']['canonical'],
  { words }: Bitset,
): number {
  let count = 0;
  for (let i = 0; i < read; i++) {
    const ordinal = canonical[ordinals[i]!]!;
    rows[count] = rows[i]!;
    ordinals[count] = ordinal;
    timesMs[count] = timesMs[i]!;
    kinds[count] = kinds[i]!;
    count += (words[ordinal >>> 5]! >>> (ordinal & 31)) & 1;
  }
  return count;
}
