// Bitmaps of some rows only, spread to all rows and back (the instructions PDEP and PEXT), eight bits at a time.
// `rows` are read in 64-bit words; in the last one, bits past the end are 0.
import { COMPRESSED, EXPANDED } from './layout';

/** Fills the tables, both by eight bits of `rows` and eight of the other bitmap. To be called once, first. */
export function prepareSpread(): void {
  for (let rows: u32 = 0; rows < 256; rows++) {
    for (let bits: u32 = 0; bits < 256; bits++) {
      let expanded: u32 = 0;
      let compressed: u32 = 0;
      let n: u32 = 0;
      for (let left = rows; left !== 0; left &= left - 1) {
        const place = ctz(left);
        expanded |= ((bits >>> n) & 1) << place;
        compressed |= ((bits >>> place) & 1) << n;
        n++;
      }
      store<u8>(EXPANDED + ((rows << 8) | bits), expanded as u8);
      store<u8>(COMPRESSED + ((rows << 8) | bits), compressed as u8);
    }
  }
}

/** Takes the dense bits from bit `n` of `dense` on, and returns the first one not taken. */
export function expand(dense: usize, n: u32, rows: usize, wordCount: u32, words: usize): u32 {
  for (let w: u32 = 0; w < wordCount; w += 2) {
    let rest = load<u64>(rows);
    let word: u64 = 0;
    if (rest !== 0) {
      const at = dense + (n >>> 3);
      const shift = (n & 7) as u64;
      // Split, because a shift by 64 would be one by 0.
      let bits = (load<u64>(at) >>> shift) | (((load<u8>(at, 8) as u64) << 1) << (63 - shift));
      n += popcnt(rest) as u32;
      for (let place: u64 = 0; rest !== 0; place += 8) {
        const eight = (rest & 255) as u32;
        word |= (load<u8>(EXPANDED + ((eight << 8) | ((bits & 255) as u32))) as u64) << place;
        bits >>>= popcnt(eight) as u64;
        rest >>>= 8;
      }
    }
    store<u64>(words, word);
    rows += 8;
    words += 8;
  }
  return n;
}

/** Continues a bitmap of which the first `used` bits, under 32, are in `pending`; returns its new length. */
export function compress(words: usize, rows: usize, wordCount: u32, pending: u32, used: u32, dense: usize): u32 {
  const first = dense;
  let word = pending as u64;
  for (let w: u32 = 0; w < wordCount; w += 2) {
    let rest = load<u64>(rows);
    let bits = load<u64>(words);
    while (rest !== 0) {
      const eight = (rest & 255) as u32;
      word |= (load<u8>(COMPRESSED + ((eight << 8) | ((bits & 255) as u32))) as u64) << (used as u64);
      used += popcnt(eight);
      // At most 31 bits are left over, so that eight more always fit.
      if (used >= 32) {
        store<u32>(dense, word as u32);
        dense += 4;
        word >>>= 32;
        used -= 32;
      }
      rest >>>= 8;
      bits >>>= 8;
    }
    rows += 8;
    words += 8;
  }
  store<u32>(dense, word as u32);
  return (((dense - first) as u32) << 3) + used;
}
