import { assert } from '../base/assert.ts';
import type { Hash64 } from '../base/hash.ts';
import { userHash } from '../base/hash.ts';

/**
 * Which tablet a user is in: tablets are the leaves of a prefix tree over the bits of the 64-bit hash of the user's id
 * (decision 1). A tablet is named by its prefix: '' is the whole account, '01' the second quarter of the hashes.
 */
export class PrefixTree {
  readonly #leaves: Set<string>;
  readonly #depthMax: number;

  /** `leaves`: prefixes that share no user and leave none out. */
  constructor(leaves: Iterable<string>) {
    this.#leaves = new Set(leaves);
    this.#depthMax = Math.max(...[...this.#leaves].map((leaf) => leaf.length));
    const covered = [...this.#leaves].reduce((sum, leaf) => sum + 2 ** -leaf.length, 0);
    assert(covered === 1, 'the leaves cover every hash once');
  }

  /** A tree of `count` equal leaves; `count` is a power of two. */
  static even(count: number): PrefixTree {
    return new PrefixTree(evenPrefixes(count));
  }

  find(hash: Hash64): string {
    for (let depth = 0; depth <= this.#depthMax; depth++) {
      const prefix = prefixOf(hash, depth);
      if (this.#leaves.has(prefix)) return prefix;
    }
    throw new Error('unreachable: the leaves cover every hash');
  }

  tabletOf(id: string): string {
    return this.find(userHash(id));
  }

  get leaves(): readonly string[] {
    return [...this.#leaves].sort();
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
