import type { Scalar, Value } from '../base/value.ts';

/**
 * Records: everything that changes a tablet (decision 0). docs/spec/tablet.md describes each, with its invariants.
 * All times are Unix ms, whole numbers.
 */

/** Who a call is about. Known ids and anonymous ids are two name spaces. */
export interface UserRef {
  readonly known: boolean;
  readonly id: string;
}

/** An event as collected: names and values already checked and flattened. */
export interface EventCall {
  readonly kind: 'event';
  readonly user: UserRef;
  readonly messageId?: string;
  readonly timeMs: number;
  readonly event: string;
  readonly properties: Readonly<Record<string, Value>>;
}

/** Traits as collected. Also stands for "this user was named", with no operations. */
export interface TraitsCall {
  readonly kind: 'traits';
  readonly user: UserRef;
  readonly messageId?: string;
  readonly timeMs: number;
  readonly operations: readonly TraitOperation[];
}

export type TraitOperation =
  | { readonly op: 'set'; readonly trait: string; readonly value: Value }
  | { readonly op: 'unset'; readonly trait: string }
  | { readonly op: 'setOnce'; readonly trait: string; readonly value: Value }
  | { readonly op: 'increment'; readonly trait: string; readonly by: number }
  | { readonly op: 'add'; readonly trait: string; readonly elements: readonly Scalar[] }
  | { readonly op: 'remove'; readonly trait: string; readonly elements: readonly Scalar[] };

/** From now on the anonymous user is the known one. Lives in the anonymous user's tablet. */
export interface AliasCall {
  readonly kind: 'alias';
  /** The call it came with; beside an `identify` it is no call of its own and not counted. */
  readonly of: 'alias' | 'identify';
  readonly anonymousId: string;
  readonly userId: string;
  readonly messageId?: string;
  readonly timeMs: number;
}

export type Call = EventCall | TraitsCall | AliasCall;

/** Calls of one request for one tablet, stamped on receipt. */
export interface CallsRecord {
  readonly kind: 'calls';
  readonly atMs: number;
  readonly calls: readonly Call[];
  /** Values of the request that were over a limit and not kept; counted with one of its records. */
  readonly droppedValues?: number;
}

/** Time has reached `atMs`. */
export interface TickRecord {
  readonly kind: 'tick';
  readonly atMs: number;
}

/**
 * What one tablet hands to another about a merged user: `sequence` grows by one per (source, target) pair, so that a
 * repeated transfer is known by its number.
 */
export interface TransferRecord {
  readonly kind: 'transfer';
  readonly atMs: number;
  /** Prefix bits of the source tablet. */
  readonly source: string;
  readonly sequence: number;
  readonly anonymousId: string;
  readonly userId: string;
  /** How many deletions its source had applied when it was made, 0 if not there: void if the user was deleted since. */
  readonly deletions?: number;
  readonly content: TransferContent;
}

export type TransferContent =
  /** Everything the source had of the anonymous user; in several when there are many events. */
  | {
      readonly kind: 'user';
      readonly events: readonly TransferredEvent[];
      /** Nothing more follows: the source may drop the user when this one is done. */
      readonly last: boolean;
      /** Opaque to all but src/store/profiles/profiles.ts. */
      readonly traits: Readonly<Record<string, unknown>>;
      /** Opaque to all but src/delivery/outbox.ts. */
      readonly outbox: readonly unknown[];
    }
  /** A call that named the anonymous user after the merge. Triggers what any call triggers. */
  | { readonly kind: 'call'; readonly call: EventCall | TraitsCall }
  /** The outcome of a message that moved with its user. */
  | { readonly kind: 'outcome'; readonly outcome: OutcomeRecord }
  /** The user was deleted while it was under way: only its number counts. */
  | { readonly kind: 'erased' };

export interface TransferredEvent {
  readonly timeMs: number;
  readonly event: string;
  readonly properties: Readonly<Record<string, Value>>;
}

/** The target has this transfer: the source drops it. In one frame with its transfer when both share a log. */
export interface TransferDoneRecord {
  readonly kind: 'transferDone';
  readonly atMs: number;
  readonly target: string;
  readonly sequence: number;
}

/** How a try to send ended. */
export interface OutcomeRecord {
  readonly kind: 'outcome';
  readonly atMs: number;
  readonly messageId: string;
  readonly user: UserRef;
  readonly result:
    | { readonly kind: 'sent' }
    | { readonly kind: 'retry'; readonly reason: string; readonly notBeforeMs: number }
    | { readonly kind: 'failed'; readonly reason: string }
    | { readonly kind: 'skipped'; readonly reason: string };
}

/** Collected items that were refused, kept with the reason. */
export interface DeadLettersRecord {
  readonly kind: 'deadLetters';
  readonly atMs: number;
  readonly letters: readonly DeadLetter[];
}

export interface DeadLetter {
  readonly reason: string;
  readonly path?: string;
  /** The item as it was sent, JSON text, cut at the event limit. */
  readonly item: string;
  readonly receivedAtMs: number;
}

/** A dead letter was replayed or is no longer wanted. */
export interface DeadLetterDoneRecord {
  readonly kind: 'deadLetterDone';
  readonly atMs: number;
  readonly ids: readonly string[];
}

/** Names seen for the first time by a collector; those beyond the account's limits stay undeclared (INTERFACE §2). */
export interface DeclareRecord {
  readonly kind: 'declare';
  readonly atMs: number;
  readonly events: readonly { readonly event: string; readonly properties: readonly string[] }[];
  readonly traits: readonly string[];
}

/** An account-wide decision, in force from this place in the log on. `value` null removes. */
export interface ControlRecord {
  readonly kind: 'control';
  readonly atMs: number;
  readonly what: ControlKind;
  readonly name: string;
  /** JSON; its shape belongs to who reads it: query/parse.ts, delivery/campaign.ts, tablet/account.ts, ... */
  readonly value: unknown;
}

/** `suppression`: an address that must not be sent to again, named `channel:address`. */
export type ControlKind = 'account' | 'segment' | 'campaign' | 'key' | 'suppression';

/** Lines [from, to) of an import, numbered from 1, are in the log. */
export interface ImportRecord {
  readonly kind: 'import';
  readonly atMs: number;
  /** SHA-256 of the file's content, hex. */
  readonly id: string;
  readonly from: number;
  readonly to: number;
  /** Set by the last one. */
  readonly finished: boolean;
}

/**
 * A tablet becomes two, by the next bit of its users' hashes. Alone in its section. Void when the tablet is no more, or
 * when its account has `tabletsMax` of them.
 */
export interface SplitRecord {
  readonly kind: 'split';
  readonly atMs: number;
  /** Prefix bits of the tablet. */
  readonly tablet: string;
  readonly tabletsMax: number;
}

/**
 * A user is erased with everything that is known of it. Reaches every tablet of the account: its own has the user, and
 * any may forward ids that were merged into it, or have some of it under way. Void for an anonymous user who has been
 * merged: the person is another one by now, whom whoever asked has to find.
 */
export interface DeleteRecord {
  readonly kind: 'delete';
  readonly atMs: number;
  readonly user: UserRef;
  /** Ids that were merged into the user, as far as was known when this was written: by them dead letters are found. */
  readonly anonymousIds: readonly string[];
}

/** For one tablet. */
export type TabletRecord =
  | CallsRecord
  | TickRecord
  | TransferRecord
  | TransferDoneRecord
  | OutcomeRecord
  | DeadLettersRecord
  | DeadLetterDoneRecord;

/** For an account: reaches every one of its tablets, and every thread's view of the account. */
export type AccountRecord = DeclareRecord | ControlRecord | ImportRecord | SplitRecord | DeleteRecord;

export type LogRecord = TabletRecord | AccountRecord;
