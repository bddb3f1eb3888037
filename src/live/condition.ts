import type { Bitset } from '../base/bitset.ts';
import type { Value } from '../base/value.ts';

/**
 * A leaf of live segments, shared by all that mention it: true or false for every user, from state that it keeps or by
 * reading the tablet. Ordinals are canonical ones.
 *
 * The caller tells it every stored event of its names, and brings it to every moment that `nextChangeMs` named before
 * it asks about a later one.
 */
export interface Condition {
  /** Events of these names may change it. */
  readonly events: ReadonlySet<string>;
  /** Whether traits may change it. */
  readonly readsTraits: boolean;
  /** Whether time alone may change it. */
  readonly isTimed: boolean;
  readonly strategy: Strategy;
  readonly memoryBytes: number;

  isTrue(ordinal: number, atMs: number): boolean;
  /** No later than the first moment after `afterMs` at which time alone changes it for the user; Infinity: never. */
  nextChangeMs(ordinal: number, afterMs: number): number;
  /** The moment that `nextChangeMs` named has come. */
  onMoment(ordinal: number, atMs: number): void;
  /** One of its events was stored. Whether that may have changed the answer, or brought its next change forward. */
  onEvent(ordinal: number, event: LiveEvent, clockMs: number): boolean;
  /** Takes over, while new, what an equal condition of another tablet keeps of these users. */
  inherit(parent: Condition, here: Bitset): Generator<void>;
  /** Forgets what it keeps of the user. */
  clear(ordinal: number): void;
}

/** Kept up to date from its own state (or the profile), or by reading the user's events again. */
export type Strategy = 'incremental' | 'recomputed';

export interface LiveEvent {
  readonly event: string;
  readonly timeMs: number;
  property(prop: string): Value | undefined;
}
