import { badRequest } from '../base/errors.ts';
import { isoTime, parseTime } from '../base/time.ts';
import type { Value } from '../base/value.ts';
import { readTrail, type TrailRow, walkTrail } from '../store/trail.ts';
import type { TabletView } from '../store/view.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { QueryTimes } from './plan.ts';
import { visibleFromMs } from './users.ts';

export interface TimelineRequest extends QueryTimes {
  readonly limit: number;
  /** Where the last page ended (its `next`), or ISO-8601: only events before that time. */
  readonly before?: string;
  /** Only events of these names. */
  readonly events?: readonly string[];
}

export interface TimelinePage {
  /** Newest first; at equal times the one that arrived last comes first. */
  readonly events: readonly TimelineEvent[];
  /** Set when there are more. */
  readonly next?: string;
}

export interface TimelineEvent {
  readonly event: string;
  /** ISO-8601, UTC, with ms. */
  readonly time: string;
  readonly properties: Readonly<Record<string, Value>>;
}

/**
 * A page as it goes from the user's thread to the one that was asked: lists, since an object for each event takes longer to
 * send, and to receive, than to read.
 */
export interface TimelineRows {
  /** Of events and of properties, which the numbers below count. */
  readonly names: readonly string[];
  /** One of each an event, the oldest first. */
  readonly events: readonly number[];
  readonly timesMs: readonly number[];
  /** Event i has the properties up to propertyEnds[i]. */
  readonly propertyEnds: readonly number[];
  readonly properties: readonly number[];
  readonly values: readonly Value[];
  readonly next?: string;
}

/** What was sent. */
export function timelinePage({ next, ...rows }: TimelineRows): TimelinePage {
  const { names, propertyEnds } = rows;
  const oldestFirst = rows.events.map((event, i): TimelineEvent => {
    const properties: Record<string, Value> = {};
    // No name is __proto__: the collector drops it.
    for (let p = i === 0 ? 0 : propertyEnds[i - 1]!; p < propertyEnds[i]!; p++)
      properties[names[rows.properties[p]!]!] = rows.values[p]!;
    return { event: names[event]!, time: isoTime(rows.timesMs[i]!), properties };
  });
  const events = oldestFirst.reverse();
  return next === undefined ? { events } : { events, next };
}

/**
 * Events before this place: earlier than `timeMs`, or, of the user's events at `timeMs`, among the first `arrived` to
 * arrive. Later arrivals at the same time do not move it.
 */
interface Place {
  readonly timeMs: number;
  readonly arrived: number;
}

/** Rows looked at between two yields, when most may be filtered away. */
const ROWS_PER_STEP = 1000;

/** A page of what a user (any of its ordinals) did, in small steps. Throws `bad_request` at `before`. */
export function* readTimeline(
  view: TabletView,
  ordinal: number,
  request: TimelineRequest,
): Generator<void, TimelineRows> {
  const trail = new Trail(view, ordinal, visibleFromMs(view.settings, request.nowMs));
  const wanted = request.events && new Set(request.events.map((event) => view.schema.eventCode(event)));
  const rows: TrailRow[] = [];
  let seen = 0;
  for (const found of trail.before(startOf(view, request))) {
    if (++seen % ROWS_PER_STEP === 0) yield;
    if (wanted !== undefined && !wanted.has(found.part.eventAt(found.row))) continue;
    if (rows.length === request.limit) {
      const { timeMs, arrived } = trail.placeOf(rows.at(-1)!);
      return { ...rowsOf(view, rows), next: encodeCursor([timeMs, arrived]) };
    }
    rows.push(found);
  }
  return rowsOf(view, rows);
}

function startOf(view: TabletView, { before, atMs }: TimelineRequest): Place {
  const now: Place = { timeMs: atMs + 1, arrived: 0 };
  if (before === undefined) return now;
  const timeMs = parseTime(before, view.settings.timezone);
  const place = timeMs === undefined ? decodePlace(before) : { timeMs, arrived: 0 };
  return place.timeMs < now.timeMs ? place : now;
}

function decodePlace(text: string): Place {
  const [timeMs, arrived] = decodeCursor(text, (length) => length === 2, 'before') as [number, number];
  if (arrived < 0) throw badRequest('is out of range', 'before');
  return { timeMs, arrived };
}

class Trail {
  readonly #view: TabletView;
  readonly #ordinals: readonly number[];
  readonly #fromMs: number;

  constructor(view: TabletView, ordinal: number, fromMs: number) {
    const user = view.users.canonical[ordinal]!;
    this.#view = view;
    this.#ordinals = [user, ...view.users.mergedInto(user)];
    this.#fromMs = fromMs;
  }

  /** Newest first. */
  *before({ timeMs, arrived }: Place): Generator<TrailRow, void> {
    yield* this.#rowsAt(timeMs).slice(0, arrived).reverse();
    const range = { fromMs: this.#fromMs, toMs: timeMs, newestFirst: true };
    yield* walkTrail(this.#view.events, this.#ordinals, range);
  }

  placeOf({ part, row, timeMs }: TrailRow): Place {
    const arrived = this.#rowsAt(timeMs).findIndex((other) => other.part === part && other.row === row);
    return { timeMs, arrived };
  }

  /** In the order of arrival. */
  #rowsAt(timeMs: number): readonly TrailRow[] {
    if (timeMs < this.#fromMs) return [];
    return readTrail(this.#view.events, this.#ordinals, { fromMs: timeMs, toMs: timeMs + 1 });
  }
}

/**
 * Of rows that come newest first. They are read the other way round: how many rows before one have some name is counted on
 * from the row that was asked about last.
 */
function rowsOf({ schema }: TabletView, rows: readonly TrailRow[]): TimelineRows {
  const names: string[] = [];
  const [numberOfEvent, numberOfProperty] = [new Map<number, number>(), new Map<number, number>()];
  const numberOf = (known: Map<number, number>, code: number, nameOf: (code: number) => string): number => {
    const number = known.get(code) ?? names.push(nameOf(code)) - 1;
    known.set(code, number);
    return number;
  };
  const eventName = (code: number) => schema.eventName(code);
  const propertyName = (code: number) => schema.propertyName(code);
  const events: number[] = [];
  const timesMs: number[] = [];
  const propertyEnds: number[] = [];
  const properties: number[] = [];
  const values: Value[] = [];
  for (const { part, row, timeMs } of rows.toReversed()) {
    events.push(numberOf(numberOfEvent, part.eventAt(row), eventName));
    timesMs.push(timeMs);
    for (const [code, value] of part.propertiesAt(row)) {
      properties.push(numberOf(numberOfProperty, code, propertyName));
      values.push(value);
    }
    propertyEnds.push(properties.length);
  }
  return { names, events, timesMs, propertyEnds, properties, values };
}
