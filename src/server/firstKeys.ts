import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DamageError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Role } from '../shard/api.ts';
import { newKey } from '../shard/keys.ts';

/** The keys of the account `default`, made at the first start of a server that was configured none. */
export type FirstKeys = Readonly<Record<Role, string>>;

const FILE = 'first-keys.json';
const KEY_BYTES = 24;
const schema = z.strictObject({ write: z.string(), read: z.string(), admin: z.string() });

/**
 * Reads the keys from the data directory, which must exist and be locked; at the first start makes and stores them,
 * readable by the owner only. Rejects with DamageError.
 */
export async function firstKeys(
  dataDirectory: string,
  random: Random,
): Promise<{ readonly keys: FirstKeys; readonly created: boolean }> {
  const path = join(dataDirectory, FILE);
  const stored = await readIfThere(path);
  if (stored !== undefined) return { keys: parse(stored), created: false };
  const keys = {
    write: newKey('write', random.bytes(KEY_BYTES)),
    read: newKey('read', random.bytes(KEY_BYTES)),
    admin: newKey('admin', random.bytes(KEY_BYTES)),
  };
  await writeWhole(dataDirectory, path, `${JSON.stringify(keys, undefined, 2)}\n`);
  return { keys, created: true };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): FirstKeys {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new DamageError({
      file: FILE,
      offset: 0,
      expected: 'the three keys as JSON',
      found: 'something else',
    });
  }
}

/** All or nothing, also through a crash. */
async function writeWhole(directory: string, path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await rename(temporary, path);
  const parent = await open(directory, 'r');
  await parent.sync();
  await parent.close();
}
