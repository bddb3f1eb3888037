import { Bitset } from '../../base/bitset.ts';
import { ordinaryArrays } from '../../base/spareArrays.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';

/** The members of `rows` that a dense selection stands for: bit n of `dense` is about the n-th of them. */
export function expand(dense: Bitset, rows: Bitset, arrays = ordinaryArrays): Bitset {
  const result = Bitset.takeFrom(arrays, rows.size);
  kernels().expand(dense.words, rows.words, result.words);
  return result;
}

/** The inverse: bit n of the result, which has `size` bits, says whether `selected` has the n-th member of `rows`. */
export function compress(selected: Bitset, rows: Bitset, size: number, arrays = ordinaryArrays): Bitset {
  const dense = Bitset.takeFrom(arrays, size);
  kernels().compress(selected.words, rows.words, dense.words);
  return dense;
}
