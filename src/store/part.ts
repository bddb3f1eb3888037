import type { Bitset } from '../base/bitset.ts';
import type { ArraySource } from '../base/spareArrays.ts';
import type { Scalar, Value } from '../base/value.ts';
import type { RowCounter } from '../encoding/kernels/tally.ts';

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

  /** Rows with one of these event codes; undefined = all rows. A bitset taken from the arrays, owned by the caller. */
  selectEvents(eventCodes: readonly number[] | undefined, arrays?: ArraySource): Bitset;
  /** Keeps rows with fromMs <= time < toMs. */
  andTime(rows: Bitset, fromMs: number, toMs: number): void;
  /** Keeps rows whose value of the property satisfies the predicate (`missing` decides for rows without one). */
  andProperty(rows: Bitset, propertyCode: number, predicate: ValuePredicate): void;
  /** Keeps rows of these ordinals. */
  andUsers(rows: Bitset, ordinals: Bitset): void;
  /** Whether any row has an array as this property. May be conservative. */
  mayHaveArrays(propertyCode: number): boolean;
  /** Asks the predicate about the property's many texts in small steps, so that `andProperty` has the answers. */
  askSteps?(propertyCode: number, predicate: ValuePredicate): Generator<void>;
  /** Counts the rows for the rules that want them, for the ordinal of each. In small steps, as rowsByUserSteps. */
  tallySteps(wanted: TallyWanted, counter: RowCounter): Generator<void, void>;
  /** counts[ordinal] += number of selected rows, for every ordinal with rows here. */
  countByOrdinal(rows: Bitset, counts: Uint32Array): void;

  /**
   * The selected rows, user by user, and which of up to 32 other selections, `kinds`, have them. In small steps; neither the
   * part nor selections may change until the cursor is done. What it takes of the arrays it gives back at its end.
   */
  rowsByUserSteps(
    rows: Bitset,
    kinds: readonly (Bitset | undefined)[],
    arrays?: ArraySource,
  ): Generator<void, RowCursor>;
  /**
   * The selected rows in order, and numbers that each is placed by: one or two, as there are `places`, each the sum of what
   * they say. Of whatever is `wanted`. In small steps; where a part can do that sooner than rowsByUserSteps.
   */
  placedRowsSteps?(
    rows: Bitset,
    places: readonly (readonly PlacedBy[])[],
    wanted: PlacedWanted,
    visit: (batch: PlacedBatch) => void,
    arrays?: ArraySource,
  ): Generator<void, void>;
  /** Reads a property's cells in batches; undefined when no row has one. Good until what it takes of the arrays is given back. */
  cellReader(propertyCode: number, arrays?: ArraySource): CellReader | undefined;

  /** Whether rows of merged users may be here under the ordinals that stand for them. */
  readonly hasOrigins: boolean;
  /** n: the row was of the n-th user that was merged into the one it is of; 0: it is that one's own. */
  originAt(row: number): number;

  /** The ordinal's rows by time, those of one time by origin, then arrival; undefined when there are none. */
  trailOf(ordinal: number): PartTrail | undefined;

  eventAt(row: number): number;
  /** target[i] = eventAt(rows[i]). Of a block rows ascend. */
  readEvents(rows: Uint32Array, target: Uint32Array): void;
  timeAt(row: number): number;
  ordinalAt(row: number): number;
  valueAt(row: number, propertyCode: number): Value | undefined;
  /** All properties of a row: [property code, value], in ascending order of code. */
  propertiesAt(row: number): readonly (readonly [number, Value])[];
}

/** What is read of rows at once, at most. */
export const BATCH_ROWS = 8192;

/** Rows, and what goes with each. */
export interface RowBatch {
  readonly rows: Uint32Array;
  readonly ordinals: Uint32Array;
  readonly timesMs: Float64Array;
  /** Bit k: the k-th selection has the row. */
  readonly kinds: Uint32Array;
}

/** Reads rows by ordinal, then time, then origin, then arrival, unless it says otherwise. */
export interface RowCursor {
  /**
   * Puts the next rows, up to BATCH_ROWS, where the batch has room for so many from `at` on. How many; 0 at the end. What the
   * batch has no place for is not read.
   */
  readInto(batch: RowTarget, at: number): number;
}

/** A batch that need not want times, nor whose rows they are. */
export type RowTarget = Pick<RowBatch, 'rows' | 'kinds'> & Partial<RowBatch>;

/** So many times the code that a reader of the part gives; or the interval that the time is in, which is one of them. */
export type PlacedBy =
  | { readonly reader: CellReader; readonly factor: number }
  | { readonly intervals: TimeIntervals };

export interface TimeIntervals {
  readonly count: number;
  /** Where each begins, and where the last one ends. */
  readonly startsMs: Float64Array;
  indexOf(timeMs: number): number;
  /** target[i] = the interval that a time is in, for the first `count` of them. */
  place(timesMs: Float64Array, count: number, target: Int32Array): void;
}

/** Each row for itself; or how many follow one another that are placed alike, of all users together or of each. */
export type PlacedWanted = 'rows' | 'counts' | 'users';

/** Some rows, up to GATHERED_ROWS, in entries: where counts are enough, one may be several rows. Good until the next batch. */
export interface PlacedBatch {
  /** Entries. */
  readonly count: number;
  /** Of each entry how many rows it is, which follow one another. */
  readonly sizes: Uint32Array;
  /** For each entry a number of its user, ascending; anything where nobody asked. */
  readonly users: Uint32Array;
  readonly places: readonly Uint32Array[];
  /** Lists the rows themselves, where they were asked for. */
  rows(): Uint32Array;
}

/**
 * What rules want, each with a bit of a mask: events of some names, with some values of one property, at some times. A rule
 * wants a row whose three masks all have its bit.
 */
export interface TallyWanted {
  readonly propertyCode: number;
  /** By event code; other events no rule wants. */
  readonly eventMasks: ReadonlyMap<number, Uint32Array>;
  /** Holds of every value that any rule wants: no number, nor what is missing. */
  readonly predicate: ValuePredicate;
  /** Pure; asked about values that satisfy the predicate. Valid until the next call. */
  maskOfValue(value: Value): Uint32Array;
  /** They ascend. */
  readonly timeBounds: Float64Array;
  /** A mask for the times before the first bound, and one for those from each bound on. */
  readonly timeMasks: Uint32Array;
}

/** A property's cells as codes. Equal codes stand for equal values, but a value may have several codes. */
export interface CellReader {
  /** All codes are below. May grow in a head. */
  readonly codeEnd: number;
  /** The code of nothing, and that of a number; every other stands for one text, boolean or array. NO_CODE: no cell has it. */
  readonly missingCode: number;
  readonly numberCode: number;
  /** codes[i] = what is in rows[i], for i < count; numbers[i] = the number, else NaN. Of a block rows ascend. */
  read(rows: Uint32Array, count: number, codes: Uint32Array, numbers: Float64Array): void;
  /** Of a code that stands for a value. */
  valueOf(code: number): Value;
  /** Of such a code: that of the tablet's dictionary for the same text, where it is known; else -1. */
  sharedCodeOf(code: number): number;
}

export const NO_CODE = -1;

/** Rows, and the time of each. Not to be changed. */
export interface PartTrail {
  readonly rows: readonly number[];
  /** Plain arrays, as they mostly are short: a typed one has an object, and memory, outside the heap. */
  readonly timesMs: readonly number[];
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
  /** When those texts that are moments (profiles/moments.ts) pass of which fromMs <= time < toMs: that. */
  readonly span?: { readonly fromMs: number; readonly toMs: number };
  /** Every value passes. */
  readonly any?: true;
}
