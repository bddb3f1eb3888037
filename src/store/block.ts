import { Bitset } from '../base/bitset.ts';
import type { Value } from '../base/value.ts';
import type { Column } from '../encoding/column.ts';
import { damaged, equalTo } from '../encoding/contract.ts';
import { kernels } from '../encoding/kernels/kernels.ts';
import { ALL_EVENTS, type OpenStream, ROLE, readBlockSteps } from './blockFormat.ts';
import { PAYLOAD_TAGS, TAG } from './cell.ts';
import { CellColumn } from './cellColumn.ts';
import type { TextDictionary } from './dictionary.ts';
import { expand } from './expand.ts';
import type { Part, ValuePredicate } from './part.ts';
import type { Window } from './windows.ts';

/** Users counted at a time: their runs and results stay in the nearest cache. */
const COUNT_USERS = 4096;
const scratch = {
  starts: new Uint32Array(COUNT_USERS + 1),
  counts: new Uint32Array(COUNT_USERS),
  ordinals: new Uint32Array(COUNT_USERS),
};

/** An encoded, immutable part: sorted by ordinal, then time, then arrival. Read in place; see blockFormat.ts. */
export class Block implements Part {
  readonly window: Window;
  readonly rowCount: number;
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
  readonly #byteLength: number;
  readonly #userCount: number;
  readonly #ordinals: Column;
  readonly #starts: Column;
  readonly #events: Column;
  readonly #times: Column;
  readonly #names: ReadonlySet<number>;
  /** Property code → event code (or ALL_EVENTS) → column; property codes ascending. */
  readonly #columns: ReadonlyMap<number, ReadonlyMap<number, CellColumn>>;

  /** Runs openSteps to its end at once. */
  static open(bytes: Uint8Array, dictionary: TextDictionary, file: string): Block {
    const steps = Block.openSteps(bytes, dictionary, file);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /**
   * Checks every byte and yields between chunks. `bytes` belong to the block from now on; `dictionary` is the one it
   * was sealed with. Throws DamageError naming the file and the offset in the block.
   */
  static *openSteps(bytes: Uint8Array, dictionary: TextDictionary, file: string): Generator<void, Block> {
    const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    const { header, streams } = yield* readBlockSteps(aligned, file);
    return new Block(new BlockStreams(streams, file), header, bytes.length, dictionary);
  }

  private constructor(
    streams: BlockStreams,
    header: { readonly window: Window; readonly rowCount: number; readonly userCount: number },
    byteLength: number,
    dictionary: TextDictionary,
  ) {
    this.window = header.window;
    this.rowCount = header.rowCount;
    this.#userCount = header.userCount;
    this.#byteLength = byteLength;
    this.#ordinals = streams.ofRows(ROLE.ordinals, header.userCount);
    this.#starts = streams.ofRows(ROLE.starts, header.userCount);
    this.#events = streams.ofRows(ROLE.events, header.rowCount);
    this.#times = streams.ofRows(ROLE.times, header.rowCount);
    this.#names = streams.names();
    this.#columns = streams.columns(dictionary);
    this.timeMinMs = this.#times.min;
    this.timeMaxMs = this.#times.max;
  }

  get memoryBytes(): number {
    let total = this.#byteLength + this.#events.memoryBytes;
    for (const columns of this.#columns.values()) {
      for (const column of columns.values()) total += column.memoryBytes;
    }
    return total;
  }

  mayHaveEvent(eventCode: number): boolean {
    return this.#names.has(eventCode);
  }

  selectEvents(eventCodes: readonly number[] | undefined): Bitset {
    if (eventCodes === undefined) return Bitset.full(this.rowCount);
    return this.#events.select({ kind: 'in', values: new Set(eventCodes) });
  }

  andTime(rows: Bitset, fromMs: number, toMs: number): void {
    if (fromMs <= this.timeMinMs && this.timeMaxMs < toMs) return;
    rows.and(this.#times.select({ kind: 'range', from: fromMs, to: toMs }));
  }

  andProperty(rows: Bitset, propertyCode: number, predicate: ValuePredicate): void {
    const columns = this.#columns.get(propertyCode);
    const full = columns?.get(ALL_EVENTS);
    if (full !== undefined) {
      rows.and(full.select(predicate));
      return;
    }
    const matches = predicate.missing ? Bitset.full(this.rowCount) : new Bitset(this.rowCount);
    for (const [eventCode, column] of columns ?? []) {
      const named = this.#events.select(equalTo(eventCode));
      matches.andNot(named).or(expand(column.select(predicate), named));
    }
    rows.and(matches);
  }

  countByUser(rows: Bitset, counts: Uint32Array, canonical: Uint32Array): void {
    if (rows.isEmpty) return;
    for (let user = 0; user < this.#userCount; user += COUNT_USERS) {
      const userCount = Math.min(COUNT_USERS, this.#userCount - user);
      this.#starts.decode(user, user + userCount, scratch.starts);
      scratch.starts[userCount] = this.#startOf(user + userCount);
      this.#ordinals.decode(user, user + userCount, scratch.ordinals);
      countUsers(rows, userCount, counts, canonical);
    }
  }

  rowsOf(ordinal: number): ArrayLike<number> {
    const user = lastAtMost(this.#ordinals, ordinal);
    if (user === -1 || this.#ordinals.at(user) !== ordinal) return [];
    const start = this.#startOf(user);
    return Array.from({ length: this.#startOf(user + 1) - start }, (_, i) => start + i);
  }

  eventAt(row: number): number {
    return this.#events.at(row);
  }

  timeAt(row: number): number {
    return this.#times.at(row);
  }

  ordinalAt(row: number): number {
    return this.#ordinals.at(lastAtMost(this.#starts, row));
  }

  valueAt(row: number, propertyCode: number): Value | undefined {
    const columns = this.#columns.get(propertyCode);
    return columns === undefined ? undefined : this.#valueIn(columns, row, this.#events.at(row));
  }

  propertiesAt(row: number): readonly (readonly [number, Value])[] {
    const eventCode = this.#events.at(row);
    const properties: (readonly [number, Value])[] = [];
    for (const [propertyCode, columns] of this.#columns) {
      const value = this.#valueIn(columns, row, eventCode);
      if (value !== undefined) properties.push([propertyCode, value]);
    }
    return properties;
  }

  #valueIn(columns: ReadonlyMap<number, CellColumn>, row: number, eventCode: number): Value | undefined {
    const compact = columns.get(eventCode);
    if (compact !== undefined) return compact.at(this.#events.rank(eventCode, row));
    return columns.get(ALL_EVENTS)?.at(row);
  }

  /** The user's first row; rowCount for the user past the last. */
  #startOf(user: number): number {
    return user === this.#userCount ? this.rowCount : this.#starts.at(user);
  }
}

/** Adds the selected rows of the users in scratch. */
function countUsers(rows: Bitset, userCount: number, counts: Uint32Array, canonical: Uint32Array): void {
  // Only the words these users' rows are in are handed to the kernel.
  const firstWord = scratch.starts[0]! >>> 5;
  const lastWord = (scratch.starts[userCount]! + 31) >>> 5;
  for (let i = 0; i <= userCount; i++) scratch.starts[i]! -= firstWord << 5;
  const offsets = scratch.starts.subarray(0, userCount + 1);
  kernels().countRuns(rows.words.subarray(firstWord, lastWord), offsets, scratch.counts);
  for (let i = 0; i < userCount; i++) counts[canonical[scratch.ordinals[i]!]!]! += scratch.counts[i]!;
}

/** Of ascending values the last that is at most `wanted`; -1 when none is. */
function lastAtMost(column: Column, wanted: number): number {
  let low = 0;
  let high = column.rowCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column.at(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The streams of a block, put together and checked against each other. */
class BlockStreams {
  readonly #streams: readonly OpenStream[];
  readonly #file: string;

  constructor(streams: readonly OpenStream[], file: string) {
    this.#streams = streams;
    this.#file = file;
  }

  ofRows(role: number, rowCount: number): Column {
    const stream = this.#streams.find((each) => each.role === role);
    if (stream === undefined) damaged(this.#place, `a stream of role ${role}`, 'none');
    if (stream.column.rowCount !== rowCount)
      damaged(this.#place, `${rowCount} rows`, `${stream.column.rowCount}`);
    return stream.column;
  }

  names(): ReadonlySet<number> {
    const stream = this.#streams.find((each) => each.role === ROLE.names);
    if (stream === undefined) damaged(this.#place, 'event names', 'none');
    const names = new Uint32Array(stream.column.rowCount);
    stream.column.decode(0, names.length, names);
    return new Set(names);
  }

  columns(dictionary: TextDictionary): ReadonlyMap<number, ReadonlyMap<number, CellColumn>> {
    const payloads = new Map<string, Map<number, Column>>();
    const keyOf = (stream: OpenStream) => `${stream.propertyCode} ${stream.eventCode}`;
    for (const stream of this.#streams) {
      const tag = stream.role - ROLE.tags;
      if (!PAYLOAD_TAGS.some((each) => each === tag)) continue;
      if (tag !== TAG.number && stream.column.max >= dictionary.size) {
        damaged(this.#place, `codes below ${dictionary.size}`, String(stream.column.max));
      }
      const key = keyOf(stream);
      payloads.set(key, (payloads.get(key) ?? new Map<number, Column>()).set(tag, stream.column));
    }
    const columns = new Map<number, Map<number, CellColumn>>();
    for (const stream of this.#streams) {
      if (stream.role !== ROLE.tags) continue;
      const column = new CellColumn(stream.column, payloads.get(keyOf(stream)) ?? new Map(), dictionary);
      const ofProperty = columns.get(stream.propertyCode) ?? new Map<number, CellColumn>();
      columns.set(stream.propertyCode, ofProperty.set(stream.eventCode, column));
    }
    return columns;
  }

  get #place() {
    return { file: this.#file, offset: 0 };
  }
}
