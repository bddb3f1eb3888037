import { arraysOf, arraysUntilClosed, type MemoryBudget } from '../base/memoryBudget.ts';
import type { ArraySource, SpareArrays } from '../base/spareArrays.ts';
import { kernels } from '../encoding/kernels/chosen.ts';
import type { CellReader, Part } from '../store/part.ts';
import { gathered, sortUsersSteps } from '../store/trailOrder.ts';
import { readCells, readMixed } from './pageCells.ts';
import type { ValueIds } from './valueIds.ts';

/** A user's own events come last at equal times. */
const OWN_RANK = Number.MAX_SAFE_INTEGER;

/** Events of a tablet by ordinal, of which those that belong to a page are the entries [from, to) of these arrays. */
export interface EventSource {
  readonly rows: Uint32Array;
  readonly ordinals: Uint32Array;
  readonly timesMs: Float64Array;
  readonly kinds: Uint32Array;
  readonly from: number;
  readonly to: number;
  /** What the rows are of: one part, or a part for each. */
  readonly parts: number | Uint32Array;
  /** Of users' own events undefined; else the number of the user that was merged, from 0. */
  readonly ranks: Uint32Array | undefined;
}

/**
 * The wanted events of some users: user i has events [starts[i], starts[i + 1]), in trail order. Its arrays may be longer
 * than what is in them, and are used again for the next page.
 */
export class EventPage {
  eventCount = 0;
  timesMs: Float64Array = new Float64Array(0);
  /** Which kinds an event is of, a bit each. */
  kinds: Uint32Array = new Uint32Array(0);

  readonly #parts: readonly Part[];
  /** Of cell readers, which nobody ends. */
  readonly #readersArrays: ArraySource;
  readonly #arrays: SpareArrays;
  /** By property code, for each part. */
  readonly #readers = new Map<number, readonly (CellReader | undefined)[]>();
  readonly #isMergedInto: (ordinal: number) => boolean;
  readonly #hasOrigins: boolean;
  readonly #hasTimes: boolean;
  /** Every source ends before the next one begins, and has each user's events in trail order. */
  readonly #areApart: boolean;
  #userCount = 0;
  #ordinals: Uint32Array = new Uint32Array(0);
  #starts: Uint32Array = new Uint32Array(1);
  /** Of events that are ordered users are listed when somebody asks for them. */
  #areUsersListed = false;
  #sources: readonly EventSource[] = [];
  /** The entries are the events: there is one source, and it is in order. */
  #areOrdered = false;
  /** Unless they are ordered, for each event, which of the sources' entries it is, counted over all of them. */
  #origins: Uint32Array = new Uint32Array(0);
  #placedMs: Float64Array = new Float64Array(0);
  #placedKinds: Uint32Array = new Uint32Array(0);
  /** What the sources' entries have of the property read last. */
  #codes: Uint32Array = new Uint32Array(0);
  #numbers: Float64Array = new Float64Array(0);

  /**
   * `isMergedInto`: whether somebody was merged into the ordinal; undefined when nobody has been, into any. Without times the
   * parts must lie apart.
   */
  constructor(
    parts: readonly Part[],
    isMergedInto: ((ordinal: number) => boolean) | undefined,
    hasTimes: boolean,
    budget: MemoryBudget | undefined,
  ) {
    this.#readersArrays = arraysUntilClosed(budget);
    this.#arrays = arraysOf(budget);
    this.#hasTimes = hasTimes;
    this.#parts = parts;
    this.#isMergedInto = isMergedInto ?? (() => false);
    this.#hasOrigins = parts.some(({ hasOrigins }) => hasOrigins);
    this.#areApart = isMergedInto === undefined && areApart(parts);
  }

  /**
   * Makes the page of the sources' entries, whose ordinals are in [ordinalFrom, ordinalTo). What comes first in the sources
   * comes first at equal times. The sources' arrays must not change while the page is used.
   */
  *fillSteps(sources: readonly EventSource[], ordinalFrom: number, ordinalTo: number): Generator<void, void> {
    this.#sources = sources.filter((source) => entryCount(source) > 0);
    const [only, ...others] = this.#sources;
    this.#areOrdered = only !== undefined && others.length === 0 && this.#areApart;
    if (this.#areOrdered) {
      this.#take(only!);
      return;
    }
    this.#place(this.#sources, ordinalFrom, ordinalTo - ordinalFrom);
    if (!this.#areApart) yield* this.#sortUsersSteps();
  }

  get userCount(): number {
    this.#listUsers();
    return this.#userCount;
  }

  /** The ordinal of each user; ascending. */
  get ordinals(): Uint32Array {
    this.#listUsers();
    return this.#ordinals;
  }

  get starts(): Uint32Array {
    this.#listUsers();
    return this.#starts;
  }

  /** The ordinal of each event's user; undefined where only `ordinals` and `starts` say it. */
  get ordinalsOfEvents(): Uint32Array | undefined {
    const [only] = this.#sources;
    return this.#areOrdered ? only!.ordinals.subarray(only!.from, only!.to) : undefined;
  }

  /** target[i] = the code of event i's name. */
  readEvents(target: Uint32Array): void {
    const codes = this.#areOrdered ? target : this.#cells().codes;
    let before = 0;
    for (const { rows, from, to, parts } of this.#sources) {
      const own = codes.subarray(before, before + to - from);
      if (typeof parts === 'number') this.#parts[parts]!.readEvents(rows.subarray(from, to), own);
      else for (let i = from; i < to; i++) own[i - from] = this.#parts[parts[i]!]!.eventAt(rows[i]!);
      before += to - from;
    }
    if (!this.#areOrdered) kernels().take(codes, this.#origins.subarray(0, this.eventCount), target);
  }

  /** target[i] = the number that event i has as this property, else NaN. */
  readNumbers(propertyCode: number, target: Float64Array): void {
    const { codes, numbers } = this.#cells();
    if (this.#areOrdered) {
      this.#read(propertyCode, codes, target);
    } else {
      this.#read(propertyCode, codes, numbers);
      kernels().take(numbers, this.#origins.subarray(0, this.eventCount), target);
    }
  }

  /** target[i] = the id that `values` gives to what event i has as this property; NO_VALUE for nothing. */
  readValues(propertyCode: number, values: ValueIds, target: Uint32Array): void {
    const { codes, numbers } = this.#cells();
    if (this.#areOrdered) {
      this.#read(propertyCode, target, numbers, values);
    } else {
      this.#read(propertyCode, codes, numbers, values);
      kernels().take(codes, this.#origins.subarray(0, this.eventCount), target);
    }
  }

  /** Nobody uses the page any more. */
  release(): void {
    this.#arrays.giveBack(this.#ordinals, this.#starts, this.#origins, this.#placedKinds, this.#codes);
    this.#arrays.giveBack(this.#placedMs, this.#numbers);
  }

  /** Room for a cell of each entry. */
  #cells(): { readonly codes: Uint32Array; readonly numbers: Float64Array } {
    if (this.#codes.length < this.eventCount) {
      this.#arrays.giveBack(this.#codes, this.#numbers);
      this.#codes = this.#arrays.words(2 * this.eventCount);
      this.#numbers = this.#arrays.numbers(2 * this.eventCount);
    }
    return { codes: this.#codes, numbers: this.#numbers };
  }

  /** Of each entry the number, and the id, or, without `values`, the part's own code. */
  #read(propertyCode: number, toCodes: Uint32Array, toNumbers: Float64Array, values?: ValueIds): void {
    const readers = this.#readersOf(propertyCode);
    let before = 0;
    for (const { rows, from, to, parts } of this.#sources) {
      const codes = toCodes.subarray(before, before + to - from);
      const numbers = toNumbers.subarray(before, before + to - from);
      if (typeof parts === 'number')
        readCells(readers[parts], rows.subarray(from, to), codes, numbers, values);
      else readMixed(readers, parts.subarray(from, to), rows.subarray(from, to), codes, numbers, values);
      before += to - from;
    }
  }

  #readersOf(propertyCode: number): readonly (CellReader | undefined)[] {
    let readers = this.#readers.get(propertyCode);
    if (readers === undefined) {
      readers = this.#parts.map((part) => part.cellReader(propertyCode, this.#readersArrays));
      this.#readers.set(propertyCode, readers);
    }
    return readers;
  }

  #reserveEvents(count: number): void {
    if (this.#origins.length < count) {
      const size = Math.max(count, 2 * this.#origins.length);
      this.#arrays.giveBack(this.#placedMs, this.#placedKinds, this.#origins);
      this.#placedMs = this.#arrays.numbers(this.#hasTimes ? size : 0);
      this.#placedKinds = this.#arrays.words(size);
      this.#origins = this.#arrays.words(size);
    }
    this.timesMs = this.#placedMs;
    this.kinds = this.#placedKinds;
  }

  #reserveUsers(ordinalCount: number): void {
    if (this.#ordinals.length < ordinalCount) {
      this.#arrays.giveBack(this.#ordinals, this.#starts);
      this.#ordinals = this.#arrays.words(ordinalCount);
      this.#starts = this.#arrays.words(ordinalCount + 1);
    }
  }

  /** The source's entries as they lie. */
  #take({ timesMs, kinds, from, to }: EventSource): void {
    this.eventCount = to - from;
    this.#areUsersListed = false;
    this.timesMs = timesMs.subarray(from, to);
    this.kinds = kinds.subarray(from, to);
  }

  #listUsers(): void {
    if (!this.#areOrdered || this.#areUsersListed) return;
    this.#areUsersListed = true;
    const { ordinals, from, to } = this.#sources[0]!;
    this.#reserveUsers(this.eventCount + 1);
    this.#userCount = kernels().listUsers(ordinals.subarray(from, to), this.#ordinals, this.#starts);
  }

  /** Puts entries where their users' events go. */
  #place(sources: readonly EventSource[], ordinalFrom: number, ordinalCount: number): void {
    this.eventCount = sources.reduce((count, source) => count + entryCount(source), 0);
    this.#reserveEvents(this.eventCount);
    this.#reserveUsers(ordinalCount);
    const next = this.#starts.subarray(0, ordinalCount + 1);
    const own = sources.map(({ ordinals, from, to }) => ordinals.subarray(from, to));
    kernels().startPlaces(own, ordinalFrom, next);
    const target = { timesMs: this.timesMs, kinds: this.kinds, origins: this.#origins };
    let before = 0;
    for (const [i, { timesMs, kinds, from, to }] of sources.entries()) {
      const columns = { timesMs: timesMs.subarray(from, to), kinds: kinds.subarray(from, to) };
      kernels().placeEvents(own[i]!, ordinalFrom, next, before, columns, target);
      before += to - from;
    }
    this.#userCount = kernels().keepFilled(next, ordinalFrom, this.#ordinals);
  }

  /** By time, where they are not; equal ones stay in their order. */
  *#sortUsersSteps(): Generator<void, void> {
    const { starts, timesMs } = this;
    for (let user = 0; user < this.userCount; user++) {
      const from = starts[user]!;
      const to = starts[user + 1]!;
      let i = from + 1;
      while (i < to && timesMs[i]! >= timesMs[i - 1]!) i++;
      if (i < to) yield* this.#sortSteps(from, to);
      if (this.#hasOrigins && this.#isMergedInto(this.ordinals[user]!)) this.#sortTies(from, to);
    }
  }

  /** At equal times by rank. Where no part has origins, the order in which sources come has seen to it. */
  #sortTies(from: number, to: number): void {
    for (let start = from; start < to; ) {
      let end = start + 1;
      while (end < to && this.timesMs[end] === this.timesMs[start]) end++;
      if (end > start + 1) this.#sortTie(start, end);
      start = end;
    }
  }

  #sortTie(from: number, to: number): void {
    const [kinds, origins] = [this.kinds.subarray(from, to), this.#origins.subarray(from, to)];
    const places = Array.from(origins, (origin) => this.#placeOf(origin));
    const order = Uint32Array.from(places.keys()).sort(
      (a, b) => places[a]!.rank - places[b]!.rank || places[a]!.part - places[b]!.part || a - b,
    );
    gathered(kinds.slice(), order, kinds);
    gathered(origins.slice(), order, origins);
  }

  /** Of an entry of the sources: its part, and the number of the merged user whose it was, or OWN_RANK. */
  #placeOf(origin: number): { readonly rank: number; readonly part: number } {
    let source = 0;
    let entry = origin;
    for (; entry >= entryCount(this.#sources[source]!); source++) entry -= entryCount(this.#sources[source]!);
    const { rows, from, parts, ranks } = this.#sources[source]!;
    const i = from + entry;
    const part = typeof parts === 'number' ? parts : parts[i]!;
    if (ranks !== undefined) return { part, rank: ranks[i]! };
    const merged = this.#parts[part]!.originAt(rows[i]!);
    return { part, rank: merged === 0 ? OWN_RANK : merged - 1 };
  }

  *#sortSteps(from: number, to: number): Generator<void, void> {
    const order = Uint32Array.from({ length: to - from }, (_, i) => i);
    yield* sortUsersSteps(new Uint32Array(to - from), order, this.timesMs.subarray(from, to));
    const [kinds, origins] = [this.kinds.subarray(from, to), this.#origins.subarray(from, to)];
    gathered(kinds.slice(), order, kinds);
    gathered(origins.slice(), order, origins);
  }
}

/** Whether each of the parts, in their order, ends before the next one begins. */
export function areApart(parts: readonly Part[]): boolean {
  return parts.every((part, i) => i === 0 || parts[i - 1]!.timeMaxMs < part.timeMinMs);
}

function entryCount({ from, to }: EventSource): number {
  return to - from;
}
