import { badRequest } from '../../base/errors.ts';
import { ANALYSIS_INTERVALS_MAX, DAY_MS, HOUR_MS } from '../../base/limits.ts';
import { ZoneOffsets } from '../../base/zoneOffsets.ts';
import { asText } from '../shape.ts';

export const INTERVALS = ['hour', 'day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

/** The shortest there is of each: a day less an hour of changed clocks, February, and less for odd changes. */
const SHORTEST_MS: Readonly<Record<Interval, number>> = {
  hour: HOUR_MS / 2,
  day: 20 * HOUR_MS,
  week: 6 * DAY_MS,
  month: 27 * DAY_MS,
};
/** None is longer: the same the other way round. */
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
  const { interval, zone, fromMs, toMs, more = 0, path = 'interval' } = range;
  if (!(fromMs < toMs)) return intervalsStarting(interval, []);
  if (Math.abs(fromMs) > DATE_MS_MAX || Math.abs(toMs) > DATE_MS_MAX)
    throw badRequest('the range is outside of the calendar', path);
  const refuse = () =>
    badRequest(`the range has more than ${ANALYSIS_INTERVALS_MAX} intervals of a ${interval}`, path);
  const longestMs = LONGEST_MS[interval];
  // Before anything is computed of each of them.
  if ((toMs - fromMs) / longestMs + more > ANALYSIS_INTERVALS_MAX) throw refuse();
  const endMs = toMs + (more + 1) * longestMs;
  const offsets = new ZoneOffsets(zone, fromMs - 2 * longestMs - MARGIN_MS, endMs + MARGIN_MS);
  const startsMs: number[] = [];
  let left = more + 1;
  for (const startMs of startsFrom(interval, offsets, fromMs)) {
    if (startMs === startsMs.at(-1)) continue;
    if (startMs <= fromMs) startsMs.length = 0;
    startsMs.push(startMs);
    if (startMs >= toMs && --left === 0) break;
    if (startsMs.length > ANALYSIS_INTERVALS_MAX) throw refuse();
  }
  return intervalsStarting(interval, startsMs);
}

/** Those of another Intervals' `startsMs`. */
export function intervalsStarting(interval: Interval, startsMs: ArrayLike<number>): Intervals {
  return new Intervals(startsMs, SHORTEST_MS[interval]);
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
export class Intervals {
  readonly count: number;
  /** Where each begins, and where the last one ends: count + 1 entries, or none. */
  readonly startsMs: Float64Array;
  /** Of equal pieces of the whole: the interval that a piece's beginning is in. */
  readonly #ofPiece: Uint32Array;
  readonly #pieceMs: number;

  /** No interval is shorter than `shortestMs`, so that a piece has the end of few. */
  constructor(startsMs: ArrayLike<number>, shortestMs: number) {
    this.startsMs = Float64Array.from(startsMs);
    this.count = Math.max(0, startsMs.length - 1);
    this.#pieceMs = shortestMs;
    const spanMs = this.count === 0 ? 0 : this.endMs - this.startsMs[0]!;
    this.#ofPiece = new Uint32Array(Math.ceil(spanMs / shortestMs));
    let interval = 0;
    for (let piece = 0; piece < this.#ofPiece.length; piece++) {
      const timeMs = this.startsMs[0]! + piece * shortestMs;
      while (timeMs >= this.startsMs[interval + 1]!) interval++;
      this.#ofPiece[piece] = interval;
    }
  }

  /** Where the last one ends. */
  get endMs(): number {
    return this.startsMs[this.count]!;
  }

  /** Which one a time is in; the time must be in one of them. */
  indexOf(timeMs: number): number {
    const startsMs = this.startsMs;
    let interval = this.#ofPiece[Math.floor((timeMs - startsMs[0]!) / this.#pieceMs)]!;
    while (timeMs >= startsMs[interval + 1]!) interval++;
    return interval;
  }

  /** target[i] = indexOf(timesMs[i]) for the first `count` of them. */
  place(timesMs: Float64Array, count: number, target: Int32Array): void {
    const startsMs = this.startsMs;
    const ofPiece = this.#ofPiece;
    const pieceMs = this.#pieceMs;
    const firstMs = startsMs[0]!;
    for (let i = 0; i < count; i++) {
      const timeMs = timesMs[i]!;
      let interval = ofPiece[Math.floor((timeMs - firstMs) / pieceMs)]!;
      while (timeMs >= startsMs[interval + 1]!) interval++;
      target[i] = interval;
    }
  }
}
