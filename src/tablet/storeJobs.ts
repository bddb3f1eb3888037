import type { StoreJobOptions } from '../store/events.ts';
import type { Tablet } from './tablet.ts';

/** What the tablet's event store is told when it is asked for the next job. */
export function storeJobOptions({ users, settings }: Tablet, quiet: boolean, goneDue = 0): StoreJobOptions {
  return {
    quiet,
    goneDue,
    retentionMs: settings.retentionMs,
    gone: users.goneCount,
    merged: users.merges.count,
    users: users.count,
    goneOrdinals: () => users.goneOrdinals(),
    merges: () => users.merges.list(),
  };
}
