import { Bitset } from '../base/bitset.ts';

/** A set of ordinals that grows as they come, and knows its size. */
export class MemberSet {
  #bits = new Bitset(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get memoryBytes(): number {
    return this.#bits.words.byteLength;
  }

  has(ordinal: number): boolean {
    return ordinal < this.#bits.size && this.#bits.has(ordinal);
  }

  /** Becomes what another set has of these ordinals. */
  inherit(parent: MemberSet, here: Bitset): void {
    this.#bits = parent.toBitset(here.size).and(here);
    this.#count = this.#bits.count();
  }

  /** Puts the ordinal in or takes it out; whether that changed anything. */
  set(ordinal: number, isIn: boolean): boolean {
    if (this.has(ordinal) === isIn) return false;
    if (ordinal >= this.#bits.size) this.#bits = this.#bits.resized(Math.max(64, 2 * ordinal));
    if (isIn) this.#bits.add(ordinal);
    else this.#bits.delete(ordinal);
    this.#count += isIn ? 1 : -1;
    return true;
  }

  /** The members below `size`, in a bitset of that size that is the caller's. */
  toBitset(size: number): Bitset {
    return this.#bits.resized(size);
  }
}
