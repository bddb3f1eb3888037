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
