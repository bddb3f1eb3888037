// Where the codes of a width lie. Eight codes of `bits` bits fill `bits` bytes, so every eighth code begins a byte and
// one pattern serves all groups of eight: a swizzle brings each code's bytes to a lane of its own, where the code
// begins at one of the bits 0 to 7, the same in every group (T. Willhalm et al.: SIMD-Scan, VLDB 2009).
import { PATTERNS } from './layout';

/** From this width on a code may spread over five bytes, more than a lane of 32 bits holds. */
export const WIDE: u32 = 26;

/**
 * Of a pattern, vectors with an item a lane: where its bytes are, which bits are the code, what moves it to the same
 * place in all lanes, and a range's bounds where the code lies.
 */
export const SWIZZLE: usize = 0;
export const MASK: usize = 16;
export const FACTOR: usize = 32;
export const LOW: usize = 48;
export const SPAN: usize = 64;
/** Where the first byte of a wide code is. */
export const FIRST: usize = 80;

/** The second four codes of a group in lanes of 32 bits; they begin `bits >>> 1` bytes after the first four. */
export const SECOND: usize = PATTERNS + 96;

/** For widths under 8: eight lanes of 16 bits. FACTOR moves a code to bit 8. */
export function prepareLanes16(bits: u32, from: u32, span: u32): void {
  for (let lane: u32 = 0; lane < 8; lane++) {
    const bit = lane * bits;
    const at = PATTERNS + lane * 2;
    store<u8>(at + SWIZZLE, (bit >>> 3) as u8);
    store<u8>(at + SWIZZLE + 1, ((bit >>> 3) + 1) as u8);
    putShifted16(at + MASK, (1 << bits) - 1, bit & 7);
    putShifted16(at + FACTOR, 1, 8 - (bit & 7));
    putShifted16(at + LOW, from, bit & 7);
    putShifted16(at + SPAN, span, bit & 7);
  }
}

function putShifted16(at: usize, value: u32, by: u32): void {
  store<u16>(at, (value << by) as u16);
}

/**
 * For widths of 8 to 31: twice four lanes of 32 bits. FACTOR moves a code to bit 7. Of a wide code the lane holds all
 * bytes but the first, and FACTOR moves what it has of the code to where it belongs.
 */
export function prepareLanes32(bits: u32, from: u32, span: u32): void {
  for (let lane: u32 = 0; lane < 8; lane++) {
    const half = lane >>> 2;
    const bit = (lane & 3) * bits + half * ((4 * bits) & 7);
    const within = bit & 7;
    const at = (half ? SECOND : PATTERNS) + (lane & 3) * 4;
    const isWide = bits >= WIDE;
    const byte = (bit >>> 3) + (isWide ? 1 : 0);
    store<u32>(at + SWIZZLE, byte * 0x01010101 + 0x03020100);
    store<u32>(at + FIRST, (byte - 1) | 0xffffff00);
    store<u32>(at + MASK, ((1 << bits) - 1) << (isWide ? 0 : within));
    store<u32>(at + FACTOR, 1 << ((isWide ? 8 : 7) - within));
    store<u32>(at + LOW, from << within);
    store<u32>(at + SPAN, span << within);
  }
}
