import type { Bitset } from '../../base/bitset.ts';
import type { Part } from '../../store/part.ts';
import type { TabletView } from '../../store/view.ts';
import type { EventPagesOptions } from '../eventPages.ts';
import { kindsOf, selectKindsSteps } from '../partSelection.ts';

/** Some wanted events of one part, in no order that matters. Its arrays are used again for the next batch. */
export interface EventBatch {
  readonly part: Part;
  readonly count: number;
  /** Ascending for each user. */
  readonly rows: Uint32Array;
  /** Of those who did them: canonical. */
  readonly ordinals: Uint32Array;
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
}

/** The events of `eventPages`, for whoever needs no user's together: they are taken as they lie. In small steps. */
export function* eventBatches(
  { view, kinds, users, stats }: EventPagesOptions,
  visit: (batch: EventBatch) => void,
): Generator<void, void> {
  for (const part of view.events.parts()) {
    const selection = yield* selectKindsSteps(view, part, kinds, stats);
    if (selection === undefined) continue;
    const cursor = yield* part.rowsByUserSteps(selection.any);
    const size = cursor.rows.length;
    const batch = {
      rows: new Uint32Array(size),
      ordinals: new Uint32Array(size),
      timesMs: new Float64Array(size),
    };
    const batchKinds = new Uint32Array(size);
    for (let read = cursor.next(); read > 0; read = cursor.next()) {
      const count = keepWanted(cursor, read, view.users.canonical, users, batch);
      kindsOf(selection.byKind, batch.rows, count, batchKinds);
      if (count > 0) visit({ part, count, ...batch, kinds: batchKinds });
      yield;
    }
  }
}

type Rows = Pick<EventBatch, 'rows' | 'ordinals' | 'timesMs'>;

/** Copies the first `read` of the source whose users are wanted; how many they are. */
function keepWanted(
  source: Rows,
  read: number,
  canonical: TabletView['users']['canonical'],
  { words }: Bitset,
  target: Rows,
): number {
  const [fromRows, fromOrdinals, fromTimesMs] = [source.rows, source.ordinals, source.timesMs];
  const { rows, ordinals, timesMs } = target;
  let count = 0;
  for (let i = 0; i < read; i++) {
    const ordinal = canonical[fromOrdinals[i]!]!;
    rows[count] = fromRows[i]!;
    ordinals[count] = ordinal;
    timesMs[count] = fromTimesMs[i]!;
    count += (words[ordinal >>> 5]! >>> (ordinal & 31)) & 1;
  }
  return count;
}
