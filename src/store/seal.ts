import { assert } from '../base/assert.ts';
import { CHUNK_ROWS } from '../base/limits.ts';
import { encodeChunk } from '../encoding/chunk.ts';
import type { Temperature } from '../encoding/picker.ts';
import { ALL_EVENTS, ROLE, type StreamKey, type WrittenStream, writeBlockSteps } from './blockFormat.ts';
import { PAYLOAD_TAGS } from './cell.ts';
import { draftSteps, payloadsOf, tagsOf } from './drafts.ts';
import type { Head } from './head.ts';
import type { Window } from './windows.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1024;

/**
 * The block of these rows of a head, given in order of arrival and all of one window. Yields after at most about a
 * millisecond of work. The head must not change meanwhile.
 */
export function* sealSteps(
  head: Head,
  rows: Uint32Array,
  window: Window,
  chunkRows = CHUNK_ROWS,
): Generator<void, Uint8Array> {
  assert(rows.length > 0, 'a block has rows');
  const sorted = yield* sortSteps(head, rows, window.startMs);
  const streams: WrittenStream[] = [];
  const userCount = yield* rowStreamsSteps(head, sorted, chunkRows, streams);
  yield* propertyStreamsSteps(head, sorted, chunkRows, streams);
  return yield* writeBlockSteps({ window, rowCount: rows.length, userCount, chunkRows }, streams);
}

/** By ordinal, then time, then arrival: a radix sort from the last key to the first, each pass stable. */
function* sortSteps(head: Head, rows: Uint32Array, startMs: number): Generator<void, Uint32Array> {
  const times = new Float64Array(rows.length);
  const ordinals = new Float64Array(rows.length);
  const order = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    times[i] = head.timeAt(rows[i]!) - startMs;
    ordinals[i] = head.ordinalAt(rows[i]!);
    order[i] = i;
    if (i % STEP_ROWS === 0) yield;
  }
  const byTime = yield* radixSortSteps(order, times);
  const byOrdinal = yield* radixSortSteps(byTime, ordinals);
  return byOrdinal.map((i) => rows[i]!);
}

const DIGITS = 2048;

/** Stable; keys are whole numbers from 0. Each pass sorts by one digit, and takes about half a millisecond. */
function* radixSortSteps(order: Uint32Array, keys: Float64Array): Generator<void, Uint32Array> {
  let keyMax = 0;
  for (let i = 0; i < keys.length; i++) keyMax = Math.max(keyMax, keys[i]!);
  for (let unit = 1; unit <= keyMax; unit *= DIGITS) {
    yield;
    order = sortedByDigit(order, keys, unit);
  }
  return order;
}

function sortedByDigit(order: Uint32Array, keys: Float64Array, unit: number): Uint32Array {
  const digitOf = (i: number) => Math.floor(keys[i]! / unit) & (DIGITS - 1);
  const places = new Uint32Array(DIGITS + 1);
  for (let i = 0; i < keys.length; i++) places[digitOf(i) + 1]!++;
  for (let digit = 0; digit < DIGITS; digit++) places[digit + 1]! += places[digit]!;
  const sorted = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) sorted[places[digitOf(order[i]!)]!++] = order[i]!;
  return sorted;
}

const OF_ROWS = { propertyCode: 0, eventCode: ALL_EVENTS };

/** The user directory, event codes and times. Returns the number of users. */
function* rowStreamsSteps(
  head: Head,
  rows: Uint32Array,
  chunkRows: number,
  streams: WrittenStream[],
): Generator<void, number> {
  const ordinals: number[] = [];
  const starts: number[] = [];
  const names = new Set<number>();
  const events = new Float64Array(rows.length);
  const times = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const ordinal = head.ordinalAt(row);
    if (ordinals.at(-1) !== ordinal) {
      ordinals.push(ordinal);
      starts.push(i);
    }
    events[i] = head.eventAt(row);
    times[i] = head.timeAt(row);
    names.add(head.eventAt(row));
    if (i % STEP_ROWS === 0) yield;
  }
  const contents = [
    [ROLE.ordinals, Float64Array.from(ordinals)],
    [ROLE.starts, Float64Array.from(starts)],
    [ROLE.events, events],
    [ROLE.times, times],
    [ROLE.names, Float64Array.from(names).sort()],
  ] as const;
  for (const [role, values] of contents) {
    streams.push(yield* streamSteps({ ...OF_ROWS, role }, values, chunkRows, 'hot'));
  }
  return ordinals.length;
}

function* streamSteps(
  key: StreamKey,
  values: Float64Array,
  chunkRows: number,
  temperature: Temperature,
): Generator<void, WrittenStream> {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < values.length; from += chunkRows) {
    chunks.push(encodeChunk(values.subarray(from, from + chunkRows), temperature));
    yield;
  }
  return { ...key, valueCount: values.length, chunks };
}

function* propertyStreamsSteps(
  head: Head,
  rows: Uint32Array,
  chunkRows: number,
  streams: WrittenStream[],
): Generator<void, void> {
  for (const draft of yield* draftSteps(head, rows, STEP_ROWS)) {
    const { propertyCode, eventCode } = draft;
    const temperature = eventCode === ALL_EVENTS ? 'hot' : 'cold';
    const key = { role: ROLE.tags, propertyCode, eventCode };
    streams.push(yield* streamSteps(key, tagsOf(draft), chunkRows, 'hot'));
    for (const tag of PAYLOAD_TAGS) {
      const payloads = payloadsOf(draft, tag);
      if (payloads.length === 0) continue;
      const key = { role: ROLE.tags + tag, propertyCode, eventCode };
      streams.push(yield* streamSteps(key, payloads, chunkRows, temperature));
    }
  }
}
