/**
 * CRC-32C (Castagnoli), as in RFC 3720 appendix B.4: reflected polynomial 0x82f63b78, all ones in and out.
 * Slicing-by-8 (Kounavis and Berry, 2005): eight tables let eight bytes be looked up without waiting for each other.
 */
const POLYNOMIAL = 0x82f63b78;

/** tables[256 · k + b] = the CRC of byte b followed by k zero bytes, without the inversions. */
const tables = buildTables();

function buildTables(): Int32Array {
  const built = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    built[byte] = crc;
  }
  for (let i = 256; i < built.length; i++) {
    const previous = built[i - 256]!;
    built[i] = (previous >>> 8) ^ built[previous & 0xff]!;
  }
  return built;
}

/**
 * The checksum of `bytes`, as an unsigned 32-bit number. `seed` is the checksum of what comes before them:
 * `crc32c(b, crc32c(a))` is that of a and b together.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const table = tables;
  const { length } = bytes;
  const slicedEnd = length - (length % 8);
  let crc = ~seed;
  let i = 0;
  for (; i < slicedEnd; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table[1792 + (crc & 0xff)]! ^
      table[1536 + ((crc >>> 8) & 0xff)]! ^
      table[1280 + ((crc >>> 16) & 0xff)]! ^
      table[1024 + (crc >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^
      table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^
      table[bytes[i + 7]!]!;
  }
  for (; i < length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
