import type { Bitset } from '../base/bitset.ts';
import type { Scalar, Value } from '../base/value.ts';

/**
 * A run of rows of one tablet, columns addressed by row number [0, rowCount): a sealed block (rows sorted by ordinal,
 * then time, then origin, then arrival) or a head (rows in order of arrival). Queries see nothing but parts.
 *
 * Selections are bitsets of `rowCount` rows. `and...` methods only clear bits of `rows`, never set any.
 */
export interface Part {
  readonly rowCount: number;
  /** Over all rows; Infinity and -Infinity when there are none. */
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
  /** Whether any row has this event code. May be conservative (true without such a row). */
  mayHaveEvent(eventCode: number): boolean;

  /** Rows with one of these event codes; undefined = all rows. A fresh bitset, owned by the caller. */
  selectEvents(eventCodes: readonly number[] | undefined): Bitset;
  /** Keeps rows with fromMs <= time < toMs. */
  andTime(rows: Bitset, fromMs: number, toMs: number): void;
  /** Keeps rows whose value of the property satisfies the predicate (`missing` decides for rows without one). */
  andProperty(rows: Bitset, propertyCode: number, predicate: ValuePredicate): void;
  /** counts[ordinal] += number of selected rows, for every ordinal with rows here. */
  countByOrdinal(rows: Bitset, counts: Uint32Array): void;

  /** The ordinal's rows by time, those of one time by origin, then arrival; undefined when there are none. */
  trailOf(ordinal: number): PartTrail | undefined;

  eventAt(row: number): number;
  timeAt(row: number): number;
  ordinalAt(row: number): number;
  valueAt(row: number, propertyCode: number): Value | undefined;
  /** All properties of a row: [property code, value], in ascending order of code. */
  propertiesAt(row: number): readonly (readonly [number, Value])[];
}

/** Rows, and the time of each. Not to be changed. */
export interface PartTrail {
  readonly rows: ArrayLike<number>;
  readonly timesMs: Float64Array;
  /** n: the row was of the n-th user that was merged into this one, 0: it is its own, as all are without origins. */
  readonly origins?: Uint32Array;
}

/**
 * A test of one property, trait or element. Compiled from the language's P once per query and part of no tablet, so it
 * may be asked about any value; parts ask once per distinct text and remember the answer.
 */
export interface ValuePredicate {
  /** Whether a missing value satisfies it. */
  readonly missing: boolean;
  /** Pure. An array is passed whole. */
  test(value: Value): boolean;
  /** When the predicate is `eq`/`in` of scalars: those, so that a part may look for codes. */
  readonly equalTo?: readonly Scalar[];
  /** When it asks of a number that from <= number < to: that, so that a part may compare without calling. */
  readonly range?: { readonly from: number; readonly to: number };
}
