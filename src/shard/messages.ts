import type { ErrorBody } from '../base/errors.ts';
import type { Section } from '../log/sections.ts';
import type { SegmentChange } from '../tablet/effects.ts';
import type { BytesByName } from '../tablet/memory.ts';
import type { OperationName } from '../tablet/operations.ts';
import type { MergeEpochs } from '../tablet/transfers.ts';

/** What threads say to each other: every message of the mesh, in one place. Byte arrays are transferred, not copied. */

/** One end of a channel between two threads. Messages arrive in the order they were posted. */
export interface Link<Out, In> {
  post(message: Out, transfer?: readonly ArrayBuffer[]): void;
  onMessage(handle: (message: In) => void): void;
  /** Handles at once what was posted to this end and has not been handled yet. */
  drain(): void;
}

/** Shard → hub (the thread that writes the log). */
export type ToHub =
  | { readonly kind: 'append'; readonly requests: readonly AppendRequest[] }
  /** So many bytes of deliveries have been applied. */
  | { readonly kind: 'consumed'; readonly bytes: number }
  /** Asks what the host's threads hold besides tablets. */
  | { readonly kind: 'memoryWanted'; readonly id: number }
  /** What this shard's thread holds, as the hub asked. */
  | { readonly kind: 'memoryPart'; readonly id: number; readonly memory: BytesByName }
  /** Asked to drain, the shard has nothing under way any more. */
  | { readonly kind: 'drained' };

export interface AppendRequest {
  /** The sender's own number for this request. */
  readonly token: number;
  /** Becomes one frame. */
  readonly sections: readonly Section[];
  /** Whether the owners shall tell the sender when they have applied it. */
  readonly tellApplied: boolean;
}

/** Hub → shard. */
export type FromHub =
  | { readonly kind: 'deliver'; readonly entries: readonly Delivery[]; readonly bytes: number }
  | { readonly kind: 'appended'; readonly results: readonly AppendResult[] }
  /** The log has been read to its end: carry out effects from now on. */
  | { readonly kind: 'live' }
  /** Whether new calls may be accepted, else why not. */
  | { readonly kind: 'condition'; readonly notReady: string | undefined }
  /** Asks what this shard's thread holds besides tablets; the hub's own number. */
  | { readonly kind: 'memoryWanted'; readonly id: number }
  /** What all threads hold; the shard's own number. */
  | { readonly kind: 'memory'; readonly id: number; readonly memory: BytesByName }
  | { readonly kind: 'drain' };

/** One frame's sections for this shard. */
export interface Delivery {
  readonly position: number;
  readonly sections: readonly Section[];
  /** Who wants to know when it is applied. */
  readonly origin?: { readonly shard: number; readonly token: number };
}

export type AppendResult =
  | { readonly token: number; readonly position: number; readonly owners: number }
  | { readonly token: number; readonly error: Failure };

/** A MusterError on its way to another thread. */
export interface Failure extends ErrorBody {
  readonly retryAfterSeconds?: number | undefined;
}

/** Shard ↔ shard. */
export type Peer =
  | { readonly kind: 'applied'; readonly applied: readonly Applied[] }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly id: number; readonly tablets: readonly TabletAnswer[] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Failure }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'watch'; readonly account: string; readonly watching: boolean }
  | { readonly kind: 'changed'; readonly account: string; readonly changes: readonly SegmentChange[] };

/** A frame of the receiver's, applied by all its tablets of the sender's. */
export interface Applied {
  readonly token: number;
  readonly counts: Counts;
}

export interface Counts {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Tablets in which a deletion found something. */
  readonly erased: number;
}

/** One operation (tablet/operations.ts) on tablets of one account. */
export interface Question {
  readonly account: string;
  /** Prefix bits of one tablet; undefined asks them all. */
  readonly tablet: string | undefined;
  readonly operation: OperationName;
  readonly args: unknown;
  /** Hold back transfers and splits for this long, so that a query that keeps meeting half of them sees a still picture. */
  readonly holdMs?: number;
}

export interface TabletAnswer {
  readonly tablet: string;
  /** How many the account had when this was answered. */
  readonly tablets: number;
  readonly epochs: MergeEpochs;
  readonly part: unknown;
}
