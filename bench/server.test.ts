import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MALLOC_SETTINGS } from './server.ts';

/** Prints them from within the program, before it does anything. */
const SETTINGS = `data:text/javascript,${encodeURIComponent(
  `console.log(JSON.stringify(${JSON.stringify(Object.keys(MALLOC_SETTINGS))}.map((name) => process.env[name])))`,
)}`;

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'muster-launcher-'));
  // As npm installs it.
  await symlink(resolve('bin/muster'), join(directory, 'muster'));
});
afterAll(() => rm(directory, { recursive: true }));

async function settingsOf(given: object): Promise<unknown> {
  const path = `${dirname(process.execPath)}:/usr/bin:/bin`;
  const env = { PATH: path, NODE_OPTIONS: `--import ${SETTINGS}`, ...given };
  const { stdout } = await promisify(execFile)(join(directory, 'muster'), ['--version'], { env });
  const [settings, version] = stdout.trimEnd().split('\n');
  expect(version).toMatch(/^muster \d/);
  return JSON.parse(settings!);
}

test('what is measured has the settings that bin/muster gives', async () => {
  expect(await settingsOf({})).toEqual(Object.values(MALLOC_SETTINGS));
});

test('settings that are there already stay', async () => {
  const given = Object.fromEntries(Object.keys(MALLOC_SETTINGS).map((name, i) => [name, `${i + 7}`]));
  expect(await settingsOf(given)).toEqual(Object.values(given));
});
