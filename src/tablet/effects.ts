import type { Intent } from '../delivery/outbox.ts';
import type { UserRef } from '../log/record.ts';
import type { OutgoingTransfer } from './transfers.ts';

/**
 * What applying records asks of the world. Carried out by the tablet's owner only, never during a replay; whatever must
 * not be lost can be asked of the state again (`pendingEffects` in apply.ts).
 */
export interface Effects {
  accepted: number;
  duplicate: number;
  rejected: number;
  /** Deletions that found something here. */
  erased: number;
  /** To bring to the log for other tablets. */
  readonly transfers: OutgoingTransfer[];
  /** Messages to send now. */
  readonly sends: Intent[];
  /** For those who watch a live segment. */
  readonly changes: SegmentChange[];
}

export interface SegmentChange {
  readonly segment: string;
  readonly user: UserRef;
  readonly change: 'enter' | 'exit';
  readonly atMs: number;
}

export function noEffects(): Effects {
  return { accepted: 0, duplicate: 0, rejected: 0, erased: 0, transfers: [], sends: [], changes: [] };
}
