import { firstFrom } from '../base/search.ts';
import type { RowCursor } from '../store/part.ts';
import type { EventSource } from './eventPage.ts';
import { kindsOf, type PartSelection } from './partSelection.ts';

/** Events by ordinal, of which a page takes the next. */
export interface ReadableEvents extends EventSource {
  /** The least ordinal that has not been taken; Infinity at the end. What `read` does must have been done. */
  readonly nextOrdinal: number;
  /** All entries of ordinals below have been read. */
  readonly wholeBefore: number;
  /** Makes sure that all of the next ordinal has been read. True when something had to be. */
  read(): boolean;
  /** Takes what there is of ordinals below: the entries [from, to) from now on. */
  take(ordinalEnd: number): void;
}

/** What there is to read of one part, by ordinal. Entries [from, to) are taken; those behind them are read already. */
export class PartEvents implements ReadableEvents {
  readonly parts: number;
  rows: Uint32Array;
  ordinals: Uint32Array;
  timesMs: Float64Array;
  kinds: Uint32Array;
  from = 0;
  to = 0;
  #count = 0;
  #isAtEnd = false;
  readonly #cursor: RowCursor;
  readonly #byKind: PartSelection['byKind'];
  readonly #batchKinds: Uint32Array;

  constructor(cursor: RowCursor, { byKind }: PartSelection, part: number) {
    this.#cursor = cursor;
    this.#byKind = byKind;
    this.parts = part;
    this.rows = cursor.rows;
    this.ordinals = cursor.ordinals;
    this.timesMs = cursor.timesMs;
    this.kinds = this.#batchKinds = new Uint32Array(cursor.rows.length);
  }

  get nextOrdinal(): number {
    return this.to === this.#count ? Infinity : this.ordinals[this.to]!;
  }

  get wholeBefore(): number {
    return this.#isAtEnd ? Infinity : this.ordinals[this.#count - 1]!;
  }

  read(): boolean {
    if (this.#isAtEnd) return false;
    if (this.to === this.#count) this.#readBatch();
    else if (this.wholeBefore > this.nextOrdinal) return false;
    while (!this.#isAtEnd && this.wholeBefore === this.nextOrdinal) this.#append();
    return true;
  }

  take(ordinalEnd: number): void {
    this.from = this.to;
    this.to = firstFrom(this.ordinals, this.from, this.#count, ordinalEnd);
  }

  /** In the cursor's own arrays, which are used again. */
  #readBatch(): void {
    const { rows, ordinals, timesMs } = this.#cursor;
    [this.rows, this.ordinals, this.timesMs, this.kinds] = [rows, ordinals, timesMs, this.#batchKinds];
    [this.from, this.to] = [0, 0];
    this.#count = this.#nextBatch();
  }

  /** Behind what has been read: one user has more events than a batch. */
  #append(): void {
    if (this.#count + this.#batchKinds.length > this.rows.length) this.#moveToLarger();
    const batch = this.#nextBatch();
    const { rows, ordinals, timesMs } = this.#cursor;
    this.rows.set(rows.subarray(0, batch), this.#count);
    this.ordinals.set(ordinals.subarray(0, batch), this.#count);
    this.timesMs.set(timesMs.subarray(0, batch), this.#count);
    this.kinds.set(this.#batchKinds.subarray(0, batch), this.#count);
    this.#count += batch;
  }

  #nextBatch(): number {
    const batch = this.#cursor.next();
    this.#isAtEnd = batch === 0;
    kindsOf(this.#byKind, this.#cursor.rows, batch, this.#batchKinds);
    return batch;
  }

  /** Twice as large, so that what is copied stays in proportion. */
  #moveToLarger(): void {
    const size = 2 * (this.#count - this.to + this.#batchKinds.length);
    this.rows = moved(this.rows.subarray(this.to, this.#count), new Uint32Array(size));
    this.ordinals = moved(this.ordinals.subarray(this.to, this.#count), new Uint32Array(size));
    this.timesMs = moved(this.timesMs.subarray(this.to, this.#count), new Float64Array(size));
    this.kinds = moved(this.kinds.subarray(this.to, this.#count), new Uint32Array(size));
    [this.from, this.to, this.#count] = [0, 0, this.#count - this.to];
  }
}

function moved<T extends Uint32Array | Float64Array>(source: T, target: T): T {
  target.set(source);
  return target;
}
