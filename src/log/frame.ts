import { assert } from '../base/assert.ts';
import { crc32c } from '../base/crc32c.ts';
import { FRAME_BYTES_MAX } from '../base/limits.ts';

/**
 * A segment of the log: one file, named by the position of its first frame (16 digits, `.log`). Numbers are unsigned
 * and little-endian.
 *
 *   offset  size  the segment's header
 *        0     4  CRC32C of bytes 4 to 27
 *        4     8  "MUSTRLOG"
 *       12     4  version: 1
 *       16     8  position of the first frame
 *       24     4  salt: random, new for each segment
 *       28        frames, one after the other to the end of the file
 *
 *   offset  size  a frame
 *        0     4  CRC32C of bytes 4 to 23, seeded with the segment's salt
 *        4     4  payload's length, at most FRAME_BYTES_MAX
 *        8     4  CRC32C of the payload
 *       12     8  position: one more than the frame's before it
 *       20     4  synced: how much of this file was known to be durable when the frame was written
 *       24        payload
 *
 * Frames are written in batches, each followed by a sync, before which none of its frames is acknowledged. The file's
 * header is durable before the first frame is written, and all of a segment before the next one is created. Hence
 *
 * - In a segment that is not the newest, everything must be valid, and its last position lead to the next segment.
 * - In the newest, let X be where the first invalid frame begins. If X was durable once, it is damage. That is known
 *   when X lies below the synced mark (syncedMark.ts), or when any frame header after X is valid and has synced > X.
 *   Otherwise X lies in the last batch, whose sync never returned as far as can be known: the torn tail, cut off at X.
 *   Whole frames may follow X there, for the sectors of a batch reach the disk in any order; they go too.
 * - A newest segment with no byte past its header may be one whose creation was cut short: unless the mark says that
 *   its header was durable, it is created anew.
 *
 * A header has a checksum of its own so that a length is never believed before it is checked, and so that looking for
 * headers after X takes time in proportion to the bytes. The salt keeps a payload from looking like a frame.
 */

export const SEGMENT_HEADER_BYTES = 28;
export const FRAME_HEADER_BYTES = 24;

const MAGIC = new TextEncoder().encode('MUSTRLOG');
const VERSION = 1;

export interface SegmentHeader {
  readonly firstPosition: number;
  readonly salt: number;
}

export interface FrameHeader {
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly position: number;
  readonly syncedBytes: number;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  bytes.set(MAGIC, 4);
  putUint32(bytes, 12, VERSION);
  putUint53(bytes, 16, header.firstPosition);
  putUint32(bytes, 24, header.salt);
  putUint32(bytes, 0, crc32c(bytes.subarray(4)));
  return bytes;
}

/** Undefined when these bytes do not begin with a valid header. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  if (getUint32(bytes, 0) !== crc32c(bytes.subarray(4, SEGMENT_HEADER_BYTES))) return undefined;
  if (MAGIC.some((byte, i) => bytes[4 + i] !== byte)) return undefined;
  if (getUint32(bytes, 12) !== VERSION) return undefined;
  return { firstPosition: getUint53(bytes, 16), salt: getUint32(bytes, 24) };
}

/** Writes the frame into `target` at `offset` and returns where it ends. */
export function encodeFrame(
  target: Uint8Array,
  offset: number,
  frame: { position: number; syncedBytes: number; salt: number; payload: Uint8Array },
): number {
  assert(frame.payload.length <= FRAME_BYTES_MAX, 'the payload fits a frame');
  const payloadOffset = offset + FRAME_HEADER_BYTES;
  putUint32(target, offset + 4, frame.payload.length);
  putUint32(target, offset + 8, crc32c(frame.payload));
  putUint53(target, offset + 12, frame.position);
  putUint32(target, offset + 20, frame.syncedBytes);
  putUint32(target, offset, crc32c(target.subarray(offset + 4, payloadOffset), frame.salt));
  target.set(frame.payload, payloadOffset);
  return payloadOffset + frame.payload.length;
}

/** Undefined when there is no valid frame header at `offset`. */
export function decodeFrameHeader(bytes: Uint8Array, offset: number, salt: number): FrameHeader | undefined {
  const end = offset + FRAME_HEADER_BYTES;
  if (end > bytes.length) return undefined;
  const payloadBytes = getUint32(bytes, offset + 4);
  if (payloadBytes > FRAME_BYTES_MAX) return undefined;
  if (getUint32(bytes, offset) !== crc32c(bytes.subarray(offset + 4, end), salt)) return undefined;
  return {
    payloadBytes,
    payloadCrc: getUint32(bytes, offset + 8),
    position: getUint53(bytes, offset + 12),
    syncedBytes: syncedBytesAt(bytes, offset),
  };
}

/** That field of a frame header which may or may not be valid: for passing over most places quickly. */
export function syncedBytesAt(bytes: Uint8Array, offset: number): number {
  return getUint32(bytes, offset + 20);
}

export function getUint32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>>
    0
  );
}

export function putUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** A whole number below 2^53 in 8 bytes. */
export function getUint53(bytes: Uint8Array, offset: number): number {
  return getUint32(bytes, offset) + getUint32(bytes, offset + 4) * 0x1_0000_0000;
}

export function putUint53(bytes: Uint8Array, offset: number, value: number): void {
  putUint32(bytes, offset, value);
  putUint32(bytes, offset + 4, Math.floor(value / 0x1_0000_0000));
}
