import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode } from '../base/realDisk.ts';

/** Of writing by others: neither the group nor anyone else. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Puts files below a directory of this user alone, from which code may be loaded. What is there with the right content
 * stays untouched; everything else is replaced by a rename, so that processes that start together, and those that run
 * already, never see half a file. Paths are relative, with `/` between parts. Throws when the directory is someone
 * else's.
 */
export function unpack(
  directory: string,
  files: Iterable<readonly [path: string, content: Uint8Array]>,
): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const status = lstatSync(directory);
  const isOwn = process.getuid === undefined || status.uid === process.getuid();
  if (!status.isDirectory() || !isOwn || (status.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new Error(`${directory} must be a directory that only this user may write to`);
  }
  for (const [path, content] of files) {
    const target = join(directory, path);
    if (contentOf(target)?.equals(content)) continue;
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    replace(target, content);
  }
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function replace(path: string, content: Uint8Array): void {
  const temporary = `${path}.${randomUUID()}`;
  writeFileSync(temporary, content, { mode: 0o600 });
  renameSync(temporary, path);
}
