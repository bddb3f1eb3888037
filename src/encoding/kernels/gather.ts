import { ctz32, popcount32 } from '../../base/bitset.ts';

/** See Kernels.gather. Reads only the bytes that a code lies in. */
export function gather(
  packed: Uint8Array,
  bits: number,
  rows: Uint32Array,
  first: number,
  target: Uint32Array,
): void {
  const mask = bits === 32 ? -1 : (1 << bits) - 1;
  for (let i = 0; i < rows.length; i++) {
    const bit = (rows[i]! - first) * bits;
    let at = bit >>> 3;
    let code = packed[at]! >>> (bit & 7);
    for (let have = 8 - (bit & 7); have < bits; have += 8) code |= packed[++at]! << have;
    target[i] = code & mask;
  }
}

/** See Kernels.ranks. */
export function ranks(
  words: Uint32Array,
  rows: Uint32Array,
  first: number,
  before: number,
  target: Uint32Array,
): void {
  let w = 0;
  let rank = before;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]! - first;
    for (; w < row >>> 5; w++) rank += popcount32(words[w]!);
    target[i] = rank + popcount32(words[w]! & (-1 >>> (31 - (row & 31))));
  }
}

/** See Kernels.listRows. */
export function listRows(
  selected: Uint32Array,
  firsts: Uint32Array,
  before: { readonly row: number; readonly user: number },
  rows: Uint32Array,
  users: Uint32Array,
): number {
  let count = 0;
  let user = before.user;
  for (let w = 0; w < selected.length; w++) {
    const starting = firsts[w]!;
    for (let left = selected[w]!; left !== 0; left &= left - 1) {
      rows[count] = before.row + (w << 5) + ctz32(left);
      users[count++] = user + popcount32(starting & (left ^ (left - 1)));
    }
    user += popcount32(starting);
  }
  return count;
}

/** See Kernels.markKinds. */
export function markKinds(
  selected: Uint32Array,
  bitmaps: readonly (Uint32Array | undefined)[],
  target: Uint32Array,
): void {
  target.fill(0);
  for (const [kind, words] of bitmaps.entries()) {
    if (words !== undefined) markKind(selected, words, 1 << kind, target);
  }
}

function markKind(selected: Uint32Array, words: Uint32Array, bit: number, target: Uint32Array): void {
  let before = 0;
  for (let w = 0; w < selected.length; w++) {
    const all = selected[w]!;
    for (let left = words[w]! & all; left !== 0; left &= left - 1) {
      target[before + popcount32(all & ((left & -left) - 1))]! |= bit;
    }
    before += popcount32(all);
  }
}
