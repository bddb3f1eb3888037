import type { Bitset } from '../base/bitset.ts';
import { CELL, type CellReader, type Part } from '../store/part.ts';
import { gathered, sortUsersSteps } from '../store/trailOrder.ts';
import type { ValueIds } from './valueIds.ts';

const EVENTS_START = 1 << 12;

/** Of a user's own events. Those of users merged into it have the number of their merge, and come before at equal times. */
const OWN_RANK = 0xffffffff;

/** Events of one part, by ordinal. */
export interface EventBatch {
  readonly rows: Uint32Array;
  readonly ordinals: Uint32Array;
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
  /** Undefined where all are the users' own. */
  readonly ranks: Uint32Array | undefined;
}

/**
 * The wanted events of some users: user i has events [starts[i], starts[i + 1]), in trail order. Its arrays may be longer
 * than what is in them, and are used again for the next page.
 */
export class EventPage {
  userCount = 0;
  eventCount = 0;
  /** The ordinal of each user; ascending. */
  ordinals = new Uint32Array(0);
  starts = new Uint32Array(1);
  timesMs = new Float64Array(0);
  /** Which kinds an event is of, a bit each. */
  kinds = new Uint32Array(0);

  readonly #parts: readonly Part[];
  /** By property code, for each part. */
  readonly #readers = new Map<number, readonly (CellReader | undefined)[]>();
  #ordinalFrom = 0;
  #ordinalTo = 0;
  /** Events as they are added, part by part. */
  #users = new Uint32Array(EVENTS_START);
  #rows = new Uint32Array(EVENTS_START);
  #addedTimesMs = new Float64Array(EVENTS_START);
  #addedKinds = new Uint32Array(EVENTS_START);
  #ranks = new Uint32Array(EVENTS_START);
  #hasMerged = false;
  /** Where each part's begin. */
  readonly #partStarts: Uint32Array;
  /** Which of those added the i-th event is. */
  #order = new Uint32Array(0);
  /** What the events, as they were added, have of the property read last. */
  #codes = new Uint32Array(0);
  #numbers = new Float64Array(0);

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#partStarts = new Uint32Array(parts.length + 1);
  }

  /** Empties the page, which is to be of the ordinals [from, to). */
  begin(from: number, to: number): void {
    this.#ordinalFrom = from;
    this.#ordinalTo = to;
    this.#hasMerged = false;
    this.eventCount = 0;
  }

  /** What is added from now on is of this part; parts come in their order. */
  beginPart(part: number): void {
    this.#partStarts[part] = this.eventCount;
  }

  /** Adds those of the batch's events [from, to) whose users are wanted. */
  add(batch: EventBatch, from: number, to: number, wanted: Bitset): void {
    this.#reserve(this.eventCount + to - from);
    const [users, rows, timesMs, kinds] = [this.#users, this.#rows, this.#addedTimesMs, this.#addedKinds];
    const added = { ordinals: batch.ordinals, rows: batch.rows, timesMs: batch.timesMs, kinds: batch.kinds };
    const { words } = wanted;
    const first = this.#ordinalFrom;
    const start = this.eventCount;
    let at = start;
    for (let i = from; i < to; i++) {
      const ordinal = added.ordinals[i]!;
      users[at] = ordinal - first;
      rows[at] = added.rows[i]!;
      timesMs[at] = added.timesMs[i]!;
      kinds[at] = added.kinds[i]!;
      at += (words[ordinal >>> 5]! >>> (ordinal & 31)) & 1;
    }
    this.eventCount = at;
    if (batch.ranks === undefined) this.#ranks.fill(OWN_RANK, start, at);
    else if (at > start) {
      this.#ranks.set(batch.ranks.subarray(from, to), start);
      this.#hasMerged = true;
    }
  }

  /** Puts the events in order. */
  *finishSteps(): Generator<void, void> {
    const { eventCount } = this;
    this.#partStarts[this.#parts.length] = eventCount;
    if (this.#order.length < eventCount) {
      this.#order = new Uint32Array(this.#users.length);
      this.timesMs = new Float64Array(this.#users.length);
      this.kinds = new Uint32Array(this.#users.length);
    }
    const users = this.#users.subarray(0, eventCount);
    const order = this.#order.subarray(0, eventCount);
    this.#sortByUser(users, order);
    if (this.#hasMerged) this.#sortByRank(order);
    const timesMs = gathered(this.#addedTimesMs, order, this.timesMs.subarray(0, eventCount));
    // Kinds are in their place only afterwards; until then their array has the users.
    const keys = gathered(users, order, this.kinds.subarray(0, eventCount));
    yield* sortUsersSteps(keys, order, timesMs);
    gathered(this.#addedKinds, order, this.kinds.subarray(0, eventCount));
  }

  /** target[i] = the number that event i has as this property, else NaN. */
  readNumbers(propertyCode: number, target: Float64Array): void {
    this.#read(propertyCode);
    gathered(this.#numbers, this.#order.subarray(0, this.eventCount), target);
  }

  /** target[i] = the id that `values` gives to what event i has as this property; NO_VALUE for nothing. */
  readValues(propertyCode: number, values: ValueIds, target: Uint32Array): void {
    this.#read(propertyCode);
    const readers = this.#readersOf(propertyCode);
    for (const [part, reader] of readers.entries()) {
      if (reader === undefined) continue;
      const [from, to] = [this.#partStarts[part]!, this.#partStarts[part + 1]!];
      values.replaceCodes(reader, this.#codes.subarray(from, to), this.#numbers.subarray(from, to));
    }
    gathered(this.#codes, this.#order.subarray(0, this.eventCount), target);
  }

  /** Into #codes and #numbers, for the events as they were added. */
  #read(propertyCode: number): void {
    const { eventCount } = this;
    if (this.#codes.length < eventCount) {
      this.#codes = new Uint32Array(this.#users.length);
      this.#numbers = new Float64Array(this.#users.length);
    }
    for (const [part, reader] of this.#readersOf(propertyCode).entries()) {
      const [from, to] = [this.#partStarts[part]!, this.#partStarts[part + 1]!];
      const [codes, numbers] = [this.#codes.subarray(from, to), this.#numbers.subarray(from, to)];
      if (reader !== undefined) reader.read(this.#rows.subarray(from, to), to - from, codes, numbers);
      else {
        codes.fill(CELL.missing);
        numbers.fill(Number.NaN);
      }
    }
  }

  #readersOf(propertyCode: number): readonly (CellReader | undefined)[] {
    let readers = this.#readers.get(propertyCode);
    if (readers === undefined) {
      readers = this.#parts.map((part) => part.cellReader(propertyCode));
      this.#readers.set(propertyCode, readers);
    }
    return readers;
  }

  #reserve(eventCount: number): void {
    if (eventCount <= this.#users.length) return;
    const size = Math.max(eventCount, 2 * this.#users.length);
    this.#users = grown(this.#users, new Uint32Array(size));
    this.#rows = grown(this.#rows, new Uint32Array(size));
    this.#addedTimesMs = grown(this.#addedTimesMs, new Float64Array(size));
    this.#addedKinds = grown(this.#addedKinds, new Uint32Array(size));
    this.#ranks = grown(this.#ranks, new Uint32Array(size));
  }

  #sortByUser(users: Uint32Array, order: Uint32Array): void {
    const ordinalCount = this.#ordinalTo - this.#ordinalFrom;
    if (this.starts.length <= ordinalCount) {
      this.starts = new Uint32Array(ordinalCount + 1);
      this.ordinals = new Uint32Array(ordinalCount);
    }
    const ends = this.starts.subarray(0, ordinalCount + 1).fill(0);
    for (let i = 0; i < users.length; i++) ends[users[i]! + 1]!++;
    for (let u = 0; u < ordinalCount; u++) ends[u + 1]! += ends[u]!;
    for (let i = 0; i < users.length; i++) order[ends[users[i]!]!++] = i;
    // ends[u] is where the events of u end by now. Those without events are left out.
    let count = 0;
    let end = 0;
    for (let u = 0; u < ordinalCount; u++) {
      const start = end;
      end = ends[u]!;
      this.ordinals[count] = this.#ordinalFrom + u;
      this.starts[count] = start;
      count += end > start ? 1 : 0;
    }
    this.userCount = count;
    this.starts[count] = end;
  }

  #sortByRank(order: Uint32Array): void {
    const ranks = this.#ranks;
    for (let u = 0; u < this.userCount; u++) {
      const own = order.subarray(this.starts[u]!, this.starts[u + 1]!);
      if (own.some((i) => ranks[i] !== OWN_RANK)) own.sort((a, b) => ranks[a]! - ranks[b]! || a - b);
    }
  }
}

function grown<T extends Uint32Array | Float64Array>(source: T, target: T): T {
  target.set(source);
  return target;
}
