import type { Bitset } from './bitset.ts';
import { hash64Into } from './hash.ts';
import { HashPages, type Page } from './hashPages.ts';

const hash = new Uint32Array(2);

export interface IdsByNumber {
  /** Whether this is the number's id. */
  equals(number: number, id: string): boolean;
}

/**
 * Ids → small numbers, for more of them than a Map holds (2^24) and without its long stalls when it grows. The ids
 * themselves stay with the owner: an entry is a hash and the number + 1, in 8 bytes at 44 to 88 % fill.
 */
export class IdTable {
  readonly #pages = new HashPages(2);
  readonly #ids: IdsByNumber;

  /** They must know the id of every number that was put. */
  constructor(ids: IdsByNumber) {
    this.#ids = ids;
  }

  get memoryBytes(): number {
    return this.#pages.memoryBytes;
  }

  /** The id's number, or -1. */
  find(id: string): number {
    // The low half: within a tablet the leading bits of the high one are all the same.
    hash64Into(hash, id);
    const page = this.#pages.pageOf(hash[1]!);
    return page.words[this.#slotOf(page, hash[1]!, id) + 1]! - 1;
  }

  /** From now on this is the id's number. */
  put(id: string, number: number): void {
    hash64Into(hash, id);
    const page = this.#pages.pageOf(hash[1]!);
    const at = this.#slotOf(page, hash[1]!, id);
    const isNew = page.words[at + 1] === 0;
    page.words[at] = hash[1]!;
    page.words[at + 1] = number + 1;
    if (isNew) this.#pages.added(page);
  }

  /** Becomes, while empty, another table of which only numbers that are `here` are kept, for the same ids. */
  *inherit(parent: IdTable, here: Bitset): Generator<void> {
    yield* this.#pages.inherit(parent.#pages, (numberAnd1) => here.has(numberAnd1 - 1));
  }

  /** Word index of the id's slot, or of the free one where it belongs. */
  #slotOf(page: Page, idHash: number, id: string): number {
    const { words } = page;
    let at = this.#pages.start(page, idHash);
    while (words[at + 1] !== 0 && (words[at] !== idHash || !this.#ids.equals(words[at + 1]! - 1, id))) {
      at = this.#pages.next(words, at);
    }
    return at;
  }
}
