import { Bitset } from '../base/bitset.ts';

/**
 * The rows a dense selection stands for: bit n of `dense` is about the n-th member of `rows`, whose bit is set in the
 * result when that one is.
 */
export function expand(dense: Bitset, rows: Bitset): Bitset {
  if (dense.size === rows.size) return dense;
  const result = new Bitset(rows.size);
  if (dense.isEmpty) return result;
  let n = 0;
  for (let w = 0; w < rows.words.length; w++) {
    let expanded = 0;
    for (let left = rows.words[w]!; left !== 0; left &= left - 1) {
      const lowest = left & -left;
      if ((dense.words[n >>> 5]! >>> (n & 31)) & 1) expanded |= lowest;
      n++;
    }
    result.words[w] = expanded;
  }
  return result;
}
