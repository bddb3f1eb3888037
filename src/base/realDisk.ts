import { fdatasyncSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { AppendFile, Disk } from './disk.ts';

/** What is stored is users' data: nobody but the owner may read it. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** The host's disk below one directory. */
export class RealDisk implements Disk {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async openAppend(path: string): Promise<AppendFile> {
    return new RealAppendFile(await open(this.#resolve(path), 'a', FILE_MODE));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      const buffer = await readFile(this.#resolve(path));
      // A Buffer's slice() is a view where a Uint8Array's is a copy.
      return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async readAt(path: string, offset: number, length: number): Promise<Uint8Array> {
    const file = await open(this.#resolve(path), 'r');
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  }

  async size(path: string): Promise<number> {
    return (await stat(this.#resolve(path))).size;
  }

  async list(directory: string): Promise<readonly string[]> {
    try {
      return (await readdir(this.#resolve(directory))).sort();
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  async makeDirectory(path: string): Promise<void> {
    const target = this.#resolve(path);
    const topmost = await mkdir(target, { recursive: true, mode: DIRECTORY_MODE });
    if (topmost === undefined) return;
    for (let made = target; ; made = dirname(made)) {
      await syncDirectory(dirname(made));
      if (relative(made, topmost) === '') return;
    }
  }

  async rename(source: string, target: string): Promise<void> {
    await rename(this.#resolve(source), this.#resolve(target));
  }

  async remove(path: string): Promise<void> {
    await rm(this.#resolve(path));
  }

  async syncDirectory(directory: string): Promise<void> {
    await syncDirectory(this.#resolve(directory));
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }

  #resolve(path: string): string {
    return join(this.#root, path);
  }
}

/**
 * Writes and syncs on the thread that calls, which waits meanwhile: whoever appends waits for the sync anyway, and the way
 * to a thread of the pool and back takes longer than a quick disk, most of all where there are more threads than cores.
 */
class RealAppendFile implements AppendFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<number> {
    return writeSync(this.#handle.fd, bytes);
  }

  async sync(): Promise<void> {
    fdatasyncSync(this.#handle.fd);
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
