// Bitmaps of some rows only, spread to all rows and back (the instructions PDEP and PEXT), four bits at a time.

/** By four bits of `rows` and four of the other bitmap. */
const EXPANDED = new Uint8Array(256);
const COMPRESSED = new Uint8Array(256);
/** Bits set in four. */
const POPCOUNT = new Uint8Array(16);

for (let rows = 0; rows < 16; rows++) {
  const places = [0, 1, 2, 3].filter((bit) => (rows >>> bit) & 1);
  POPCOUNT[rows] = places.length;
  for (let bits = 0; bits < 16; bits++) {
    places.forEach((place, n) => {
      EXPANDED[(rows << 4) | bits]! |= ((bits >>> n) & 1) << place;
      COMPRESSED[(rows << 4) | bits]! |= ((bits >>> place) & 1) << n;
    });
  }
}

/** See Kernels.expand. */
export function expand(dense: Uint32Array, rows: Uint32Array, words: Uint32Array): void {
  let n = 0;
  for (let w = 0; w < rows.length; w++) {
    let rest = rows[w]!;
    if (rest === 0) {
      words[w] = 0;
      continue;
    }
    // The next 32 of the dense bits; the second shift is split because one by 32 would be one by 0.
    const at = n >>> 5;
    const shift = n & 31;
    const next = at + 1 < dense.length ? dense[at + 1]! : 0;
    let bits = (dense[at]! >>> shift) | ((next << 1) << (31 - shift));
    let word = 0;
    for (let place = 0; place < 32; place += 4) {
      const four = rest & 15;
      word |= EXPANDED[(four << 4) | (bits & 15)]! << place;
      bits >>>= POPCOUNT[four]!;
      n += POPCOUNT[four]!;
      rest >>>= 4;
    }
    words[w] = word;
  }
}

/** See Kernels.compress. */
export function compress(words: Uint32Array, rows: Uint32Array, dense: Uint32Array): void {
  let at = 0;
  let pending = 0;
  let used = 0;
  for (let w = 0; w < rows.length; w++) {
    let rest = rows[w]!;
    let bits = words[w]!;
    for (; rest !== 0; rest >>>= 4) {
      const four = rest & 15;
      const found = COMPRESSED[(four << 4) | (bits & 15)]!;
      pending |= found << used;
      used += POPCOUNT[four]!;
      if (used >= 32) {
        dense[at++] = pending;
        used -= 32;
        pending = found >>> (POPCOUNT[four]! - used);
      }
      bits >>>= 4;
    }
  }
  dense.fill(0, at);
  if (used > 0) dense[at] = pending;
}
