import type { EventRows } from './blockFormat.ts';
import { greatest } from './trailOrder.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 16;

export interface RowEvents {
  /** How many rows each event name has, by code. */
  readonly eventRows: readonly EventRows[];
  /** The number, in `eventRows`, of each row's event name. */
  readonly eventOfRow: Uint32Array;
}

/** Of the event code of each row. */
export function* eventsSteps(events: Uint32Array): Generator<void, RowEvents> {
  const counts = new Uint32Array(greatest(events) + 1);
  yield;
  for (let row = 0; row < events.length; row++) counts[events[row]!]!++;
  const numbers = new Uint32Array(counts.length);
  const eventRows: EventRows[] = [];
  counts.forEach((rowCount, eventCode) => {
    numbers[eventCode] = eventRows.length;
    if (rowCount > 0) eventRows.push({ eventCode, rowCount });
  });
  yield;
  const eventOfRow = new Uint32Array(events.length);
  for (let from = 0; from < events.length; from += STEP_ROWS) {
    const to = Math.min(from + STEP_ROWS, events.length);
    for (let row = from; row < to; row++) eventOfRow[row] = numbers[events[row]!]!;
    yield;
  }
  return { eventRows, eventOfRow };
}

export interface UserRows {
  /** One a user. */
  readonly ordinals: Uint32Array;
  /** Each user's first row. */
  readonly starts: Uint32Array;
}

/** Of the ordinal of each row; they ascend. */
export function* usersSteps(ordinalOfRow: Uint32Array): Generator<void, UserRows> {
  const ordinals = new Uint32Array(ordinalOfRow.length);
  const starts = new Uint32Array(ordinalOfRow.length);
  let count = 0;
  for (let from = 0; from < ordinalOfRow.length; from += STEP_ROWS) {
    const to = Math.min(from + STEP_ROWS, ordinalOfRow.length);
    for (let row = from; row < to; row++) {
      if (row > 0 && ordinalOfRow[row] === ordinalOfRow[row - 1]) continue;
      ordinals[count] = ordinalOfRow[row]!;
      starts[count++] = row;
    }
    yield;
  }
  return { ordinals: ordinals.slice(0, count), starts: starts.slice(0, count) };
}
