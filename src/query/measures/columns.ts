import type { Value } from '../../base/value.ts';

/**
 * Events of users as columns, each user's together and in trail order. Measures are asked about one user's at a time,
 * those in [from, to), and count only the events of their kind: those with its bit in `kinds`.
 */
export interface EventColumns {
  readonly timesMs: Float64Array;
  /** Bit k: the event is of kind k. An event may be of several kinds, or of none. */
  readonly kinds: Uint32Array;
  /** Of each event of the kind its number; NaN when it has none, or another value. Undefined entries elsewhere. */
  numbers(prop: string, kind: number): Float64Array;
  /** Of each event of the kind its value; of other events anything. */
  values(prop: string, kind: number): readonly (Value | undefined)[];
}
