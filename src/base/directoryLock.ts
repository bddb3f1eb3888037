import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from './errors.ts';
import { hasCode } from './realDisk.ts';

/**
 * One living process per data directory. Each process that wants it first creates a file named after itself,
 *
 *   lock.PID.START    START: when the process started, in clock ticks since boot; 0 where there is no /proc
 *
 * and then looks at the others. Of two that start together at least one sees the other, so never both go on. Files of
 * dead processes are removed; START tells a process from an earlier one of the same number. Hosts or containers that
 * share a directory but not their process numbers are not told apart.
 */
const LOCK_NAME = /^lock\.(\d+)\.(\d+)$/;

/**
 * Resolves with the release. Throws MusterError `conflict` while another living process, or this one, holds the
 * directory, which is created when missing.
 */
export async function lockDataDirectory(root: string): Promise<() => Promise<void>> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const ownName = `lock.${process.pid}.${(await startOf(process.pid)) ?? '0'}`;
  const ownPath = join(root, ownName);
  await createLockFile(ownPath);
  const release = () => rm(ownPath);
  try {
    for (const name of await readdir(root)) {
      const match = LOCK_NAME.exec(name);
      if (match === null || name === ownName) continue;
      if (await isAlive(Number(match[1]), match[2]!)) throw heldBy(Number(match[1]), join(root, name));
      await rm(join(root, name), { force: true });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

async function createLockFile(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    throw hasCode(error, 'EEXIST') ? heldBy(process.pid, path) : error;
  }
}

function heldBy(pid: number, path: string): MusterError {
  return new MusterError('conflict', `the data directory is in use by process ${pid} (${path})`);
}

async function isAlive(pid: number, start: string): Promise<boolean> {
  if (start !== '0') return (await startOf(pid)) === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** Field 22 of /proc/PID/stat; undefined without /proc, without such a process, and for one that ended unreaped. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field, the program's name in brackets, may hold spaces and brackets itself.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
}
