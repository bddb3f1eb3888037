import type { Bitset } from '../base/bitset.ts';
import { MERGE_WORDS } from './blocks/mergeTable.ts';

/** Of a page, which lies in shared memory: a job gets to another thread with all merges so far, and no copy. */
const PAGE_MERGES = 1 << 12;

/**
 * Who was merged into whom, from the first merge on: what compaction needs to know. What has been added never changes,
 * so whoever has a list of them may go on reading it.
 */
export class MergeList {
  #pages: Uint32Array[] = [];
  #count = 0;
  /** How many were merged into an ordinal, where that is more than one. */
  readonly #several = new Map<number, number>();

  get count(): number {
    return this.#count;
  }

  get memoryBytes(): number {
    return this.#pages.length * PAGE_MERGES * MERGE_WORDS * 4 + this.#several.size * SEVERAL_BYTES;
  }

  /** `isFirst`: nobody stands for `target` but itself. */
  add(source: number, target: number, isFirst: boolean): void {
    const origin = isFirst ? 1 : (this.#several.get(target) ?? 1) + 1;
    if (!isFirst) this.#several.set(target, origin);
    const at = (this.#count % PAGE_MERGES) * MERGE_WORDS;
    if (at === 0) this.#pages.push(newPage());
    this.#pages.at(-1)!.set([source, target, origin], at);
    this.#count++;
  }

  /** Nobody is merged into this ordinal any more. */
  drop(target: number): void {
    this.#several.delete(target);
  }

  /** Three words a merge (CompactJob). */
  list(): readonly Uint32Array[] {
    const last = this.#count % PAGE_MERGES;
    if (last === 0) return this.#pages.slice();
    return [...this.#pages.slice(0, -1), this.#pages.at(-1)!.subarray(0, last * MERGE_WORDS)];
  }

  /** Takes over, while empty, the merges of a tablet that splits; those of users who are not `here` do no harm. */
  *inherit(parent: MergeList, here: Bitset): Generator<void> {
    this.#pages = parent.#pages.slice();
    // The other child goes on with the same page.
    const last = this.#pages.pop();
    if (last !== undefined) this.#pages.push(newPage(last));
    this.#count = parent.#count;
    let visited = 0;
    for (const [target, count] of parent.#several) {
      if (here.has(target)) this.#several.set(target, count);
      if (++visited % SEVERAL_PER_STEP === 0) yield;
    }
  }
}

/** An entry of a Map. */
const SEVERAL_BYTES = 40;
const SEVERAL_PER_STEP = 4096;

function newPage(merges: ArrayLike<number> = []): Uint32Array {
  const page = new Uint32Array(new SharedArrayBuffer(PAGE_MERGES * MERGE_WORDS * 4));
  page.set(merges);
  return page;
}
