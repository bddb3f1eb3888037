import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDataDirectory } from './directoryLock.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-lock-'));
});

afterEach(() => rm(root, { recursive: true }));

test('one holder at a time', async () => {
  const release = await lockDataDirectory(root);
  await expect(lockDataDirectory(root)).rejects.toMatchObject({ code: 'conflict' });
  await release();
  await (await lockDataDirectory(root))();
  expect(await readdir(root)).toEqual([]);
});

test('refuses while another process lives, and leaves its file alone', async () => {
  // Start 0: of a host where starts are not known.
  await writeFile(join(root, `lock.${process.ppid}.0`), '');
  await expect(lockDataDirectory(root)).rejects.toThrow(`in use by process ${process.ppid}`);
  expect(await readdir(root)).toEqual([`lock.${process.ppid}.0`]);
});

test('takes over from the dead, also when the number lives again', async () => {
  await writeFile(join(root, `lock.${2 ** 31 - 1}.0`), '');
  await writeFile(join(root, `lock.${process.ppid}.1`), '');
  const release = await lockDataDirectory(root);
  expect(await readdir(root)).toHaveLength(1);
  await release();
});
