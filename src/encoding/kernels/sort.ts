/** See Kernels.sortByDigit. */
export function sortByDigit(
  keys: Uint32Array,
  entries: Uint32Array,
  shift: number,
  bits: number,
  targetKeys: Uint32Array,
  targetEntries: Uint32Array,
): void {
  const digits = 1 << bits;
  const mask = digits - 1;
  const places = new Uint32Array(digits + 1);
  for (let i = 0; i < keys.length; i++) places[((keys[i]! >>> shift) & mask) + 1]!++;
  for (let digit = 0; digit < digits; digit++) places[digit + 1]! += places[digit]!;
  for (let i = 0; i < keys.length; i++) {
    const place = places[(keys[i]! >>> shift) & mask]!++;
    targetKeys[place] = keys[i]!;
    targetEntries[place] = entries[i]!;
  }
}
