import { ctz32, popcount32 } from '../../base/bitset.ts';
import { type Differences, NO_PLACE, type Packed, type RunBounds } from './kernels.ts';

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

/** The code of so many bits from bit `bitAt` on of the bytes from `offset` on. */
export function codeAt(bytes: Uint8Array, offset: number, bitAt: number, bits: number): number {
  const shift = bitAt & 7;
  let at = offset + (bitAt >>> 3);
  let code = bytes[at]! >>> shift;
  for (let have = 8 - shift; have < bits; have += 8) code |= bytes[++at]! << have;
  return bits === 32 ? code >>> 0 : code & ((1 << bits) - 1);
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

/** See Kernels.gatherRuns. */
export function gatherRuns(
  { packed, bits }: Packed,
  bounds: RunBounds,
  rows: Uint32Array,
  first: number,
  target: Uint32Array,
): void {
  if (rows.length === 0) return;
  runsOf(bounds, rows, first, target);
  gather(packed, bits, target.subarray(0, rows.length), 0, target);
}

/** target[i] = the run that row rows[i] - first is in. There is a row. */
export function runsOf(bounds: RunBounds, rows: Uint32Array, first: number, target: Uint32Array): void {
  const words = new Uint32Array((rows[rows.length - 1]! - first + 32) >>> 5);
  markStarts(bounds, words);
  ranks(words, rows, first, -1, target);
}

/** See Kernels.gatherSplit. */
export function gatherSplit(
  codes: Packed,
  bounds: RunBounds,
  low: Packed,
  rows: Uint32Array,
  first: number,
  target: Float64Array,
): void {
  const [high, own] = [new Uint32Array(rows.length), new Uint32Array(rows.length)];
  gatherRuns(codes, bounds, rows, first, high);
  gather(low.packed, low.bits, rows, first, own);
  for (let i = 0; i < rows.length; i++) target[i] = high[i]! * 2 ** low.bits + own[i]!;
}

/** Sets the bits of rows at which runs begin, as far as there are words. */
function markStarts(bounds: RunBounds, words: Uint32Array): void {
  if ('starts' in bounds) {
    const { starts } = bounds;
    for (let at = 0; at < starts.length && at >>> 2 < words.length; at++) {
      words[at >>> 2]! |= starts[at]! << ((at & 3) << 3);
    }
    return;
  }
  const { firstEnd, lengths } = bounds;
  words[0]! |= 1;
  let row = firstEnd;
  for (let run = 1; row >>> 5 < words.length && run <= lengths.count; run++) {
    words[row >>> 5]! |= 1 << (row & 31);
    row += differenceAt(lengths, run - 1);
  }
}

const difference = new Uint32Array(1);

function differenceAt({ packed, bits, least }: Differences, i: number): number {
  gather(packed, bits, Uint32Array.of(i), 0, difference);
  return difference[0]! + least;
}

/** See Kernels.places. */
export function places(
  words: Uint32Array,
  rows: Uint32Array,
  first: number,
  before: number,
  target: Uint32Array,
): number {
  let missing = 0;
  let w = 0;
  let rank = before;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]! - first;
    for (; w < row >>> 5; w++) rank += popcount32(words[w]!);
    const bit = 1 << (row & 31);
    const word = words[w]!;
    const isMissing = (word & bit) === 0;
    target[i] = isMissing ? NO_PLACE : rank + popcount32(word & (bit - 1));
    if (isMissing) missing++;
  }
  return missing;
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
