import xxhash from 'xxhash-wasm';
import { assert } from './assert.ts';

/**
 * xxHash64 (Y. Collet, xxHash fast digest algorithm, doc/xxhash_spec.md) as pairs of 32-bit halves. Every entry point
 * (process, worker thread, test) awaits `initHash` once; from then on everything here is synchronous. Not a top-level
 * await, because the single executable is bundled as CommonJS.
 */

/** Both halves are uint32. */
export interface Hash64 {
  readonly hi: number;
  readonly lo: number;
}

let wasm: Awaited<ReturnType<typeof xxhash>> | undefined;

/** The BigInt of a result goes through here: storing it and reading its halves allocates nothing, shifting it does. */
const halves = new DataView(new ArrayBuffer(8));
const SECOND_SEED = 1n;

export async function initHash(): Promise<void> {
  wasm ??= await xxhash();
}

/** Hash of the text's UTF-8, seed 0. */
export function hash64(text: string): Hash64 {
  hashTextToHalves(text, 0n);
  return { hi: halves.getUint32(0), lo: halves.getUint32(4) };
}

/** As `hash64`, without allocating: the high half to target[0], the low one to target[1]. */
export function hash64Into(target: Uint32Array, text: string): void {
  hashTextToHalves(text, 0n);
  target[0] = halves.getUint32(0);
  target[1] = halves.getUint32(4);
}

/** 128 bits to target[0..4): the hash of the text's UTF-8 with seed 0, then with seed 1. */
export function hash128Into(target: Uint32Array, text: string): void {
  hash64Into(target, text);
  hashTextToHalves(text, SECOND_SEED);
  target[2] = halves.getUint32(0);
  target[3] = halves.getUint32(4);
}

/** Hash of the bytes, seed 0. */
export function hashBytes(bytes: Uint8Array): Hash64 {
  assert(wasm !== undefined, 'initHash was awaited');
  halves.setBigUint64(0, wasm.h64Raw(bytes));
  return { hi: halves.getUint32(0), lo: halves.getUint32(4) };
}

/** Places a user, known or anonymous, in a tablet: its leading bits are matched with the tablets' prefixes. */
export function userHash(id: string): Hash64 {
  return hash64(id);
}

/** xxh64(userId + ":" + salt) mod 10000 (INTERFACE §4, `sample`). */
export function sampleBucket(userId: string, salt: string): number {
  const { hi, lo } = hash64(`${userId}:${salt}`);
  return ((hi % 10_000) * (2 ** 32 % 10_000) + (lo % 10_000)) % 10_000;
}

function hashTextToHalves(text: string, seed: bigint): void {
  assert(wasm !== undefined, 'initHash was awaited');
  halves.setBigUint64(0, wasm.h64(text, seed));
}
