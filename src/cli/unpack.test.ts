import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { unpack } from './unpack.ts';

const FILES = [
  ['dist/program.mjs', Buffer.from('export {};')],
  ['sample.gz', Buffer.from([0x1f, 0x8b])],
] as const;

let root: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-unpack-'));
  directory = join(root, 'unpacked');
});

afterEach(() => rm(root, { recursive: true }));

async function expectUnpacked(): Promise<void> {
  for (const [path, content] of FILES) expect(await readFile(join(directory, path))).toEqual(content);
  expect(await readdir(join(directory, 'dist'))).toEqual(['program.mjs']);
}

it('writes the files for this user alone', async () => {
  unpack(directory, FILES);
  await expectUnpacked();
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, 'sample.gz'))).mode & 0o777).toBe(0o600);
});

it('leaves alone what is right, and replaces what is damaged or gone', async () => {
  unpack(directory, FILES);
  const [program, sample] = FILES.map(([path]) => join(directory, path)) as [string, string];
  const before = await stat(sample);
  await writeFile(program, 'something else');
  unpack(directory, FILES);
  await expectUnpacked();
  expect((await stat(sample)).ino).toBe(before.ino);
  await rm(join(directory, 'dist'), { recursive: true });
  unpack(directory, FILES);
  await expectUnpacked();
});

it('refuses a directory that others could have prepared', async () => {
  await mkdir(directory);
  await chmod(directory, 0o777);
  expect(() => unpack(directory, FILES)).toThrow('only this user may write');
  expect(await readdir(directory)).toEqual([]);

  await mkdir(join(root, 'elsewhere'), { mode: 0o700 });
  await symlink('elsewhere', join(root, 'link'));
  expect(() => unpack(join(root, 'link'), FILES)).toThrow('only this user may write');
  expect(await readdir(join(root, 'elsewhere'))).toEqual([]);
});
