import type { PlacedBatch } from '../../store/part.ts';
import { addSorted, type WideUsers } from './wideUsers.ts';

/**
 * Adds users' rows to WideUsers batch by batch, of one part that has all that they did. What a user did in an interval may
 * be in several batches: the last group of a batch waits for the next one.
 */
export class PlacedUsers {
  readonly #wide: WideUsers;
  #user = -1;
  #interval = 0;
  /** Of the group that waits, ascending. */
  #keys: number[] = [];

  constructor(wide: WideUsers) {
    this.#wide = wide;
  }

  /** Places are codes and intervals. Codes that occur have keys, below `keyEnd`, which stay theirs. */
  add(batch: PlacedBatch, keyOfCode: Int32Array, keyEnd: number): void {
    const { count, users, places } = batch;
    const intervals = places[1]!;
    this.#wide.reserveKeys(keyEnd);
    const from = this.#goOn(batch, keyOfCode, 0);
    if (from === count) return;
    this.finish();
    let last = count - 1;
    while (last > from && users[last - 1] === users[last] && intervals[last - 1] === intervals[last]) last--;
    this.#wide.addRows(batch, from, last, keyOfCode);
    this.#user = users[last]!;
    this.#interval = intervals[last]!;
    this.#keys = [];
    this.#goOn(batch, keyOfCode, last);
  }

  /** After the last batch. */
  finish(): void {
    if (this.#keys.length > 0) this.#wide.addUser(this.#interval, this.#keys);
    this.#keys = [];
  }

  /** Adds to the group that waits the rows that are of it, from here on; returns where they end. */
  #goOn({ count, users, places }: PlacedBatch, keyOfCode: Int32Array, from: number): number {
    const [codes, intervals] = places as readonly [Uint32Array, Uint32Array];
    let i = from;
    let before = -1;
    for (; i < count && users[i] === this.#user && intervals[i] === this.#interval; i++) {
      if (codes[i] === before) continue;
      before = codes[i]!;
      addSorted(keyOfCode[before]!, this.#keys);
    }
    return i;
  }
}
