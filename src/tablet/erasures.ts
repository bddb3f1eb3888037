import { hash64Into } from '../base/hash.ts';
import { HashPages } from '../base/hashPages.ts';
import { SetHash, StateHash } from '../store/stateHash.ts';

/** lo, hi, number of the deletion. Within a tablet the leading bits of `hi` are all the same, so `lo` goes first. */
const ENTRY_WORDS = 3;
const hash = new Uint32Array(2);

/**
 * Known users of this tablet who were deleted, as hashes of their ids, each with the number of its last deletion in the
 * account. A transfer that was made before, and gets into the log after it, is known by that
 * (docs/decisions/0010-deletion.md). Kept as long as the tablet, since nobody can say which transfer is the last: an entry
 * takes less than the ordinal that its user had. When the tablet splits they go, as all transfers to it are void then.
 */
export class Erasures {
  readonly #numbers = new HashPages(ENTRY_WORDS);

  get memoryBytes(): number {
    return this.#numbers.memoryBytes;
  }

  /** `deletion`: numbered from 1. */
  note(userId: string, deletion: number): void {
    hash64Into(hash, userId);
    const page = this.#numbers.pageOf(hash[1]!);
    const at = this.#slotOf(page.words, this.#numbers.start(page, hash[1]!));
    const isNew = page.words[at + 2] === 0;
    page.words.set([hash[1]!, hash[0]!, deletion], at);
    if (isNew) this.#numbers.added(page);
  }

  /** Whether the user was deleted after so many deletions. */
  isErasedSince(userId: string, deletions: number): boolean {
    hash64Into(hash, userId);
    const page = this.#numbers.pageOf(hash[1]!);
    const at = this.#slotOf(page.words, this.#numbers.start(page, hash[1]!));
    return page.words[at + 2]! > deletions;
  }

  hashInto(stateHash: StateHash): void {
    const entries = new SetHash();
    const entry = new StateHash();
    this.#numbers.forEach((words, at) => {
      for (let i = 0; i < ENTRY_WORDS; i++) entry.number(words[at + i]!);
      entries.add(entry);
    });
    stateHash.set(entries);
  }

  /** Of the entry that holds the hash, or of the free one where it belongs. */
  #slotOf(words: Uint32Array, start: number): number {
    let at = start;
    while (words[at + 2] !== 0 && (words[at] !== hash[1] || words[at + 1] !== hash[0])) {
      at = this.#numbers.next(words, at);
    }
    return at;
  }
}
