import { badRequest } from '../base/errors.ts';
import { ANALYSIS_INTERVALS_MAX, DAY_MS, HOUR_MS } from '../base/limits.ts';
import type { SpareArrays } from '../base/spareArrays.ts';
import { ZoneOffsets } from '../base/zoneOffsets.ts';
import { intervalOf } from '../encoding/kernels/intervals.ts';
import type { IntervalTable } from '../encoding/kernels/kernels.ts';
import type { TimeIntervals } from '../store/part.ts';
import { asText } from './shape.ts';

export const INTERVALS = ['hour', 'day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

/** None is longer, whatever the clocks do. */
const LONGEST_MS: Readonly<Record<Interval, number>> = {
  hour: 2 * HOUR_MS,
  day: 2 * DAY_MS,
  week: 9 * DAY_MS,
  month: 33 * DAY_MS,
};
/** A local time and the instants it may be are never further apart. */
const MARGIN_MS = 3 * DAY_MS;
/** Of dates, either side of 1970: outside there are no months. */
const DATE_MS_MAX = 8.64e15 - 100 * DAY_MS;

export function parseInterval(json: unknown, path: string, known: readonly Interval[] = INTERVALS): Interval {
  const text = asText(json, path);
  const interval = known.find((name) => name === text);
  if (interval === undefined) throw badRequest(`must be one of ${known.join(', ')}`, path);
  return interval;
}

export interface IntervalRange {
  readonly interval: Interval;
  /** IANA. */
  readonly zone: string;
  /** [fromMs, toMs), finite. None when it is empty. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How many more after the last one of the range; 0 when left out. */
  readonly more?: number;
  /** Of the param that an error is about. */
  readonly path?: string;
}

/**
 * The calendar intervals of a zone that have a part in the range, each beginning where the one before ends. Weeks begin
 * on Monday; a day that comes to no instant at all (an island that went across the date line) is left out. Throws
 * `bad_request` when there are more than ANALYSIS_INTERVALS_MAX.
 */
export function intervalsOf(range: IntervalRange): Intervals {
  const intervals = findIntervals(range);
  if (intervals !== undefined) return intervals;
  const { interval, path = 'interval' } = range;
  throw badRequest(`the range has more than ${ANALYSIS_INTERVALS_MAX} intervals of a ${interval}`, path);
}

/** The same; undefined when there are too many. */
export function findIntervals({
  interval,
  zone,
  fromMs,
  toMs,
  more = 0,
}: IntervalRange): Intervals | undefined {
  if (!(fromMs < toMs)) return new Intervals([]);
  if (Math.abs(fromMs) > DATE_MS_MAX || Math.abs(toMs) > DATE_MS_MAX) return undefined;
  const longestMs = LONGEST_MS[interval];
  // Before anything is computed of each of them.
  if ((toMs - fromMs) / longestMs + more > ANALYSIS_INTERVALS_MAX) return undefined;
  const endMs = toMs + (more + 1) * longestMs;
  const offsets = new ZoneOffsets(zone, fromMs - 2 * longestMs - MARGIN_MS, endMs + MARGIN_MS);
  const startsMs: number[] = [];
  let left = more + 1;
  for (const startMs of startsFrom(interval, offsets, fromMs)) {
    if (startMs === startsMs.at(-1)) continue;
    if (startMs <= fromMs) startsMs.length = 0;
    startsMs.push(startMs);
    if (startMs >= toMs && --left === 0) break;
    if (startsMs.length > ANALYSIS_INTERVALS_MAX) return undefined;
  }
  return new Intervals(startsMs);
}

/** Where intervals begin, ascending and without end; the first is at or before `fromMs`. */
function* startsFrom(interval: Interval, offsets: ZoneOffsets, fromMs: number): Generator<number> {
  if (interval === 'hour') {
    yield* hoursFrom(offsets, fromMs);
    return;
  }
  const day = Math.floor((fromMs + offsets.at(fromMs)) / DAY_MS);
  // One earlier, for days whose beginning a change of clocks put after some of their own.
  if (interval === 'day') for (let d = day - 1; ; d++) yield offsets.timeOf(d * DAY_MS);
  // 1 January 1970 was a Thursday.
  const monday = day - ((((day + 3) % 7) + 7) % 7);
  if (interval === 'week') for (let d = monday - 7; ; d += 7) yield offsets.timeOf(d * DAY_MS);
  const date = new Date(day * DAY_MS);
  for (let month = date.getUTCMonth() - 1; ; month++) {
    yield offsets.timeOf(utcMonth(date.getUTCFullYear(), month));
  }
}

/** Date.UTC, which takes the years 0 to 99 for those of the last century. */
function utcMonth(year: number, month: number): number {
  return new Date(0).setUTCFullYear(year, month, 1);
}

/** Times at which clocks show a full hour. Where clocks change by less than an hour, one is longer or shorter. */
function* hoursFrom(offsets: ZoneOffsets, fromMs: number): Generator<number> {
  const pastHour = (timeMs: number) => (((timeMs + offsets.at(timeMs)) % HOUR_MS) + HOUR_MS) % HOUR_MS;
  let startMs = fromMs - 2 * HOUR_MS;
  startMs -= pastHour(startMs);
  for (;;) {
    let nextMs = startMs + HOUR_MS - pastHour(startMs);
    const past = pastHour(nextMs);
    if (past !== 0) nextMs += HOUR_MS - past;
    yield nextMs;
    startMs = nextMs;
  }
}

/** Ascending spans of time without gaps, and which of them a time is in. */
export class Intervals implements TimeIntervals {
  readonly count: number;
  /** Where each begins, and where the last one ends: count + 1 entries, or none. */
  readonly startsMs: Float64Array;
  readonly #table: IntervalTable;
  /** Whether every piece is in one interval. */
  readonly #areWhole: boolean;

  constructor(startsMs: ArrayLike<number>) {
    this.startsMs = Float64Array.from(startsMs);
    this.count = Math.max(0, startsMs.length - 1);
    const spanMs = this.count === 0 ? 0 : this.startsMs[this.count]! - this.startsMs[0]!;
    const commonMs = commonLengthMs(this.startsMs);
    this.#areWhole = commonMs >= spanMs / PIECES_MAX;
    const pieceMs = Math.max(commonMs, spanMs / PIECES_MAX);
    const ofPiece = new Uint32Array(Math.ceil(spanMs / pieceMs));
    let interval = 0;
    for (let piece = 0; piece < ofPiece.length; piece++) {
      const timeMs = this.startsMs[0]! + piece * pieceMs;
      while (timeMs >= this.startsMs[interval + 1]!) interval++;
      ofPiece[piece] = interval;
    }
    this.#table = { startsMs: this.startsMs, ofPiece, pieceMs };
  }

  /** Where the last one ends; there must be one. */
  get endMs(): number {
    return this.startsMs[this.count]!;
  }

  /** Which one a time is in; the time must be in one of them. */
  indexOf(timeMs: number): number {
    return intervalOf(timeMs, this.#table);
  }

  /** As kernels take them: in two of these arrays. */
  table(arrays: SpareArrays): IntervalTable {
    const { startsMs, ofPiece, pieceMs } = this.#table;
    const [ownMs, own] = [arrays.numbers(startsMs.length), arrays.words(ofPiece.length)];
    ownMs.set(startsMs);
    own.set(ofPiece);
    return { startsMs: ownMs, ofPiece: own, pieceMs };
  }

  /** target[i] = indexOf(timesMs[i]) for the first `count` of them. */
  place(timesMs: Float64Array, count: number, target: Int32Array): void {
    const { startsMs, ofPiece, pieceMs } = this.#table;
    if (this.#areWhole) placeInPieces(timesMs, count, startsMs[0]!, ofPiece, pieceMs, target);
    else placeTimes(timesMs, count, startsMs, ofPiece, pieceMs, target);
  }
}

/** A year of hours, or more of quarters: a table that stays in a near cache. */
const PIECES_MAX = 1 << 14;

/** The greatest length of which all intervals are multiples, so that no piece is in two: an hour or a day, mostly. */
function commonLengthMs(startsMs: Float64Array): number {
  let commonMs = 0;
  for (let i = 1; i < startsMs.length; i++) {
    let lengthMs = startsMs[i]! - startsMs[i - 1]!;
    while (lengthMs !== 0) [commonMs, lengthMs] = [lengthMs, commonMs % lengthMs];
  }
  return Math.max(commonMs, 1);
}

function placeInPieces(
  timesMs: Float64Array,
  count: number,
  firstMs: number,
  ofPiece: Uint32Array,
  pieceMs: number,
  target: Int32Array,
): void {
  // Not negative, and small: cutting it to 32 bits is quicker than rounding down.
  for (let i = 0; i < count; i++) target[i] = ofPiece[((timesMs[i]! - firstMs) / pieceMs) | 0]!;
}

/** Where there were too many pieces for each of them to be in one interval. */
function placeTimes(
  timesMs: Float64Array,
  count: number,
  startsMs: Float64Array,
  ofPiece: Uint32Array,
  pieceMs: number,
  target: Int32Array,
): void {
  const firstMs = startsMs[0]!;
  for (let i = 0; i < count; i++) {
    const timeMs = timesMs[i]!;
    let interval = ofPiece[((timeMs - firstMs) / pieceMs) | 0]!;
    while (timeMs >= startsMs[interval + 1]!) interval++;
    target[i] = interval;
  }
}
