import type { Call, DeadLetter, DeclareRecord, ImportRecord } from '../log/record.ts';

/** What a collector must know of an account, always the newest its thread knows. */
export interface CollectingView {
  readonly retentionMs?: number;
  /** Whether the name needs no `declare` any more. */
  isDeclared(event: string): boolean;
  isPropertyDeclared(event: string, property: string): boolean;
  isTraitDeclared(trait: string): boolean;
  /** Whether the account's limits allow one more name of the kind besides `pending` new ones of the same request. */
  hasRoomForEvent(pending: number): boolean;
  hasRoomForProperty(event: string, pending: number): boolean;
  hasRoomForTrait(pending: number): boolean;
}

/** One request after checking: what goes into the log as one frame. */
export interface Accepted {
  readonly receivedAtMs: number;
  /** Items that were accepted. An item makes one call that may carry its messageId; `identify` may add an alias. */
  readonly items: number;
  readonly calls: readonly Call[];
  readonly declare?: DeclareRecord;
  /** Items that were refused, each with its reason: every item of a request is either accepted or here. */
  readonly letters: readonly DeadLetter[];
  readonly progress?: ImportRecord;
  /** Values of accepted items that were over a limit and not kept. */
  readonly droppedValues: number;
}

export interface AcceptedCounts {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
}
