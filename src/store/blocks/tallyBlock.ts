import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import { lastAtMost } from '../../base/search.ts';
import { Column } from '../../encoding/column.ts';
import { equalTo, type Runs } from '../../encoding/contract.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import type { Packed } from '../../encoding/kernels/kernels.ts';
import { MASK_WORDS, type RowCounter, type TallyMasks } from '../../encoding/kernels/tally.ts';
import type { TallyWanted } from '../part.ts';
import type { EventRows } from './blockFormat.ts';
import type { OpenColumn } from './blockReader.ts';
import type { CellColumn } from './cellColumn.ts';
import type { Ordinals } from './ordinals.ts';

/** Values asked about between two yields. */
const CODES_PER_STEP = 256;

/** Of a block, what is read besides the cells. */
interface Streams {
  readonly events: Column;
  readonly eventRows: readonly EventRows[];
  /** 1 for each user's first row, else 0. */
  readonly firsts: Column;
  readonly ordinals: Ordinals;
  readonly times: Column;
}

/** Of a chunk of rows. */
const eventScratch = new Uint32Array(CHUNK_ROWS_MAX);
const cellScratch = new Uint32Array(CHUNK_ROWS_MAX);
const valueScratch = newRuns();
const timeScratch = newRuns();
const userScratch = newRuns();
const firstsScratch = new Uint32Array(CHUNK_ROWS_MAX / 32);

function newRuns(): Runs {
  return { classes: new Uint32Array(CHUNK_ROWS_MAX), ends: new Uint32Array(CHUNK_ROWS_MAX) };
}

/** Counts a block's rows, a chunk at a time. `withCells` is 1 for the numbers of events whose rows have cells. */
export function* tallyBlockSteps(
  streams: Streams,
  column: OpenColumn,
  withCells: Uint8Array,
  wanted: TallyWanted,
  counter: RowCounter,
): Generator<void, void> {
  const { events, eventRows, times } = streams;
  const values = yield* valueMasksSteps(column.cells, wanted);
  if (values.masks.length === MASK_WORDS) return;
  const before = lastAtMost(wanted.timeBounds, times.min) + 1;
  const bounds = wanted.timeBounds.subarray(before, lastAtMost(wanted.timeBounds, times.max) + 1);
  const masks: TallyMasks = {
    events: eventMasks(eventRows, withCells, wanted),
    values: values.masks,
    times: wanted.timeMasks.subarray(MASK_WORDS * before, MASK_WORDS * (before + bounds.length + 1)),
  };
  const cells = new CellRuns(column, events, withCells, values.table);
  const users = new UserRuns(streams);
  const { chunkRows } = events;
  for (let chunk = 0; chunk * chunkRows < events.rowCount; chunk++) {
    const from = chunk * chunkRows;
    const to = Math.min(from + chunkRows, events.rowCount);
    counter.countRows(
      {
        rowCount: to - from,
        events: events.packed(chunk) ?? unpacked(events, from, to),
        values: cells.next(chunk, from, to),
        times: timeRuns(times, chunk, to - from, bounds),
        users: users.next(from, to),
      },
      masks,
    );
    yield;
  }
}

/** The numbers of rows [from, to) as packed ones. */
function unpacked(numbers: Column, from: number, to: number): Packed {
  numbers.decode(from, to, eventScratch);
  return { packed: new Uint8Array(eventScratch.buffer, 0, 4 * (to - from)), bits: 32 };
}

/** Of event numbers; of those whose rows have no cells no rule wants any. */
function eventMasks(
  eventRows: readonly EventRows[],
  withCells: Uint8Array,
  { eventMasks }: TallyWanted,
): Uint32Array {
  const masks = new Uint32Array(MASK_WORDS * eventRows.length);
  for (const [number, { eventCode }] of eventRows.entries()) {
    const mask = eventMasks.get(eventCode);
    if (mask !== undefined && withCells[number] === 1) masks.set(mask, MASK_WORDS * number);
  }
  return masks;
}

/** Of classes of values, the first of which is that of all that no rule wants; and the class of each code. */
function* valueMasksSteps(
  cells: CellColumn,
  wanted: TallyWanted,
): Generator<void, { readonly masks: Uint32Array; readonly table: Uint32Array }> {
  const codes = yield* cells.codesSteps(wanted.predicate);
  const masks = new Uint32Array(MASK_WORDS * (codes.length + 1));
  const table = new Uint32Array(cells.codeCount);
  for (const [i, code] of codes.entries()) {
    if (i % CODES_PER_STEP === CODES_PER_STEP - 1) yield;
    table[code] = i + 1;
    masks.set(wanted.maskOfValue(cells.valueOfCode(code)), MASK_WORDS * (i + 1));
  }
  return { masks, table };
}

function timeRuns(times: Column, chunk: number, rowCount: number, bounds: Float64Array): Runs {
  if (bounds.length === 0) return oneRun(0, rowCount);
  return firstRuns(timeScratch, times.classRuns(chunk, { kind: 'bounds', bounds }, timeScratch));
}

function oneRun(found: number, rowCount: number): Runs {
  return { classes: Uint32Array.of(found), ends: Uint32Array.of(rowCount) };
}

function firstRuns({ classes, ends }: Runs, count: number): Runs {
  return { classes: classes.subarray(0, count), ends: ends.subarray(0, count) };
}

/** The classes of a column's cells, chunk by chunk of the block's rows. */
class CellRuns {
  readonly #codes: OpenColumn['codes'];
  readonly #events: Column;
  readonly #withCells: Uint8Array;
  readonly #areAll: boolean;
  readonly #table: Uint32Array;
  /** The next one. */
  #cell = 0;

  constructor({ codes }: OpenColumn, events: Column, withCells: Uint8Array, table: Uint32Array) {
    this.#codes = codes;
    this.#events = events;
    this.#withCells = withCells;
    this.#areAll = !withCells.includes(0);
    this.#table = table;
  }

  /** Of rows [from, to), which are those of the chunk; of one without a cell it may be any. */
  next(chunk: number, from: number, to: number): Runs {
    const codes = this.#codes;
    // All cells are alike.
    if (codes === undefined) return oneRun(this.#table[0]!, to - from);
    if (this.#areAll && codes instanceof Column) {
      const count = codes.classRuns(chunk, { kind: 'table', table: this.#table }, valueScratch);
      return firstRuns(valueScratch, count);
    }
    const events = eventScratch.subarray(0, to - from);
    this.#events.decode(from, to, events);
    const cellCount = this.#areAll ? events.length : countCells(events, this.#withCells);
    codes.decode(this.#cell, this.#cell + cellCount, cellScratch);
    this.#cell += cellCount;
    return firstRuns(
      valueScratch,
      spreadRuns(events, this.#withCells, cellScratch, this.#table, valueScratch),
    );
  }
}

function countCells(events: Uint32Array, withCells: Uint8Array): number {
  let cells = 0;
  for (let i = 0; i < events.length; i++) cells += withCells[events[i]!]!;
  return cells;
}

/** Rows without a cell go on with the run before them. */
function spreadRuns(
  events: Uint32Array,
  withCells: Uint8Array,
  codes: Uint32Array,
  table: Uint32Array,
  { classes, ends }: Runs,
): number {
  let [count, cell, before] = [0, 0, -1];
  for (let i = 0; i < events.length; i++) {
    const has = withCells[events[i]!]!;
    const found = has === 1 ? table[codes[cell]!]! : Math.max(0, before);
    cell += has;
    count += found === before ? 0 : 1;
    classes[count - 1] = found;
    ends[count - 1] = i + 1;
    before = found;
  }
  return count;
}

/** Users as runs of their rows, chunk by chunk. */
class UserRuns {
  readonly #ordinals: Ordinals;
  readonly #firsts: Column;
  /** Users that begin before the next chunk. */
  #before = 0;

  constructor({ ordinals, firsts }: Streams) {
    this.#ordinals = ordinals;
    this.#firsts = firsts;
  }

  next(from: number, to: number): Runs {
    const { classes, ends } = userScratch;
    const words = firstsScratch.subarray(0, (to - from + 31) >>> 5);
    this.#firsts.chunkFrom(from).select(equalTo(1), words);
    // The first row may be of the last user before it.
    const isNew = (words[0]! & 1) === 1;
    const found = kernels().positions(words, 0, isNew ? 1 : 0, ends);
    ends[found] = to - from;
    const user = isNew ? this.#before : this.#before - 1;
    this.#ordinals.decode(user, user + found + 1, classes);
    this.#before = user + found + 1;
    return firstRuns(userScratch, found + 1);
  }
}
