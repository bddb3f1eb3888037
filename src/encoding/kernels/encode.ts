/** See Kernels.bounds. */
export function bounds(numbers: Uint32Array): { readonly min: number; readonly max: number } {
  let min = 0xffffffff;
  let max = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    if (number < min) min = number;
    if (number > max) max = number;
  }
  return { min, max };
}

/** See Kernels.runs. */
export function runs(codes: Uint32Array, lowBits: number, runCodes: Uint32Array, ends: Uint32Array): number {
  if (codes.length === 0) return 0;
  let run = 0;
  let code = codes[0]! >>> lowBits;
  for (let i = 1; i < codes.length; i++) {
    const next = codes[i]! >>> lowBits;
    if (next === code) continue;
    runCodes[run] = code;
    ends[run++] = i;
    code = next;
  }
  runCodes[run] = code;
  ends[run] = codes.length;
  return run + 1;
}

/** See Kernels.pack. */
export function pack(codes: Uint32Array, bits: number, packed: Uint8Array): void {
  packed.fill(0, 0, Math.ceil((codes.length * bits) / 8));
  let bit = 0;
  for (let i = 0; i < codes.length; i++) {
    let code = codes[i]!;
    for (let left = bits; left > 0; ) {
      const used = bit & 7;
      const count = Math.min(8 - used, left);
      packed[bit >>> 3]! |= (code & ((1 << count) - 1)) << used;
      code >>>= count;
      bit += count;
      left -= count;
    }
  }
}
