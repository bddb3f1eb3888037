import type { ValueIds } from '../valueIds.ts';

/**
 * Events of users as columns, each user's together and in trail order. Measures are asked about one user's at a time,
 * those in [from, to), and count only the events of their kind: those with its bit in `kinds`. Columns may be longer
 * than there are events.
 */
export interface EventColumns {
  readonly timesMs: Float64Array;
  /** Bit k: the event is of kind k. An event may be of several kinds. */
  readonly kinds: Uint32Array;
  /** Of each event the number that it has as this property; NaN when it has none, or another value. */
  numbers(prop: string): Float64Array;
  /** Of each event the id of what it has as this property; NO_VALUE when that is nothing. */
  valueIds(prop: string): Uint32Array;
  /** What the ids stand for: the same for all columns of a walk. */
  readonly values: ValueIds;
}
