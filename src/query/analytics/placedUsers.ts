import type { SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { GATHERED_ROWS, type GroupedRows } from '../../encoding/kernels/kernels.ts';
import type { PlacedBatch } from '../../store/part.ts';
import { addSorted, type WideUsers } from './wideUsers.ts';

/** Entries of a batch that do not have the code of the one before, though of the same user and interval. */
const several = new Uint32Array(GATHERED_ROWS);

/**
 * Adds users' rows to WideUsers batch by batch, of one part that has all that they did. What a user did in an interval may
 * be in several batches: the last group of a batch waits for the next one.
 */
export class PlacedUsers {
  readonly #wide: WideUsers;
  readonly #keyOf: (code: number) => number;
  readonly #intervalCount: number;
  readonly #codeCount: number;
  readonly #arrays: SpareArrays;
  /** At 2 · (code · intervals + interval) how many rows, and behind it how many users who have that one code. */
  readonly #tallies: Uint32Array;
  #user = -1;
  #interval = 0;
  /** Of the group that waits. */
  readonly #codes: number[] = [];
  /** Of one user. */
  readonly #keys: number[] = [];

  /** `keyOf` is asked about codes that occur. */
  constructor(
    wide: WideUsers,
    { codes, intervals }: { readonly codes: number; readonly intervals: number },
    arrays: SpareArrays,
    keyOf: (code: number) => number,
  ) {
    this.#wide = wide;
    this.#keyOf = keyOf;
    this.#codeCount = codes;
    this.#intervalCount = intervals;
    this.#arrays = arrays;
    this.#tallies = arrays.counts(2 * codes * intervals);
  }

  /** Places are codes and intervals. */
  add({ count, users, sizes, places }: PlacedBatch): void {
    const [codes, intervals] = places as readonly [Uint32Array, Uint32Array];
    let from = 0;
    while (from < count && users[from] === this.#user && intervals[from] === this.#interval)
      this.#goOn(codes[from]!, sizes[from++]!);
    if (from === count) return;
    this.#endGroup();
    let last = count - 1;
    while (last > from && users[last - 1] === users[last] && intervals[last - 1] === intervals[last]) last--;
    this.#addGroups({
      users: users.subarray(from, last),
      codes: codes.subarray(from, last),
      intervals: intervals.subarray(from, last),
      sizes: sizes.subarray(from, last),
    });
    this.#user = users[last]!;
    this.#interval = intervals[last]!;
    for (let i = last; i < count; i++) this.#goOn(codes[i]!, sizes[i]!);
  }

  /** After the last batch. Gives by code how many rows. */
  finish(): Uint32Array {
    this.#endGroup();
    const counts = new Uint32Array(this.#codeCount);
    for (let at = 0, code = 0; code < counts.length; code++) {
      for (let interval = 0; interval < this.#intervalCount; interval++, at += 2) {
        counts[code]! += this.#tallies[at]!;
        const alone = this.#tallies[at + 1]!;
        if (alone > 0) this.#wide.addAlone(this.#keyOf(code), interval, alone);
      }
    }
    this.#arrays.giveBack(this.#tallies);
    return counts;
  }

  /** Whole groups. */
  #addGroups(rows: GroupedRows): void {
    const { codes, intervals } = rows;
    const found = kernels().countGroups(rows, this.#intervalCount, this.#tallies, several);
    for (let i = 0, groupEnd = 0; i < found; i++) {
      if (several[i]! < groupEnd) continue;
      const first = groupStart(rows, several[i]!);
      groupEnd = first + 1;
      while (groupEnd < codes.length && isOneGroup(rows, first, groupEnd)) groupEnd++;
      const interval = intervals[first]!;
      this.#tallies[this.#tallyOf(codes[first]!, interval) + 1]!--;
      this.#addUser(interval, codes, first, groupEnd);
    }
  }

  #endGroup(): void {
    const { length } = this.#codes;
    if (length > 0) this.#addUser(this.#interval, this.#codes, 0, length);
    this.#codes.length = 0;
  }

  #addUser(interval: number, codes: ArrayLike<number>, from: number, to: number): void {
    this.#keys.length = 0;
    for (let i = from; i < to; i++) addSorted(this.#keyOf(codes[i]!), this.#keys);
    this.#wide.addUser(interval, this.#keys);
  }

  #tallyOf(code: number, interval: number): number {
    return 2 * (code * this.#intervalCount + interval);
  }

  /** So many more rows of the group that waits. */
  #goOn(code: number, size: number): void {
    this.#tallies[this.#tallyOf(code, this.#interval)]! += size;
    if (this.#codes.at(-1) !== code && !this.#codes.includes(code)) this.#codes.push(code);
  }
}

/** The first entry of this one's user and interval. */
function groupStart(rows: GroupedRows, entry: number): number {
  let first = entry;
  while (first > 0 && isOneGroup(rows, entry, first - 1)) first--;
  return first;
}

function isOneGroup({ users, intervals }: GroupedRows, a: number, b: number): boolean {
  return users[a] === users[b] && intervals[a] === intervals[b];
}
