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

/** The first `depth` bits of a hash, as text; depth is at most 32. */
export function prefixOf(hash: Hash64, depth: number): string {
  return depth === 0 ? '' : hash.hi.toString(2).padStart(32, '0').slice(0, depth);
}

export function evenPrefixes(count: number): string[] {
  const depth = Math.log2(count);
  assert(Number.isInteger(depth), 'an account starts with a power of two of tablets');
  return Array.from({ length: count }, (_, i) => (depth === 0 ? '' : i.toString(2).padStart(depth, '0')));
}
