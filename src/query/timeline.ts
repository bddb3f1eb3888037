import { badRequest } from '../base/errors.ts';
import { parseTime } from '../base/time.ts';
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
): Generator<void, TimelinePage> {
  const trail = new Trail(view, ordinal, visibleFromMs(view.settings, request.nowMs));
  const wanted = request.events && new Set(request.events.map((event) => view.schema.eventCode(event)));
  const rows: TrailRow[] = [];
  let seen = 0;
  for (const found of trail.before(startOf(view, request))) {
    if (++seen % ROWS_PER_STEP === 0) yield;
    if (wanted !== undefined && !wanted.has(found.part.eventAt(found.row))) continue;
    if (rows.length === request.limit) {
      const { timeMs, arrived } = trail.placeOf(rows.at(-1)!);
      return { events: rows.map((row) => eventOf(view, row)), next: encodeCursor([timeMs, arrived]) };
    }
    rows.push(found);
  }
  return { events: rows.map((row) => eventOf(view, row)) };
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

function eventOf({ schema }: TabletView, { part, row, timeMs }: TrailRow): TimelineEvent {
  const properties: Record<string, Value> = {};
  // No name is __proto__: the collector drops it.
  for (const [code, value] of part.propertiesAt(row)) properties[schema.propertyName(code)] = value;
  return {
    event: schema.eventName(part.eventAt(row)),
    time: new Date(timeMs).toISOString(),
    properties,
  };
}
