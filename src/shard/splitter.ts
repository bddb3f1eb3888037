import type { Clock } from '../base/clock.ts';
import {
  HEAD_ROWS_MAX,
  TABLET_BITS_MAX,
  TABLET_BYTES_MAX,
  TABLET_USERS_MAX,
  TABLET_USERS_MIN,
  TABLETS_MAX,
} from '../base/limits.ts';
import type { SplitRecord } from '../log/record.ts';
import type { Tablet } from '../tablet/tablet.ts';

export interface SplitLimits {
  readonly usersMax: number;
  readonly tabletsMax: number;
}

const SPLIT_LIMITS: SplitLimits = { usersMax: TABLET_USERS_MAX, tabletsMax: TABLETS_MAX };

/** Sees to it that tablets which have grown too large split: writes the record, once for each. */
export class Splitter {
  readonly #limits: SplitLimits;
  readonly #clock: Clock;
  readonly #append: (account: string, split: SplitRecord) => Promise<void>;
  readonly #released: () => Promise<void>;
  readonly #asked = new WeakSet<Tablet>();
  /** Rows that a tablet had when its bytes were added up. */
  readonly #rowsAtLook = new WeakMap<Tablet, number>();

  constructor(options: {
    readonly limits?: SplitLimits | undefined;
    readonly clock: Clock;
    /** Resolves when the record is durable, however long that takes. */
    readonly append: (account: string, split: SplitRecord) => Promise<void>;
    /** Resolves when no query asks for a still picture. */
    readonly released: () => Promise<void>;
  }) {
    this.#clock = options.clock;
    this.#limits = options.limits ?? SPLIT_LIMITS;
    this.#append = options.append;
    this.#released = options.released;
  }

  /** To be called when the tablet may have grown. */
  async consider(tablet: Tablet): Promise<void> {
    if (this.#asked.has(tablet) || !this.#isTooLarge(tablet) || !this.#maySplit(tablet)) return;
    this.#asked.add(tablet);
    const { tabletsMax } = this.#limits;
    await this.#released();
    const atMs = this.#clock.now();
    await this.#append(tablet.account.name, { kind: 'split', atMs, tablet: tablet.bits, tabletsMax });
  }

  #maySplit({ bits, account }: Tablet): boolean {
    return bits.length < TABLET_BITS_MAX && account.tree.leaves.length < this.#limits.tabletsMax;
  }

  #isTooLarge(tablet: Tablet): boolean {
    const { hereCount } = tablet.users;
    if (hereCount > this.#limits.usersMax) return true;
    return (
      hereCount >= TABLET_USERS_MIN && this.#hasGrown(tablet) && eventBytesHere(tablet) > TABLET_BYTES_MAX
    );
  }

  /** By so many rows that adding up its bytes is worth it. */
  #hasGrown(tablet: Tablet): boolean {
    const { rowCount } = tablet.events;
    if (rowCount < (this.#rowsAtLook.get(tablet) ?? 0) + HEAD_ROWS_MAX) return false;
    this.#rowsAtLook.set(tablet, rowCount);
    return true;
  }
}

/** Without the share of those rows that a split has left here. */
function eventBytesHere({ events, rowsHere }: Tablet): number {
  const { head, blocks, dictionary } = events.memory();
  return (head + blocks + dictionary) * Math.min(1, rowsHere / events.rowCount);
}
