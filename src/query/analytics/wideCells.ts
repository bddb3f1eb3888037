import type { Bitset } from '../../base/bitset.ts';
import { TREND_KEY_SETS_MAX, TREND_WIDE_CELLS_MAX } from '../../base/limits.ts';
import { arraysOf } from '../../base/memoryBudget.ts';
import type { SpareArrays } from '../../base/spareArrays.ts';
import type { Scalar } from '../../base/value.ts';
import { GATHERED_ROWS } from '../../encoding/kernels/kernels.ts';
import type { Part } from '../../store/part.ts';
import type { EventPage } from '../eventPage.ts';
import type { EventPagesOptions } from '../eventPages.ts';
import type { Intervals } from '../intervals.ts';
import { type CellPart, CellValues, NO_CELL } from './cellValues.ts';
import type { EventNumbers } from './eventNumbers.ts';
import { type KeyIds, type KeySource, UNREAD } from './keyIds.ts';
import type { KeyCounter } from './keySurvey.ts';
import type { CellMeasure } from './measure.ts';
import type { PlacedCodes } from './placedCodes.ts';
import { PlacedUsers } from './placedUsers.ts';
import { WideKeys } from './wideKeys.ts';
import { type KeySets, WideUsers } from './wideUsers.ts';

/**
 * What a tablet has of all keys, not only of those that will be chosen: mostly they are few, and then one walk of the
 * events is enough. Cells are key · intervals + interval.
 */
export interface WidePart {
  /** By number; the first is no value. */
  readonly keys: readonly (Scalar | undefined)[];
  /** By event of the request. */
  readonly events: readonly WideCells[];
  /** Of the tablet's intervals: where each begins, and where the last one ends. */
  readonly startsMs: Float64Array;
}

export interface WideCells {
  readonly cells: CellPart;
  /** Of different users: those of each cell who have no other key in the interval, and who has which others. */
  readonly users?: { readonly alone: Float64Array; readonly sets: KeySets };
}

export interface WideOptions extends EventPagesOptions {
  readonly measure: CellMeasure;
  readonly source: KeySource | undefined;
  /** Every event is in one of them. Undefined: they are too many to be kept. */
  readonly intervals: Intervals | undefined;
}

/** Read one by one. */
export interface Events {
  readonly count: number;
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
  /** Where users are counted: all that they did, user by user. */
  readonly page?: EventPage;
}

/** The cells of all keys, until they are too many. */
export class Wide {
  readonly #intervals: Intervals | undefined;
  readonly #keys: WideKeys | undefined;
  #events: readonly (CellValues | WideUsers)[] | undefined;
  readonly #arrays: SpareArrays;
  #intervalOf = new Int32Array(0);
  #keyOf = new Int32Array(0);
  #cells = new Int32Array(0);

  constructor({ view, measure: { kind }, kinds, intervals }: WideOptions, ids: KeyIds | undefined) {
    this.#intervals = intervals;
    this.#arrays = arraysOf(view.budget);
    this.#keys = ids && new WideKeys(ids.values);
    if (intervals === undefined) return;
    this.#events = kinds.map(() =>
      kind === 'users' ? new WideUsers(intervals.count, view.budget) : new CellValues(kind, 0, view.budget),
    );
  }

  add(events: Events, ids: Uint32Array, numbers: Float64Array): void {
    const { count, page } = events;
    const [intervals, values] = [this.#intervals, this.#events];
    if (intervals === undefined || values === undefined) return;
    if (this.#keyOf.length < count) {
      this.#intervalOf = new Int32Array(count);
      this.#keyOf = new Int32Array(count);
      this.#cells = new Int32Array(count);
    }
    const keyEnd = this.#checkedKeyEnd();
    if (keyEnd === undefined) return;
    intervals.place(events.timesMs, count, this.#intervalOf);
    if (page !== undefined) this.#keys?.place(ids, count, this.#keyOf);
    const keyOfId = this.#keys?.keysOfIds() ?? NO_KEYS;
    for (const [kind, own] of values.entries()) {
      const bit = (1 << kind) >>> 0;
      if (own instanceof WideUsers) {
        own.add(page!, bit, this.#intervalOf, this.#keyOf, keyEnd);
        if (own.setCount > TREND_KEY_SETS_MAX) this.#events = undefined;
      } else {
        own.reserve(keyEnd * intervals.count);
        const cells = this.#cells;
        placeKeys(ids, keyOfId, this.#intervalOf, intervals.count, events.kinds, bit, count, cells);
        own.add({ count, userCount: 0, starts: NO_STARTS, cells, numbers });
      }
    }
  }

  #keyOfId(id: number): number {
    return this.#keys?.keysOfIds()[id] ?? 0;
  }

  /** Keys are below; undefined when it is too much, and then nothing is kept. */
  #checkedKeyEnd(): number | undefined {
    const hasSeveral = this.#keys?.hasSeveral ?? false;
    const keyEnd = this.#keys?.keys.length ?? 1;
    const cellCount = keyEnd * this.#intervals!.count * (this.#events?.length ?? 0);
    if (hasSeveral || cellCount > TREND_WIDE_CELLS_MAX) this.#events = undefined;
    return this.#events && keyEnd;
  }

  /** Of a part's rows of a kind how many there are. Where the first interval that has any begins. */
  *addEventsSteps(kind: number, part: Part, rows: Bitset, placed: PlacedCodes): Generator<void, number> {
    const { count, startsMs } = this.#intervals!;
    const counts = yield* placed.countCellsSteps(part, rows);
    const totals = new Uint32Array(counts.length / count);
    let first = count;
    for (let code = 0; code < totals.length; code++) {
      for (let interval = 0; interval < count; interval++) {
        const events = counts[code * count + interval]!;
        totals[code]! += events;
        if (events > 0 && interval < first) first = interval;
      }
    }
    const seen = placed.seenCodes(part);
    seen.addCounts(totals);
    const keyEnd = this.#checkedKeyEnd();
    const own = this.#events?.[kind];
    if (keyEnd !== undefined && own instanceof CellValues) {
      own.reserve(keyEnd * count);
      for (let code = 0; code < totals.length; code++) {
        if (totals[code] === 0) continue;
        const key = this.#keyOfId(seen.ids[code]!);
        for (let i = 0; i < count; i++) own.increase(key * count + i, counts[code * count + i]!);
      }
    }
    yield;
    return first === count ? Number.POSITIVE_INFINITY : startsMs[first]!;
  }

  /** The same of their numbers, added in the order of the rows. */
  *addNumbersSteps(
    kind: number,
    part: Part,
    rows: Bitset,
    placed: PlacedCodes,
    numbers: EventNumbers,
    counter: KeyCounter | undefined,
  ): Generator<void, number> {
    const intervals = this.#intervals!;
    const { count: width, startsMs } = intervals;
    const seen = placed.seenCodes(part);
    const cellOfCode = new Int32Array(seen.ids.length);
    let first = width;
    yield* part.placedRowsSteps!(rows, [placed.codes(part, 1), [{ intervals }]], 'rows', (batch) => {
      const { count, places, sizes } = batch;
      seen.add(places[0]!, sizes);
      first = Math.min(first, leastOf(places[1]!));
      const keyEnd = this.#checkedKeyEnd();
      const own = this.#events?.[kind];
      if (keyEnd === undefined || !(own instanceof CellValues)) return;
      own.reserve(keyEnd * width);
      for (const [code, id] of seen.ids.entries())
        if (id !== UNREAD) cellOfCode[code] = this.#keyOfId(id) * width;
      if (this.#cells.length < count) this.#cells = new Int32Array(GATHERED_ROWS);
      addPlaces(places[0]!, cellOfCode, places[1]!, this.#cells);
      numbers.readBatch({ part, rows: batch.rows(), count });
      own.add({ count, userCount: 0, starts: NO_STARTS, cells: this.#cells, numbers: numbers.numbers });
    });
    counter?.addCounts(kind, seen.ids, seen.counts);
    return first === width ? Number.POSITIVE_INFINITY : startsMs[first]!;
  }

  /** The same of its users, who have no rows in other parts. */
  *addUsersSteps(
    kind: number,
    part: Part,
    rows: Bitset,
    placed: PlacedCodes,
    counter: KeyCounter | undefined,
  ): Generator<void, number> {
    const intervals = this.#intervals!;
    const own = this.#events?.[kind];
    const seen = placed.seenCodes(part);
    // Of arrays of several keys nothing is kept in the end.
    const keyOf = (code: number) => Math.max(0, this.#keyOfId(seen.idOf(code)));
    const users =
      own instanceof WideUsers
        ? new PlacedUsers(own, { codes: seen.counts.length, intervals: intervals.count }, this.#arrays, keyOf)
        : undefined;
    let first = intervals.count;
    yield* part.placedRowsSteps!(
      rows,
      [placed.codes(part, 1), [{ intervals }]],
      'users',
      (batch) => {
        if (users !== undefined && this.#events !== undefined) users.add(batch);
        else {
          seen.add(batch.places[0]!, batch.sizes);
          first = Math.min(first, leastOf(batch.places[1]!));
        }
        this.#checkedKeyEnd();
        if (own instanceof WideUsers && own.setCount > TREND_KEY_SETS_MAX) this.#events = undefined;
      },
      this.#arrays,
    );
    if (users !== undefined) seen.addCounts(users.finish());
    this.#checkedKeyEnd();
    counter?.addCounts(kind, seen.ids, seen.counts);
    if (own instanceof WideUsers) first = Math.min(first, own.firstInterval());
    return first === intervals.count ? Number.POSITIVE_INFINITY : intervals.startsMs[first]!;
  }

  part(): WidePart | undefined {
    if (this.#events === undefined) return undefined;
    const keys = this.#keys?.keys ?? [undefined];
    const cellCount = keys.length * this.#intervals!.count;
    return {
      keys,
      startsMs: this.#intervals!.startsMs,
      events: this.#events.map((own): WideCells => {
        own.reserve(cellCount);
        if (own instanceof CellValues) return { cells: own.part() };
        const cells = { values: own.all(), counts: new Float64Array(0) };
        return { cells, users: { alone: own.alone(), sets: own.sets() } };
      }),
    };
  }
}

function leastOf(intervals: Uint32Array): number {
  let least = intervals[0]!;
  for (let i = 1; i < intervals.length; i++) if (intervals[i]! < least) least = intervals[i]!;
  return least;
}

/** cells[i] = cellOfCode[codes[i]] + intervals[i]. */
function addPlaces(
  codes: Uint32Array,
  cellOfCode: Int32Array,
  intervals: Uint32Array,
  cells: Int32Array,
): void {
  for (let i = 0; i < codes.length; i++) cells[i] = cellOfCode[codes[i]!]! + intervals[i]!;
}

const NO_STARTS = new Uint32Array(1);
/** Without keys every event has id 0, which is key 0. */
const NO_KEYS = new Int32Array(1);

/** cells[i] = key · width + interval of event i, NO_CELL where it is not of the kind. */
function placeKeys(
  ids: Uint32Array,
  keyOfId: Int32Array,
  intervals: Int32Array,
  width: number,
  kinds: Uint32Array,
  bit: number,
  count: number,
  cells: Int32Array,
): void {
  for (let i = 0; i < count; i++) {
    const cell = Math.imul(keyOfId[ids[i]!]!, width) + intervals[i]!;
    cells[i] = (kinds[i]! & bit) === 0 ? NO_CELL : cell;
  }
}
