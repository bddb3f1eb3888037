import { assert } from '../../base/assert.ts';

/** Where the texts themselves are. */
export interface IndexedTexts {
  /** The hash of the text with this code. */
  hashAt(code: number): number;
  /** Whether the text that is looked for is the one with this code. */
  isWanted(code: number): boolean;
}

const SLOTS_MIN = 16;
const FILL_MAX = 0.85;
const GROWTH = 1.3;
/** Few enough that no call takes long; enough that a table is complete long before it is full. */
const MOVES_PER_ADD = 16;

/**
 * Codes by the hashes of their texts, 4 bytes a slot, 0.65 to 0.85 of the slots in use. A slot holds code + 1 in as
 * many bits as that takes, and above it bits of the hash, so that few texts besides the right one are ever looked at
 * (one look in a thousand, up to a quarter of a million texts).
 *
 * Open addressing, linear probing. A table that is full gets a successor of 1.3 times the slots, and every further
 * `add` moves some codes over; until all have moved, codes are in one of both.
 */
export class TextIndex {
  readonly #texts: IndexedTexts;
  #slots: Uint32Array = new Uint32Array(SLOTS_MIN);
  #successor: Uint32Array | undefined;
  /** Codes below are in the successor. */
  #movedEnd = 0;
  /** Codes below are in `slots`. */
  #slotsEnd = 0;
  #count = 0;

  constructor(texts: IndexedTexts) {
    this.#texts = texts;
  }

  get memoryBytes(): number {
    return this.#slots.byteLength + (this.#successor?.byteLength ?? 0);
  }

  /** The code of the text that is looked for. */
  find(hash: number): number | undefined {
    const code = probe(this.#slots, hash, this.#texts);
    if (code !== -1) return code;
    if (this.#successor === undefined) return undefined;
    const newer = probe(this.#successor, hash, this.#texts);
    return newer === -1 ? undefined : newer;
  }

  /** The next code, whose text is not in yet. Texts with all codes before must be in place. */
  add(hash: number): void {
    const code = this.#count++;
    if (this.#successor === undefined && this.#count > this.#slots.length * FILL_MAX) this.#beginGrowth();
    insert(this.#successor ?? this.#slots, hash, code);
    if (this.#successor !== undefined) this.#move(this.#successor);
    else this.#slotsEnd = this.#count;
  }

  /** The same index, of texts that are a copy. */
  fork(texts: IndexedTexts): TextIndex {
    const copy = new TextIndex(texts);
    copy.#slots = this.#slots.slice();
    copy.#successor = this.#successor?.slice();
    copy.#movedEnd = this.#movedEnd;
    copy.#slotsEnd = this.#slotsEnd;
    copy.#count = this.#count;
    return copy;
  }

  #beginGrowth(): void {
    this.#successor = new Uint32Array(Math.ceil(this.#slots.length * GROWTH));
    this.#movedEnd = 0;
  }

  #move(successor: Uint32Array): void {
    const end = Math.min(this.#slotsEnd, this.#movedEnd + MOVES_PER_ADD);
    for (let code = this.#movedEnd; code < end; code++) insert(successor, this.#texts.hashAt(code), code);
    this.#movedEnd = end;
    if (end < this.#slotsEnd) return;
    this.#slots = successor;
    this.#slotsEnd = this.#count;
    this.#successor = undefined;
  }
}

function probe(slots: Uint32Array, hash: number, texts: IndexedTexts): number {
  const codeBits = codeBitsOf(slots);
  const codeMask = (1 << codeBits) - 1;
  const fingerprint = hash << codeBits;
  let at = startOf(slots, hash);
  for (let slot = slots[at]!; slot !== 0; slot = slots[at]!) {
    if (((slot ^ fingerprint) & ~codeMask) === 0) {
      const code = (slot & codeMask) - 1;
      if (texts.isWanted(code)) return code;
    }
    if (++at === slots.length) at = 0;
  }
  return -1;
}

function insert(slots: Uint32Array, hash: number, code: number): void {
  const codeBits = codeBitsOf(slots);
  assert(code + 1 < 2 ** codeBits, 'there are fewer codes than slots');
  let at = startOf(slots, hash);
  while (slots[at] !== 0) if (++at === slots.length) at = 0;
  slots[at] = (hash << codeBits) | (code + 1);
}

/** The highest bits of the hash say where to begin, the lowest are the fingerprint. */
function startOf(slots: Uint32Array, hash: number): number {
  return Math.floor((hash / 2 ** 32) * slots.length);
}

function codeBitsOf(slots: Uint32Array): number {
  return 32 - Math.clz32(slots.length);
}
