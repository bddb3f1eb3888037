import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { firstKeys } from './firstKeys.ts';

describe('firstKeys', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'muster-keys-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('makes the keys once, for the owner only', async () => {
    const first = await firstKeys(directory, new SeededRandom(1));
    expect(first.created).toBe(true);
    expect(first.keys.write).toMatch(/^wk_[\w-]{32}$/);
    expect(new Set(Object.values(first.keys)).size).toBe(3);
    expect(await firstKeys(directory, new SeededRandom(2))).toEqual({ keys: first.keys, created: false });
    const [file, ...others] = await readdir(directory);
    expect(others).toEqual([]);
    expect((await stat(join(directory, file!))).mode & 0o777).toBe(0o600);
  });

  it('starts anew after a crash while writing, and stops at damage', async () => {
    await writeFile(join(directory, 'first-keys.json.new'), '{"wri');
    expect((await firstKeys(directory, new SeededRandom(1))).created).toBe(true);
    await writeFile(join(directory, 'first-keys.json'), '{"wri');
    await expect(firstKeys(directory, new SeededRandom(1))).rejects.toThrow(DamageError);
  });
});
