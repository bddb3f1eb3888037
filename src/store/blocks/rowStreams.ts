import { greatest } from '../trailOrder.ts';
import type { EventRows } from './blockFormat.ts';

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

export interface RowUsers {
  /** One a user, ascending. */
  readonly ordinals: Uint32Array;
  /** One a row: 1 for a user's first, else 0. */
  readonly firsts: Uint32Array;
}

/** Of the ordinal of each row; they ascend. */
export function* usersSteps(ordinalOfRow: Uint32Array): Generator<void, RowUsers> {
  const ordinals = new Uint32Array(ordinalOfRow.length);
  const firsts = new Uint32Array(ordinalOfRow.length);
  let count = 0;
  let previous = -1;
  for (let from = 0; from < ordinalOfRow.length; from += STEP_ROWS) {
    const to = Math.min(from + STEP_ROWS, ordinalOfRow.length);
    for (let row = from; row < to; row++) {
      const ordinal = ordinalOfRow[row]!;
      if (ordinal === previous) continue;
      ordinals[count++] = ordinal;
      firsts[row] = 1;
      previous = ordinal;
    }
    yield;
  }
  return { ordinals: ordinals.slice(0, count), firsts };
}
