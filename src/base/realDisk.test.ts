import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFile, writeAll } from './disk.ts';
import { RealDisk } from './realDisk.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-disk-'));
});

afterEach(() => rm(root, { recursive: true }));

const bytes = (...values: number[]) => Uint8Array.from(values);

test('writes at the end, reads anywhere', async () => {
  const disk = new RealDisk(root);
  await disk.makeDirectory('a/b');
  await disk.makeDirectory('a/b');
  const file = await disk.openAppend('a/b/file');
  await writeAll(file, bytes(1, 2, 3));
  await file.truncate(2);
  await writeAll(file, bytes(4));
  await file.sync();
  await file.close();
  expect(await disk.read('a/b/file')).toEqual(bytes(1, 2, 4));
  expect(await disk.readAt('a/b/file', 1, 1)).toEqual(bytes(2));
  expect(await disk.readAt('a/b/file', 1, 100)).toEqual(bytes(2, 4));
  expect(await disk.readAt('a/b/file', 9, 100)).toEqual(bytes());
  expect(await disk.size('a/b/file')).toBe(3);
  expect(await disk.freeBytes()).toBeGreaterThan(0);
});

test('names come and go', async () => {
  const disk = new RealDisk(root);
  for (const name of ['b', 'a']) await (await createFile(disk, name, bytes(1))).close();
  await (await createFile(disk, 'b', bytes(7))).close();
  expect(await disk.list('')).toEqual(['a', 'b']);
  await disk.rename('b', 'a');
  await disk.syncDirectory('');
  expect(await disk.read('a')).toEqual(bytes(7));
  await disk.remove('a');
  expect(await disk.list('')).toEqual([]);
  expect(await disk.list('missing')).toEqual([]);
  expect(await disk.read('a')).toBeUndefined();
  await expect(disk.size('a')).rejects.toThrow('ENOENT');
});
