import { assert } from '../../base/assert.ts';
import { TEXT_BYTES_MAX } from '../../base/limits.ts';

/** Up to so many characters a loop here is faster than a call into the engine. */
const SHORT_CHARS = 64;

/** The text at hand, one a thread: encoded once, then hashed, compared and copied without an object of its own. */
export const atHand = { bytes: Buffer.alloc(1024), length: 0 };

/** Puts a text at hand. In one that is not well formed, each lone surrogate becomes U+FFFD. */
export function take(text: string): void {
  assert(text.length <= TEXT_BYTES_MAX, 'a text is within its limit');
  reserve(text.length * 3);
  atHand.length = writeShortAscii(text, atHand.bytes);
  if (atHand.length === -1) atHand.length = atHand.bytes.write(text);
}

/** Puts a text at hand that is UTF-8 already: source[start, end), copied. */
export function takeUtf8(source: Uint8Array, start: number, end: number): void {
  reserve(end - start);
  const target = atHand.bytes;
  for (let i = start; i < end; i++) target[i - start] = source[i]!;
  atHand.length = end - start;
}

function reserve(bytesMax: number): void {
  if (bytesMax > atHand.bytes.length) atHand.bytes = Buffer.alloc(bytesMax);
}

/** -1 for any other text. */
function writeShortAscii(text: string, target: Buffer): number {
  if (text.length > SHORT_CHARS) return -1;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char > 0x7f) return -1;
    target[i] = char;
  }
  return text.length;
}

export function isAtHand(bytes: Uint8Array, start: number, end: number): boolean {
  const { bytes: wanted, length } = atHand;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

/** 32 bits: MurmurHash3 (A. Appleby), its tail taken byte by byte. */
export function hashUtf8(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = mixed(hash, word);
  }
  for (; at < end; at++) hash = mixed(hash, bytes[at]!);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixed(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}

/** Whether it may be among the texts kept: short enough, and no surrogate without its other half. */
export function canBeKept(text: string): boolean {
  return text.length <= TEXT_BYTES_MAX && !/\p{Surrogate}/u.test(text);
}
