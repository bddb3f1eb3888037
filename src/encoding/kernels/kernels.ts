import type { NumberVector, Runs } from '../contract.ts';
import type { Tally, TallyMasks, TallyRows } from './tally.ts';

/**
 * The hot loops. Two implementations that do the same: WebAssembly SIMD, and its plain TypeScript twin.
 *
 * Codes are packed: that of row i is the `bits` bits (1 to 32) from bit i * bits on, lowest first, where bit 8 k is the
 * lowest of byte k; so widths of 8, 16 and 32 are plain little-endian integers. `packed` holds ⌈count * bits / 8⌉ bytes
 * or more, and may begin anywhere in its buffer, shared or not. Nothing is read past its end.
 *
 * Bitmaps have bit i in word i >>> 5 at i & 31. Of a result the first ⌈count / 32⌉ words are written whole, so that
 * bits past the count are 0. Arguments are not checked, and results may not overlap inputs.
 */
export interface Kernels {
  readonly name: 'simd' | 'plain';

  /** Bit i = (code of row i === code). A code that is too wide is found nowhere. */
  selectEqual(packed: Uint8Array, bits: number, code: number, count: number, words: Uint32Array): void;
  /** Bit i = (from <= code of row i <= to), where `from` and `to` are whole numbers of 0 to 2^32 - 1. */
  selectRange(
    packed: Uint8Array,
    bits: number,
    from: number,
    to: number,
    count: number,
    words: Uint32Array,
  ): void;
  /**
   * The same; and to `groups`, as far as there is room, the numbers of groups of 16 rows, ascending: those in which a code
   * is `from` or `to`, and perhaps the last one. Returns how many there are.
   */
  selectRangeBounds(
    packed: Uint8Array,
    bits: number,
    from: number,
    to: number,
    count: number,
    words: Uint32Array,
    groups: Uint32Array,
  ): number;
  /** Bit i = table[code of row i], a 0 or 1; codes past the table's end are not selected. For bits <= 16. */
  selectSet(packed: Uint8Array, bits: number, table: Uint8Array, count: number, words: Uint32Array): void;
  /** words[i] &= others[i], for each of `words`. */
  and(words: Uint32Array, others: Uint32Array): void;
  /** target[i] = the code of row fromRow + i, for i < count. */
  unpack(packed: Uint8Array, bits: number, fromRow: number, count: number, target: Uint32Array): void;

  /**
   * Sets the rows of selected runs: the first one is [0, firstEnd), each other as long as its difference, and bit r of
   * `runs` says whether run r is selected. At most CHUNK_ROWS_MAX rows.
   */
  fillRuns(runs: Uint32Array, firstEnd: number, lengths: Differences, words: Uint32Array): void;
  /**
   * The same for runs that begin at the rows whose bit in `starts` is set, that of row 0 among them: ⌈rowCount / 8⌉ bytes,
   * whose bits past the rows are 0. A bit in `runs` for each of them, and 0 behind. At most CHUNK_ROWS_MAX rows.
   */
  fillStarts(runs: Uint32Array, starts: Uint8Array, rowCount: number, words: Uint32Array): void;
  /**
   * target[i] = the code of the run that has row row + i, as far as runs and the target go: run r has rows up to ends[r],
   * which ascend from beyond `row`, and code codes[r]. Returns the next row. At most GATHERED_ROWS runs.
   */
  repeat(codes: Uint32Array, ends: Uint32Array, row: number, target: NumberVector): number;
  /**
   * Runs of `rowCount` rows by class, where those next to each other of one class are one: the class of a code is that at
   * code >>> shift of `table`, or its last one behind it. Each run has a code. Returns how many there are; `target` has room
   * for as many as there are codes. At most CHUNK_ROWS_MAX rows.
   */
  classRuns(
    codes: Packed,
    bounds: RunBounds,
    rowCount: number,
    table: Uint32Array,
    shift: number,
    target: Runs,
  ): number;
  /**
   * target[i] = base + the number of the bit that is set and has skip + i such before it, as far as there are and fit;
   * returns how many that is. At most CHUNK_ROWS_MAX bits.
   */
  positions(words: Uint32Array, base: number, skip: number, target: Uint32Array): number;
  /**
   * target[i] = base + the number of the bit that is set and has rows[i] - first such before it; there must be one. Rows
   * ascend and may come again; at most GATHERED_ROWS, and CHUNK_ROWS_MAX bits.
   */
  positionsOf(words: Uint32Array, base: number, rows: Uint32Array, first: number, target: Uint32Array): void;
  /**
   * Users of selected rows, whose bits `firsts` has where a user's rows begin: found[i] = user << 16 | selected rows,
   * users ascending from that of the row before these, who is 0. One with many rows may be found again, right after.
   * Behind them the user of the last row, with no rows. Returns how many are found; at most COUNTED_WORDS words.
   */
  countUsers(rows: Uint32Array, firsts: Uint32Array, found: Uint32Array): number;
  /**
   * counts[ordinal] += selected rows, for each user: those whose rows begin where `firsts` has bits, and before them that of
   * the row before these. There is an ordinal for each, and no ordinal comes twice. At most COUNTED_WORDS words.
   */
  addUsers(rows: Uint32Array, firsts: Uint32Array, ordinals: Uint32Array, counts: Uint32Array): void;
  /**
   * counts[r] = bits of `words` set in [offsets[r], offsets[r + 1]) for every run r < offsets.length - 1. Offsets
   * ascend and end within `words`.
   */
  countRuns(words: Uint32Array, offsets: Uint32Array, counts: Uint32Array): void;
  /**
   * As countRuns, and of those rows' values (none is NaN) the sum, added in order of rows, the least and the largest:
   * 0, Infinity and -Infinity for a run without any.
   */
  reduceRuns(words: Uint32Array, values: Float64Array, offsets: Uint32Array, target: RunTotals): void;

  /**
   * target[i] = code of row rows[i], where `first` is the row whose code begins `packed`. Rows ascend and may come again;
   * at most GATHERED_ROWS.
   */
  gather(packed: Uint8Array, bits: number, rows: Uint32Array, first: number, target: Uint32Array): void;
  /**
   * target[i] = before + the bits of `words` set up to and with row rows[i], where `first` is the row of their first bit.
   * Rows ascend and may come again; at most GATHERED_ROWS.
   */
  ranks(words: Uint32Array, rows: Uint32Array, first: number, before: number, target: Uint32Array): void;
  /**
   * target[i] = the code of the run that has row rows[i] - first; each run has one. Rows ascend and may come again; at most
   * GATHERED_ROWS, and CHUNK_ROWS_MAX from row 0 on.
   */
  gatherRuns(codes: Packed, bounds: RunBounds, rows: Uint32Array, first: number, target: Uint32Array): void;
  /**
   * target[i] = the same times 2^low.bits, plus the row's own code of `low`, which begins at row 0. Codes of runs have at
   * most 53 - low.bits bits.
   */
  gatherSplit(
    codes: Packed,
    bounds: RunBounds,
    low: Packed,
    rows: Uint32Array,
    first: number,
    target: Float64Array,
  ): void;
  /**
   * target[i] = before + the bits of `words` set before row rows[i], where `first` is the row of their first bit; NO_PLACE
   * where its own is not set. Rows ascend and may come again; at most GATHERED_ROWS, and CHUNK_ROWS_MAX bits. Returns how many
   * have NO_PLACE.
   */
  places(words: Uint32Array, rows: Uint32Array, first: number, before: number, target: Uint32Array): number;
  /**
   * Lists the rows whose bit is set, the first bit being that of `before.row`. users[i] = before.user + the bits of `firsts`
   * set up to and with rows[i]. Returns how many; at most GATHERED_ROWS of CHUNK_ROWS_MAX bits.
   */
  listRows(
    selected: Uint32Array,
    firsts: Uint32Array,
    before: { readonly row: number; readonly user: number },
    rows: Uint32Array,
    users: Uint32Array,
  ): number;

  /**
   * target[n] += factor * the code of the n-th row whose bit is set, modulo 2^32; the first bit is that of `row`, a multiple
   * of 64, and the first code that of row 0. At most GATHERED_ROWS of CHUNK_ROWS_MAX bits.
   */
  addCodes(selected: Uint32Array, row: number, codes: RowCodes, factor: number, target: Uint32Array): void;
  /**
   * The same, but places[code], of at most PLACES_MAX. Where that is NO_PLACE nothing is added, but n, the row and the code are
   * put to `others`, three numbers for each such row, in which there is room for GATHERED_ROWS. Returns how many there are.
   */
  addPlaces(
    selected: Uint32Array,
    row: number,
    codes: RunRowCodes,
    places: Uint32Array,
    target: Uint32Array,
    others: Uint32Array,
  ): number;
  /**
   * Both for two streams of runs at once: selected rows of one 64-bit word that follow one another are one entry where they have
   * the same runs of both and one user; each is its own where `areApart`. Says of the n-th entry what PlacedEntries has. Where the second stream
   * has NO_PLACE, rows are entries each, nothing is added, seconds[n] is the code, and n << 16 | row is put to `others`. At most
   * PLACES_MAX places each, and limits as above.
   */
  placeRuns(rows: RowsOfRuns, entries: PlacedEntries): PlacedCounts;
  /**
   * places[k] = the interval that all of base + length * k and less than one length more is in, of those that begin at
   * `startsMs`, where the last one ends too; NO_PLACE where that may be in two. At most INTERVALS_MAX and PLACES_MAX; what is
   * in no interval may be anything.
   */
  placeLengths(startsMs: Float64Array, base: number, length: number, places: Uint32Array): void;
  /** target[n] = before + the bits of `firsts` set up to and with the n-th row whose bit in `selected` is. Limits as above. */
  rankRows(selected: Uint32Array, firsts: Uint32Array, before: number, target: Uint32Array): void;
  /**
   * Of rows that are given by user, and of a user by interval: tallies[2 * (code * width + interval)] += the size of each
   * entry; and for each group of one user and interval the number behind it becomes more by one, with the code of the group's
   * first row. Puts to `several` those entries of groups that have another code than the one before. Returns how many. At most
   * GATHERED_ROWS.
   */
  countGroups(rows: GroupedRows, width: number, tallies: Uint32Array, several: Uint32Array): number;
  /** 6 * GATHERED_ROWS numbers that stay near: in them, or in a part of them, kernels read and write them where they are. */
  readonly near: Uint32Array;

  /**
   * Bit k of target[n] = whether the k-th bitmap has the n-th row of `selected`; undefined has none. All are as long as
   * `selected`, which has at most GATHERED_ROWS of CHUNK_ROWS_MAX bits set; at most 32 bitmaps.
   */
  markKinds(selected: Uint32Array, bitmaps: readonly (Uint32Array | undefined)[], target: Uint32Array): void;

  /** numbers[i] = base + unit * numbers[i] for i < count; of whole ones modulo 2^32. */
  scale(numbers: NumberVector, count: number, base: number, unit: number): void;
  /** numbers[i] = table[numbers[i] - first]. */
  lookUp(numbers: Uint32Array, first: number, table: Uint32Array): void;
  /** target[i] = source[places[i]]; both of one kind. */
  take<T extends Uint32Array | Float64Array>(source: T, places: Uint32Array, target: T): void;
  /** sums[places[i]] += sizes[i]. */
  addSizes(places: Uint32Array, sizes: Uint32Array, sums: Uint32Array): void;
  /** sums[ordinal] += the number, one event after the other: of those with the bit among their kinds, and unless it is NaN. */
  addNumbers(events: WalkedNumbers, bit: number, sums: Float64Array): void;
  /**
   * Of events' ordinals, which ascend, the different ones, and where the events of each start; behind the last start is the
   * end. Returns how many there are; in both there is room for one more than events.
   */
  listUsers(ordinals: Uint32Array, users: Uint32Array, starts: Uint32Array): number;
  /** Bit i = whether low <= numbers[i] <= high, or, if not `isWithin`, whether it is not so; of NaN neither. Whole words. */
  selectNumbers(
    numbers: Float64Array,
    low: number,
    high: number,
    isWithin: boolean,
    words: Uint32Array,
  ): void;

  /**
   * counts[ordinal] += in how many intervals, other than latest[ordinal], the user has events with the bit among their kinds;
   * latest[ordinal] is the last of them then, if any. All events are in intervals.
   */
  addIntervals(
    events: UserEvents,
    bit: number,
    intervals: IntervalTable,
    counts: Float64Array,
    latest: Float64Array,
  ): void;
  /**
   * Puts whoever has none yet into the cohort of the interval of the first event of kind 1, and counts users with events of
   * kind 2 from then on in that interval, and in each of the next `periods`. All events are in intervals; later calls go on
   * with later ones.
   */
  countCohorts(events: UserEvents, intervals: IntervalTable, periods: number, counts: CohortCounts): void;

  /**
   * Begins to bring events together by user: next[u] = where those of the ordinal first + u begin, of events with the
   * ordinals that the sources have. There is one more, where the last ones end.
   */
  startPlaces(sources: readonly Uint32Array[], first: number, next: Uint32Array): void;
  /**
   * Puts each event of a source to its user's next place, and counts that on; target.origins[place] = before + i for the i-th.
   * Without times the target has none.
   */
  placeEvents(
    ordinals: Uint32Array,
    first: number,
    next: Uint32Array,
    before: number,
    source: Omit<PlacedColumns, 'origins'>,
    target: PlacedColumns,
  ): void;
  /**
   * Of ends[u], where the events of the ordinal first + u end, makes where they start, only of those that have any, and behind
   * the last of them the end. Returns how many there are, whose ordinals it lists.
   */
  keepFilled(ends: Uint32Array, first: number, ordinals: Uint32Array): number;

  /**
   * How far users get along steps that follow each other within a window, as Chains says (query/analytics/chains.ts): bit s of
   * an event's kinds is set when it may be step s, of at most CHAIN_STEPS_MAX. A user's level is NOT_WALKED where Chains has to
   * say it: where several events are of one time, or of any user.
   */
  walkChains(events: UserEvents, stepCount: number, windowMs: number, found: FoundChains): void;

  /**
   * Lists rule << PAIR_ORDINAL_BITS | ordinal for each row and rule that a tally of the same would count: some at a time, good
   * until `visit` returns. Ordinals have PAIR_ORDINAL_BITS bits.
   */
  listMatches(rows: TallyRows, masks: TallyMasks, visit: (pairs: Uint32Array) => void): void;
  /** A tally of so many users, of counts that are asked about up to `countMax`, at most TALLY_COUNT_MAX. */
  newTally(userCount: number, countMax: number): Tally;

  /** Bit n of `dense` goes to where `rows` has its n-th bit set; the other bits of `words`, as long as `rows`, are 0. */
  expand(dense: Uint32Array, rows: Uint32Array, words: Uint32Array): void;
  /**
   * The inverse: bit n of `dense` = the bit of `words` where `rows` has its n-th bit set. Writes all of `dense`, which
   * has a bit for each that `rows` has.
   */
  compress(words: Uint32Array, rows: Uint32Array, dense: Uint32Array): void;

  /**
   * Counts the cells of these rows, counts[property * TAGS_END + tag]++, and sets the bit of each row's event among the words
   * of `seen` that each of its properties has, as many of each.
   */
  countCells(
    cells: RowCells,
    rows: Uint32Array,
    events: RowEvents,
    counts: Uint32Array,
    seen: Uint32Array,
  ): void;
  /**
   * Puts the cells of these rows, in turn, where the next one of their property goes, ends[property]++, and beside each how
   * many rows came before that count for its property's set. `events` are those of the rows.
   */
  placeCells(
    cells: RowCells,
    rows: Uint32Array,
    events: Uint32Array,
    sets: CellSets,
    ends: Uint32Array,
    target: PlacedCells,
  ): void;
  /**
   * A pass of a stable sort: keys, and an entry that goes with each, in the order of the keys' `bits` bits from bit `shift` on.
   * Up to SORTED_BITS_MAX.
   */
  sortByDigit(
    keys: Uint32Array,
    entries: Uint32Array,
    shift: number,
    bits: number,
    targetKeys: Uint32Array,
    targetEntries: Uint32Array,
  ): void;

  /** The least and the greatest of these numbers; 0xffffffff and 0 of none. */
  bounds(numbers: Uint32Array): { readonly min: number; readonly max: number };
  /**
   * Runs of equal numbers without their lowest bits, of which they have less than 32: the number of each, and where it
   * ends. Returns how many runs there are; both targets have room for one a number, and may be written to behind them.
   */
  runs(codes: Uint32Array, lowBits: number, runCodes: Uint32Array, ends: Uint32Array): number;
  /** The lowest bits of each number, packed to ⌈codes.length * bits / 8⌉ bytes. */
  pack(codes: Uint32Array, bits: number, packed: Uint8Array): void;

  /** target[i] = start + the differences from `fromRow` to fromRow + i, for i < count; modulo 2^32. At most CHUNK_ROWS_MAX. */
  sum(differences: Differences, fromRow: number, count: number, start: number, target: Uint32Array): void;
}

/** Row r has the cells [starts[r], starts[r + 1]). */
export interface RowCells {
  readonly starts: Uint32Array;
  readonly properties: Uint32Array;
  readonly tags: Uint8Array;
  readonly payloads: Float64Array;
}

/** The event of row r is numbers[events[r]]. */
export interface RowEvents {
  readonly events: Uint32Array;
  readonly numbers: Uint32Array;
}

/** Sets of events, as numbers. */
export interface CellSets {
  /** By property: its set. */
  readonly ofProperty: Uint32Array;
  /** Event e is in the sets from sets[starts[e]] on, up to sets[starts[e + 1]]. */
  readonly starts: Uint32Array;
  readonly sets: Uint32Array;
  /** By set: how many rows came so far. */
  readonly rows: Uint32Array;
}

export interface PlacedCells extends Pick<RowCells, 'tags' | 'payloads'> {
  readonly rows: Uint32Array;
}

/** What a cell is, is said by a number below it (store/blocks/cell.ts). */
export const TAGS_END = 8;

/** Of a digit: with more places to write to, each is far from the last one. */
export const SORTED_BITS_MAX = 10;

export interface Packed {
  readonly packed: Uint8Array;
  readonly bits: number;
}

/** Packed codes, each of which is the difference of a row from the one before, less the least difference. */
export interface Differences extends Packed {
  readonly least: number;
  readonly count: number;
}

/**
 * Where runs begin, each with its end where the next one begins: a bit for each row of which one does, row 0 among them;
 * or the first one is [0, firstEnd), and each other as long as its difference.
 */
export type RunBounds =
  | { readonly starts: Uint8Array }
  | { readonly firstEnd: number; readonly lengths: Differences };

/** One of each for some rows that follow one another. */
export interface GroupedRows {
  /** How many rows. */
  readonly sizes: Uint32Array;
  readonly users: Uint32Array;
  readonly codes: Uint32Array;
  readonly intervals: Uint32Array;
}

/** One of each an event. */
export interface WalkedNumbers {
  readonly ordinals: Uint32Array;
  readonly kinds: Uint32Array;
  readonly numbers: Float64Array;
}

/** Some users: user i, whose ordinal is ordinals[i], has the events [starts[i], starts[i + 1]), by time. */
export interface UserEvents {
  readonly userCount: number;
  readonly ordinals: Uint32Array;
  readonly starts: Uint32Array;
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
}

/** One of each a user, but for the times of steps. */
export interface FoundChains {
  /** How many steps the user has got to, or NOT_WALKED. */
  readonly levels: Uint32Array;
  /** When step s was taken, at user · steps + s. */
  readonly stepTimesMs: Float64Array;
  /** The event that these steps begin with. */
  readonly firstEvents: Uint32Array;
}

export const CHAIN_STEPS_MAX = 32;
export const NOT_WALKED = 0xffffffff;

export interface PlacedColumns {
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
  readonly origins: Uint32Array;
}

/** Spans of time that ascend without gaps. */
export interface IntervalTable {
  /** Where each begins, and where the last one ends. */
  readonly startsMs: Float64Array;
  /** Of equal pieces of the whole, `pieceMs` long: the interval in which each begins. */
  readonly ofPiece: Uint32Array;
  readonly pieceMs: number;
}

export interface CohortCounts {
  /** By ordinal: the interval, or NO_COHORT. */
  readonly cohorts: Uint32Array;
  /** By ordinal, of whoever has a cohort: all that is before has been counted. */
  readonly countedMs: Float64Array;
  /** By cohort. */
  readonly sizes: Uint32Array;
  /** By cohort · (periods + 1) + intervals later. */
  readonly returned: Uint32Array;
}

export const NO_COHORT = 0xffffffff;

/** Codes of the rows of a chunk; with bounds one for each run. */
export interface RowCodes extends Packed {
  readonly bounds?: RunBounds;
}

export type RunRowCodes = Packed & { readonly bounds: RunBounds };

/** What rows of runs are placed by: places[code]. */
export interface RunPlaces {
  readonly codes: RunRowCodes;
  readonly places: Uint32Array;
}

/** Rows that have a bit in `selected`, the first of which is that of `row`. */
export interface RowsOfRuns {
  readonly selected: Uint32Array;
  readonly row: number;
  readonly runs: readonly [RunPlaces, RunPlaces];
  /** Whether places are sums of both. */
  readonly isSum: boolean;
  /** Of `selected`, which are users' first rows; undefined where nobody asks for users. */
  readonly firsts: Uint32Array | undefined;
  readonly usersBefore: number;
  readonly areApart: boolean;
}

/** Room for one a selected row. */
export interface PlacedEntries {
  /** Of the first stream. */
  readonly places: Uint32Array;
  readonly seconds: Uint32Array;
  /** usersBefore + bits of `firsts` up to and with the entry's rows; usersBefore where there are none. */
  readonly users: Uint32Array;
  /** Rows. */
  readonly sizes: Uint32Array;
  readonly others: Uint32Array;
}

export interface PlacedCounts {
  readonly entries: number;
  readonly others: number;
}

/** At most so many codes that have places: they and all rows of a batch fit the memory. */
export const PLACES_MAX = 1 << 14;

/** The beginnings of so many, and the last end, fit the memory too. */
export const INTERVALS_MAX = (1 << 13) - 1;

/** Of a row that has none. */
export const NO_PLACE = 0xffffffff;

/** One of each per run. */
export interface RunTotals {
  readonly counts: Uint32Array;
  readonly sums: Float64Array;
  readonly mins: Float64Array;
  readonly maxs: Float64Array;
}

/** Of a bitmap whose users are counted at once: their numbers, and their rows, fit 16 bits. */
export const COUNTED_WORDS = 1024;

/** Rows that are gathered at once: what is read of them stays in a near cache. */
export const GATHERED_ROWS = 16384;
