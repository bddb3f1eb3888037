import { assert } from '../base/assert.ts';
import { hash128Into } from '../base/hash.ts';
import { HashPages, type Page } from '../base/hashPages.ts';
import { DEDUPE_IDS_MAX, DEDUPE_WINDOW_MS } from '../base/limits.ts';
import { SetHash, type StateHash } from './stateHash.ts';

/**
 * The message ids a tablet has seen, as 128-bit hashes in two generations. The young one takes new ids; after the
 * window, or when it is full, it becomes the old one, and the old one goes: so an id is known for at least the window,
 * unless more than `idsMax` others came in it.
 *
 * Two ids are taken for one with a probability of n / 2^128 per id, n being the number held: 2^24 ids a day for a
 * thousand years give 10^-19. Hashes are not secret; who makes two of theirs collide loses an event of their own.
 */
export class Dedupe {
  readonly #windowMs: number;
  readonly #idsMax: number;
  #young = new HashPages(HASH_WORDS);
  /** The young generation's ids from before a split, which the other tablet shares: they are not added to. */
  #shared: readonly HashPages[] = [];
  #old: readonly HashPages[] = [];
  /** The tablet's time when the young generation began. */
  #youngSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly windowMs: number; readonly idsMax: number } = DEFAULTS) {
    this.#windowMs = options.windowMs;
    this.#idsMax = options.idsMax;
  }

  get count(): number {
    return [...this.#generation, ...this.#old].reduce((sum, { count }) => sum + count, 0);
  }

  get memoryBytes(): number {
    return [...this.#generation, ...this.#old].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  }

  /** Whether the id came before; if not, it has now. `atMs` is the tablet's clock, which never goes back. */
  seen(messageId: string, atMs: number): boolean {
    assert(atMs >= this.#youngSinceMs, 'the clock of a tablet does not go back');
    if (atMs - this.#youngSinceMs >= this.#windowMs || this.#youngCount >= this.#idsMax) {
      this.#old = this.#generation;
      this.#young = new HashPages(HASH_WORDS);
      this.#shared = [];
      this.#youngSinceMs = atMs;
    }
    hash128Into(hash, messageId);
    // Free slots end in 0.
    if (hash[3] === 0) hash[3] = 1;
    return this.#old.some(isIn) || this.#shared.some(isIn) || addTo(this.#young);
  }

  /** Knows, while new, what another one knows that takes no more ids. Nothing is copied. */
  inherit(parent: Dedupe): void {
    this.#old = parent.#old;
    this.#shared = parent.#generation;
    this.#youngSinceMs = parent.#youngSinceMs;
  }

  hashInto(stateHash: StateHash): void {
    stateHash.number(this.#youngSinceMs);
    for (const generation of [this.#generation, this.#old]) {
      const ids = new SetHash();
      for (const pages of generation) {
        pages.forEach((words, at) => {
          ids.addHash({ hi: words[at]!, lo: words[at + 1]! });
        });
      }
      stateHash.set(ids);
    }
  }

  /** The young one, whole. */
  get #generation(): readonly HashPages[] {
    return [...this.#shared, this.#young];
  }

  get #youngCount(): number {
    let count = this.#young.count;
    for (const shared of this.#shared) count += shared.count;
    return count;
  }
}

const DEFAULTS = { windowMs: DEDUPE_WINDOW_MS, idsMax: DEDUPE_IDS_MAX };
const HASH_WORDS = 4;

/** Of the id at hand. */
const hash = new Uint32Array(HASH_WORDS);

function isIn(pages: HashPages): boolean {
  const page = pages.pageOf(hash[0]!);
  return page.words[slotOf(pages, page) + 3] !== 0;
}

/** Whether it was there already. */
function addTo(pages: HashPages): boolean {
  const page = pages.pageOf(hash[0]!);
  const at = slotOf(pages, page);
  if (page.words[at + 3] !== 0) return true;
  page.words.set(hash, at);
  pages.added(page);
  return false;
}

/** Word index of the slot that holds the hash, or of the free one where it belongs. */
function slotOf(pages: HashPages, page: Page): number {
  const { words } = page;
  let at = pages.start(page, hash[0]!);
  while (words[at + 3] !== 0 && !isAt(words, at)) at = pages.next(words, at);
  return at;
}

function isAt(words: Uint32Array, at: number): boolean {
  return (
    words[at] === hash[0] &&
    words[at + 1] === hash[1] &&
    words[at + 2] === hash[2] &&
    words[at + 3] === hash[3]
  );
}
