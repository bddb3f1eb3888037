/** See Kernels.unpack. Reads only the bytes that the code lies in. */
export function unpack(
  packed: Uint8Array,
  bits: number,
  fromRow: number,
  count: number,
  target: Uint32Array,
): void {
  const mask = bits === 32 ? -1 : (1 << bits) - 1;
  let bit = fromRow * bits;
  for (let i = 0; i < count; i++) {
    let at = bit >>> 3;
    let code = packed[at]! >>> (bit & 7);
    for (let have = 8 - (bit & 7); have < bits; have += 8) code |= packed[++at]! << have;
    target[i] = code & mask;
    bit += bits;
  }
}
