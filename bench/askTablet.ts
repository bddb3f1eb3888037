import { realClock } from '../src/base/clock.ts';
import { QUERY_BYTES_MAX } from '../src/base/limits.ts';
import { MemoryBudget } from '../src/base/memoryBudget.ts';
import { type OperationName, type Operations, runOperation } from '../src/tablet/operations.ts';
import { TabletSnapshot } from '../src/tablet/snapshot.ts';
import type { Tablet } from '../src/tablet/tablet.ts';

/** The steps of an operation on a tablet of this thread, as a server runs them. */
export function* askTablet<K extends OperationName>(
  tablet: Tablet,
  operation: K,
  args: Operations[K]['args'],
): Generator<void, Operations[K]['part']> {
  const snapshot = new TabletSnapshot(tablet, new MemoryBudget(QUERY_BYTES_MAX));
  try {
    return (yield* runOperation(snapshot, operation, args, realClock)) as Operations[K]['part'];
  } finally {
    snapshot.close();
  }
}
