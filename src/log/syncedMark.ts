import { crc32c } from '../base/crc32c.ts';
import { createFile, type Disk } from '../base/disk.ts';
import { DamageError } from '../base/errors.ts';
import { getUint32, getUint53, putUint32, putUint53 } from './frame.ts';

/**
 * The synced mark: a file `synced` beside the segments that says how far the log was durable when it was last opened,
 * went on to a new segment, or was closed. An end of the log before the mark is damage, never a torn tail. It is
 * replaced whole, by renaming. Numbers are unsigned and little-endian.
 *
 *   offset  size
 *        0     4  CRC32C of bytes 4 to 23
 *        4     8  "MUSTSYNC"
 *       12     8  first position of the newest segment
 *       20     4  how many of its bytes are durable
 */
export interface SyncedMark {
  /** The newest segment's. */
  readonly firstPosition: number;
  /** How many of that segment's bytes are durable. */
  readonly bytes: number;
}

const MARK_BYTES = 24;
const MAGIC = new TextEncoder().encode('MUSTSYNC');

export async function writeSyncedMark(disk: Disk, directory: string, mark: SyncedMark): Promise<void> {
  const bytes = new Uint8Array(MARK_BYTES);
  bytes.set(MAGIC, 4);
  putUint53(bytes, 12, mark.firstPosition);
  putUint32(bytes, 20, mark.bytes);
  putUint32(bytes, 0, crc32c(bytes.subarray(4)));
  await (await createFile(disk, `${directory}/synced.new`, bytes)).close();
  await disk.rename(`${directory}/synced.new`, `${directory}/synced`);
  await disk.syncDirectory(directory);
}

/** Undefined when there is none yet. Throws DamageError. */
export async function readSyncedMark(disk: Disk, directory: string): Promise<SyncedMark | undefined> {
  const file = `${directory}/synced`;
  const bytes = await disk.read(file);
  if (bytes === undefined) return undefined;
  const isValid =
    bytes.length === MARK_BYTES &&
    getUint32(bytes, 0) === crc32c(bytes.subarray(4)) &&
    MAGIC.every((byte, i) => bytes[4 + i] === byte);
  if (!isValid) throw new DamageError({ file, offset: 0, expected: 'a synced mark', found: 'other bytes' });
  return { firstPosition: getUint53(bytes, 12), bytes: getUint32(bytes, 20) };
}
