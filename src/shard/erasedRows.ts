import type { Clock } from '../base/clock.ts';
import { ERASED_ROWS_MS_MAX } from '../base/limits.ts';
import type { Tablet } from '../tablet/tablet.ts';

/** Sees to it that rows of deleted users are written out of a tablet's blocks: when it is quiet, else within a day. */
export class ErasedRows {
  readonly #tablet: Tablet;
  readonly #clock: Clock;
  /** Deletions that the blocks have seen, or are about to. */
  #seen = 0;
  /** When the first that they have not was noticed. */
  #sinceMs: number | undefined;
  #goneDue = 0;

  constructor(tablet: Tablet, clock: Clock) {
    this.#tablet = tablet;
    this.#clock = clock;
  }

  /** How many users must have left when a block was written (CompactionOptions). Freezes the head when that grows. */
  goneDue(isQuiet: boolean): number {
    const { users, events } = this.#tablet;
    if (users.erasedCount === this.#seen) return this.#goneDue;
    this.#sinceMs ??= this.#clock.monotonicMs();
    if (!isQuiet && this.#clock.monotonicMs() - this.#sinceMs < ERASED_ROWS_MS_MAX) return this.#goneDue;
    this.#seen = users.erasedCount;
    this.#sinceMs = undefined;
    this.#goneDue = users.goneCount;
    events.freeze();
    return this.#goneDue;
  }
}
