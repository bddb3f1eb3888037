import { firstFrom } from '../base/search.ts';
import type { SpareArrays } from '../base/spareArrays.ts';
import { BATCH_ROWS, type RowBatch, type RowCursor } from '../store/part.ts';
import type { EventSource } from './eventPage.ts';
import { giveBackBatch, takeBatch } from './rowBatches.ts';

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
  /** Nobody uses its arrays any more. */
  release(): void;
}

/** What there is to read of one part, by ordinal. Entries [from, to) are taken; those behind them are read already. */
export class PartEvents implements ReadableEvents {
  readonly parts: number;
  readonly ranks = undefined;
  from = 0;
  to = 0;
  #count = 0;
  #isAtEnd = false;
  #batch: RowBatch;
  readonly #arrays: SpareArrays;
  readonly #cursor: RowCursor;
  readonly #hasTimes: boolean;

  /** Without times, these are not read. */
  constructor(cursor: RowCursor, part: number, hasTimes: boolean, arrays: SpareArrays) {
    this.#arrays = arrays;
    this.#batch = takeBatch(arrays, 2 * BATCH_ROWS);
    this.#cursor = cursor;
    this.#hasTimes = hasTimes;
    this.parts = part;
  }

  get rows(): Uint32Array {
    return this.#batch.rows;
  }

  get ordinals(): Uint32Array {
    return this.#batch.ordinals;
  }

  get timesMs(): Float64Array {
    return this.#batch.timesMs;
  }

  get kinds(): Uint32Array {
    return this.#batch.kinds;
  }

  get nextOrdinal(): number {
    return this.to === this.#count ? Infinity : this.ordinals[this.to]!;
  }

  get wholeBefore(): number {
    return this.#isAtEnd ? Infinity : this.ordinals[this.#count - 1]!;
  }

  read(): boolean {
    let isRead = false;
    while (!this.#isAtEnd && (this.to === this.#count || this.wholeBefore === this.nextOrdinal)) {
      this.#makeRoom();
      const { rows, ordinals, kinds } = this.#batch;
      const target = this.#hasTimes ? this.#batch : { rows, ordinals, kinds };
      const count = this.#cursor.readInto(target, this.#count);
      this.#isAtEnd = count === 0;
      this.#count += count;
      isRead = true;
    }
    return isRead;
  }

  take(ordinalEnd: number): void {
    this.from = this.to;
    this.to = firstFrom(this.ordinals, this.from, this.#count, ordinalEnd);
  }

  release(): void {
    giveBackBatch(this.#arrays, this.#batch);
  }

  /** Drops what was taken: mostly a few rows are left. Of a user with very many events all must fit. */
  #makeRoom(): void {
    const { from, to } = { from: this.to, to: this.#count };
    const left = to - from;
    const isFull = left + BATCH_ROWS > this.rows.length;
    const target = isFull ? takeBatch(this.#arrays, 2 * this.rows.length) : this.#batch;
    target.rows.set(this.rows.subarray(from, to));
    target.ordinals.set(this.ordinals.subarray(from, to));
    if (this.#hasTimes) target.timesMs.set(this.timesMs.subarray(from, to));
    target.kinds.set(this.kinds.subarray(from, to));
    if (isFull) giveBackBatch(this.#arrays, this.#batch);
    this.#batch = target;
    [this.from, this.to, this.#count] = [0, 0, left];
  }
}
