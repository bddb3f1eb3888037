import type { Disk } from '../base/disk.ts';
import { DamageError } from '../base/errors.ts';
import { LOG_READ_BYTES } from '../base/limits.ts';
import type { Random } from '../base/random.ts';
import { decodeFrameHeader, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, syncedBytesAt } from './frame.ts';
import { type ActiveSegment, createSegment, listSegments, SegmentReader, segmentPath } from './segment.ts';
import { readSyncedMark, writeSyncedMark } from './syncedMark.ts';

/** A log as it is found, ready to be appended to. */
export interface RecoveredLog {
  /** First positions of all segments, the active one last. */
  readonly segments: number[];
  readonly active: ActiveSegment;
  /** The position the next frame gets. */
  readonly end: number;
}

/**
 * Finds the end of the log by the rules in frame.ts and makes everything before it durable. Checks every frame of the
 * newest segment; the older ones are checked when they are read. Throws DamageError, having changed nothing.
 */
export async function recoverLog(disk: Disk, random: Random, directory: string): Promise<RecoveredLog> {
  await disk.makeDirectory(directory);
  const mark = await readSyncedMark(disk, directory);
  const segments = await listSegments(disk, directory);
  const newest = segments.at(-1) ?? 0;
  if (mark !== undefined && (segments.length === 0 || newest < mark.firstPosition)) {
    const file = segmentPath(directory, mark.firstPosition);
    throw new DamageError({ file, offset: 0, expected: `${mark.bytes} bytes`, found: 'no such file' });
  }
  const syncedBytes = mark?.firstPosition === newest ? mark.bytes : 0;
  const isNew = segments.length === 0 || (syncedBytes === 0 && (await isEmpty(disk, directory, newest)));
  if (segments.length === 0) segments.push(newest);

  const { active, end } = isNew
    ? { active: await createSegment(disk, random, directory, newest), end: newest }
    : await recoverSegment(disk, directory, newest, syncedBytes);
  try {
    await writeSyncedMark(disk, directory, active);
  } catch (error) {
    await active.file.close();
    throw error;
  }
  return { segments, active, end };
}

/** Whether this segment has no frame: then its creation may have been cut short. */
async function isEmpty(disk: Disk, directory: string, firstPosition: number): Promise<boolean> {
  return (await disk.size(segmentPath(directory, firstPosition))) <= SEGMENT_HEADER_BYTES;
}

/** `syncedBytes`: how much of this segment is known to have been durable. */
async function recoverSegment(
  disk: Disk,
  directory: string,
  firstPosition: number,
  syncedBytes: number,
): Promise<{ active: ActiveSegment; end: number }> {
  const path = segmentPath(directory, firstPosition);
  const fileBytes = await disk.size(path);
  const reader = await SegmentReader.open(disk, directory, firstPosition, fileBytes);
  const damage = await readToDamage(reader);
  const { offset: bytes, position: end, salt } = reader;
  if (damage !== undefined && (bytes < syncedBytes || (await wasSynced(disk, path, bytes, salt))))
    throw damage;
  if (bytes < syncedBytes) throw reader.damage(`${syncedBytes} bytes`, 'the end of the file');

  const file = await disk.openAppend(path);
  try {
    if (bytes < fileBytes) await file.truncate(bytes);
    await file.sync();
  } catch (error) {
    await file.close();
    throw error;
  }
  return { active: { file, firstPosition, salt, bytes }, end };
}

/** Reads on until the segment ends (undefined) or is not valid. */
async function readToDamage(reader: SegmentReader): Promise<DamageError | undefined> {
  try {
    for (;;) {
      if ((await reader.next()) === undefined) return undefined;
    }
  } catch (error) {
    if (error instanceof DamageError) return error;
    throw error;
  }
}

/** Whether the segment goes on, after the invalid frame at `offset`, with a frame written when that one was durable. */
async function wasSynced(disk: Disk, path: string, offset: number, salt: number): Promise<boolean> {
  const fileBytes = await disk.size(path);
  for (let start = offset + 1; start < fileBytes; start += LOG_READ_BYTES) {
    // Headers may begin anywhere in these LOG_READ_BYTES, the last ones ending after them.
    const bytes = await disk.readAt(path, start, LOG_READ_BYTES + FRAME_HEADER_BYTES - 1);
    for (let i = 0; i + FRAME_HEADER_BYTES <= bytes.length; i++) {
      if (syncedBytesAt(bytes, i) <= offset) continue;
      const header = decodeFrameHeader(bytes, i, salt);
      if (header !== undefined) return true;
    }
  }
  return false;
}
