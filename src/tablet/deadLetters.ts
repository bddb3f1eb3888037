import { DEAD_LETTER_BYTES_MAX, DEAD_LETTERS_MAX } from '../base/limits.ts';
import type { DeadLetter, DeleteRecord, UserRef } from '../log/record.ts';
import type { StateHash } from '../store/stateHash.ts';

/** The refused items that a tablet keeps, the oldest going first when there are too many. */
export class DeadLetters {
  readonly #letters = new Map<string, DeadLetter>();
  #bytes = 0;
  /** Letters ever added, and letters that had to go before anyone looked. */
  added = 0;
  dropped = 0;

  readonly #bits: string;

  /** `bits`: of the tablet. */
  constructor(bits: string) {
    this.#bits = bits;
  }

  /** `place`: in the log, so that a replay gives the same id. */
  add(place: string, letter: DeadLetter): void {
    const id = `${this.#bits}-${place}`;
    this.#letters.set(id, letter);
    this.#bytes += bytesOf(letter);
    this.added++;
    while (this.#letters.size > DEAD_LETTERS_MAX || this.#bytes > DEAD_LETTER_BYTES_MAX) {
      this.remove(this.#letters.keys().next().value!);
      this.dropped++;
    }
  }

  /** Takes over, while empty, the letters of a tablet that splits. They keep their ids. */
  inherit(parent: DeadLetters): void {
    for (const [id, letter] of parent.#letters) this.#letters.set(id, letter);
    this.#bytes = parent.#bytes;
    this.added = parent.added;
    this.dropped = parent.dropped;
  }

  /** Those that name a deleted user, or an id that was merged into it. In small steps. */
  *eraseOf({ user, anonymousIds }: DeleteRecord): Generator<void> {
    const ids = new Set(anonymousIds.map((id) => keyOf({ known: false, id }))).add(keyOf(user));
    let chars = 0;
    for (const [id, { item }] of this.#letters) {
      if (namesAny(item, ids)) this.remove(id);
      chars += item.length;
      if (chars < CHARS_PER_STEP) continue;
      chars = 0;
      yield;
    }
  }

  remove(id: string): void {
    const letter = this.#letters.get(id);
    if (letter === undefined) return;
    this.#letters.delete(id);
    this.#bytes -= bytesOf(letter);
  }

  get(id: string): DeadLetter | undefined {
    return this.#letters.get(id);
  }

  /** Newest first. */
  list(limit: number): (DeadLetter & { readonly id: string })[] {
    return [...this.#letters]
      .slice(-limit)
      .reverse()
      .map(([id, letter]) => ({ id, ...letter }));
  }

  get size(): number {
    return this.#letters.size;
  }

  get memoryBytes(): number {
    return this.#bytes;
  }

  hashInto(hash: StateHash): void {
    hash.number(this.#letters.size).number(this.added).number(this.dropped);
    for (const [id, letter] of this.#letters) hash.text(id).text(letter.reason).text(letter.item);
  }
}

/** The tablet that took the letter, by the letter's id; its heir (PrefixTree.heirOf) keeps it. */
export function tabletOfLetter(id: string): string {
  return id.slice(0, id.indexOf('-'));
}

/** Searched between two yields: some hundreds of microseconds. */
const CHARS_PER_STEP = 1 << 16;

/** Whose an item is, at any depth, and where its JSON was cut: a text or a number, which is its text. */
const ID_FIELDS = /"(userId|anonymousId|previousId)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d[-+.\deE]*)/g;

function namesAny(item: string, ids: ReadonlySet<string>): boolean {
  for (const [, field, literal] of item.matchAll(ID_FIELDS)) {
    const id = textOf(literal!);
    if (id !== undefined && ids.has(keyOf({ known: field === 'userId', id }))) return true;
  }
  return false;
}

function textOf(literal: string): string | undefined {
  try {
    return String(JSON.parse(literal));
  } catch {
    return undefined;
  }
}

function keyOf({ known, id }: UserRef): string {
  return `${known ? 'known' : 'anonymous'} ${id}`;
}

function bytesOf(letter: DeadLetter): number {
  return 2 * (letter.item.length + letter.reason.length) + 64;
}
