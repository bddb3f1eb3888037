import { crc32c } from '../base/crc32c.ts';
import { type AppendFile, createFile, type Disk } from '../base/disk.ts';
import { DamageError } from '../base/errors.ts';
import { LOG_READ_BYTES } from '../base/limits.ts';
import type { Random } from '../base/random.ts';
import {
  decodeFrameHeader,
  decodeSegmentHeader,
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  getUint32,
  SEGMENT_HEADER_BYTES,
} from './frame.ts';
import type { LogEntry } from './log.ts';

/** The newest segment, which is appended to. */
export interface ActiveSegment {
  readonly file: AppendFile;
  readonly firstPosition: number;
  readonly salt: number;
  /** How many of its bytes are durable. */
  bytes: number;
}

const NAME = /^\d{16}\.log$/;

export function segmentPath(directory: string, firstPosition: number): string {
  return `${directory}/${String(firstPosition).padStart(16, '0')}.log`;
}

/** First positions of the segments in this directory, ascending. */
export async function listSegments(disk: Disk, directory: string): Promise<number[]> {
  const names = await disk.list(directory);
  return names.filter((name) => NAME.test(name)).map((name) => Number.parseInt(name, 10));
}

/** An empty segment, durable with its name. Whatever was in a file of this name is gone. */
export async function createSegment(
  disk: Disk,
  random: Random,
  directory: string,
  firstPosition: number,
): Promise<ActiveSegment> {
  const salt = getUint32(random.bytes(4), 0);
  const header = encodeSegmentHeader({ firstPosition, salt });
  const file = await createFile(disk, segmentPath(directory, firstPosition), header);
  try {
    await disk.syncDirectory(directory);
  } catch (error) {
    await file.close();
    throw error;
  }
  return { file, firstPosition, salt, bytes: header.length };
}

/** Reads the frames of one segment in order, LOG_READ_BYTES of the file at a time, and believes nothing unchecked. */
export class SegmentReader {
  readonly salt: number;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #endOffset: number;
  #offset = SEGMENT_HEADER_BYTES;
  #position: number;
  /** The part of the file that is in memory. */
  #window: Uint8Array = new Uint8Array(0);
  #windowOffset = 0;

  private constructor(
    disk: Disk,
    file: { path: string; endOffset: number; firstPosition: number; salt: number },
  ) {
    this.#disk = disk;
    this.#path = file.path;
    this.#endOffset = file.endOffset;
    this.#position = file.firstPosition;
    this.salt = file.salt;
  }

  /** For the segment's bytes up to `endOffset`. Throws DamageError when its header is not valid. */
  static async open(
    disk: Disk,
    directory: string,
    firstPosition: number,
    endOffset: number,
  ): Promise<SegmentReader> {
    const path = segmentPath(directory, firstPosition);
    const header = decodeSegmentHeader(await disk.readAt(path, 0, SEGMENT_HEADER_BYTES));
    if (header?.firstPosition !== firstPosition) {
      const expected = `the header of a log segment that begins with position ${firstPosition}`;
      throw new DamageError({ file: path, offset: 0, expected, found: 'other bytes' });
    }
    return new SegmentReader(disk, { path, endOffset, firstPosition, salt: header.salt });
  }

  /** Where the next frame begins. */
  get offset(): number {
    return this.#offset;
  }

  /** The next frame's position. */
  get position(): number {
    return this.#position;
  }

  /** The next frame, or undefined when the last one ended at `endOffset`. Throws DamageError, and would again. */
  async next(): Promise<LogEntry | undefined> {
    if (this.#offset === this.#endOffset) return undefined;
    const head =
      this.#held(this.#offset, FRAME_HEADER_BYTES) ?? (await this.#load(this.#offset, FRAME_HEADER_BYTES));
    const header = decodeFrameHeader(head, 0, this.salt);
    if (header === undefined) throw this.damage('a frame header', 'other bytes');
    const position = this.#position;
    if (header.position !== position) throw this.damage(`position ${position}`, `${header.position}`);

    const payloadOffset = this.#offset + FRAME_HEADER_BYTES;
    const { payloadBytes } = header;
    const payload =
      this.#held(payloadOffset, payloadBytes) ?? (await this.#load(payloadOffset, payloadBytes));
    if (payload.length < payloadBytes) throw this.damage(`${payloadBytes} bytes`, `${payload.length}`);
    const crc = crc32c(payload);
    if (crc !== header.payloadCrc) throw this.damage(`payload checksum ${header.payloadCrc}`, `${crc}`);

    this.#offset = payloadOffset + payloadBytes;
    this.#position = position + 1;
    return { position, frame: payload.slice() };
  }

  /** Damage of what begins at `offset`. */
  damage(expected: string, found: string): DamageError {
    return new DamageError({ file: this.#path, offset: this.#offset, expected, found });
  }

  /** A view of these bytes, if they are in memory. */
  #held(offset: number, length: number): Uint8Array | undefined {
    const start = offset - this.#windowOffset;
    return start + length <= this.#window.length ? this.#window.subarray(start, start + length) : undefined;
  }

  /** Reads on from `offset`. Fewer than `length` bytes only where the segment ends. */
  async #load(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.min(Math.max(length, LOG_READ_BYTES), this.#endOffset - offset);
    this.#window = await this.#disk.readAt(this.#path, offset, wanted);
    this.#windowOffset = offset;
    return this.#window.subarray(0, length);
  }
}
