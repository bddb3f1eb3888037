import { CHUNK_ROWS_MAX } from '../base/limits.ts';

/**
 * Memory for what is computed while one chunk is encoded, used again for the next: fresh memory costs more to touch
 * than most loops over it.
 */
const ARRAYS = 12;
const memory = new Uint32Array(ARRAYS * CHUNK_ROWS_MAX);
let used = 0;

/** Whole numbers to be overwritten, valid until clearArena(). */
export function scratch(length: number): Uint32Array {
  if (used + length > memory.length) return new Uint32Array(length);
  used += length;
  return memory.subarray(used - length, used);
}

export function clearArena(): void {
  used = 0;
}

/** A bit for each of these numbers, which ascend. Valid until clearArena(). */
export function bitmapOf(numbers: Uint32Array, byteCount: number): Uint8Array {
  const words = scratch((byteCount + 3) >>> 2).fill(0);
  let at = 0;
  let word = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    if (number >>> 5 !== at) {
      words[at] = word;
      at = number >>> 5;
      word = 0;
    }
    word |= 1 << (number & 31);
  }
  words[at] = word;
  return new Uint8Array(words.buffer, words.byteOffset, byteCount);
}
