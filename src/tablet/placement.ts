import { assert } from '../base/assert.ts';
import type { Hash64 } from '../base/hash.ts';
import { userHash } from '../base/hash.ts';

/**
 * Which tablet a user is in: tablets are the leaves of a prefix tree over the bits of the 64-bit hash of the user's id
 * (decision 1). A tablet is named by its prefix: '' is the whole account, '01' the second quarter of the hashes.
 */
export class PrefixTree {
  /** In the order of the hashes they stand for. */
  readonly leaves: readonly string[];
  /** The first 32 bits of each leaf's first hash. */
  readonly #starts: Uint32Array;

  /** `leaves`: prefixes of at most 32 bits that share no user and leave none out. */
  constructor(leaves: Iterable<string>) {
    this.leaves = [...leaves].sort();
    this.#starts = Uint32Array.from(this.leaves, (leaf) => Number.parseInt(leaf.padEnd(32, '0'), 2));
    const covered = this.leaves.reduce((sum, leaf) => sum + 2 ** -leaf.length, 0);
    assert(covered === 1, 'the leaves cover every hash once');
  }

  /** A tree of `count` equal leaves; `count` is a power of two. */
  static even(count: number): PrefixTree {
    return new PrefixTree(evenPrefixes(count));
  }

  has(tablet: string): boolean {
    return this.leaves.includes(tablet);
  }

  /** What a tablet has become: itself, or the tablets that came of it by splits. */
  under(tablet: string): readonly string[] {
    return this.leaves.filter((leaf) => leaf.startsWith(tablet));
  }

  /** The tablet that has what belongs to no single user of this one, which may have split or be yet to come. */
  heirOf(tablet: string): string {
    const heir = this.leaves.find((leaf) => leaf.startsWith(tablet) || tablet.startsWith(leaf));
    assert(heir !== undefined, 'the leaves cover every hash');
    return heir;
  }

  /** With a leaf's two children in its place. */
  split(leaf: string): PrefixTree {
    assert(this.has(leaf), 'a leaf is split');
    return new PrefixTree([...this.leaves.filter((other) => other !== leaf), ...childrenOf(leaf)]);
  }

  find(hash: Hash64): string {
    let [low, end] = [0, this.#starts.length];
    while (end - low > 1) {
      const middle = (low + end) >>> 1;
      if (this.#starts[middle]! <= hash.hi) low = middle;
      else end = middle;
    }
    return this.leaves[low]!;
  }

  tabletOf(id: string): string {
    return this.find(userHash(id));
  }
}

export function childrenOf(tablet: string): readonly [string, string] {
  return [`${tablet}0`, `${tablet}1`];
}

/** Whether users of this id live in the tablet, or would. */
export function isHome(tablet: string, id: string): boolean {
  const { length } = tablet;
  return length === 0 || userHash(id).hi >>> (32 - length) === Number.parseInt(tablet, 2);
}

/** Bit `depth` (0 to 31) of the hash of an id: it says which child of a tablet of so many bits is the id's. */
export function bitOf(id: string, depth: number): 0 | 1 {
  return ((userHash(id).hi >>> (31 - depth)) & 1) as 0 | 1;
}

export function evenPrefixes(count: number): string[] {
  const depth = Math.log2(count);
  assert(Number.isInteger(depth), 'an account starts with a power of two of tablets');
  return Array.from({ length: count }, (_, i) => (depth === 0 ? '' : i.toString(2).padStart(depth, '0')));
}
