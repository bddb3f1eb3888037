/**
 * The disk as logic sees it: one real implementation (realDisk.ts), one simulated that loses, reorders and tears
 * whatever was not synced. Paths are relative to the data directory, with `/` between parts.
 */
export interface Disk {
  /** Opens for appending, creating it when missing. Its directory must exist. */
  openAppend(path: string): Promise<AppendFile>;
  /** The whole file; undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  readAt(path: string, offset: number, length: number): Promise<Uint8Array>;
  size(path: string): Promise<number>;
  /** Names (not paths) in a directory, sorted; empty when there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** With its parents, durable when it resolves; nothing happens when it exists. */
  makeDirectory(path: string): Promise<void>;
  rename(source: string, target: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in this directory durable. */
  syncDirectory(directory: string): Promise<void>;
  /** Bytes still free on the volume. */
  freeBytes(): Promise<number>;
}

export interface AppendFile {
  /**
   * Writes at the end and says how many bytes were taken: possibly fewer than given (a short write is no error, so
   * the caller loops). A rejected write may have left some bytes behind.
   */
  write(bytes: Uint8Array): Promise<number>;
  /** fdatasync. A rejection is final: what was written since the last sync may be lost; never call it again. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** Writes all of it, however many writes that takes. */
export async function writeAll(file: AppendFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const taken = await file.write(bytes.subarray(done));
    if (taken === 0) throw new Error('the disk takes no more bytes');
    done += taken;
  }
}

/** A file with just this content, synced and still open; the caller syncs its directory and closes it. */
export async function createFile(disk: Disk, path: string, content: Uint8Array): Promise<AppendFile> {
  const file = await disk.openAppend(path);
  try {
    await file.truncate(0);
    await writeAll(file, content);
    await file.sync();
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
