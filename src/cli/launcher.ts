import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAsset } from 'node:sea';
import { pathToFileURL } from 'node:url';
import { unpack } from './unpack.ts';

/**
 * The main script of the single executable. Addons are loaded from files only, so the program is unpacked first
 * and runs from there as it does from a checkout: main.ts and everything after it do not know.
 */

/** Written by scripts/executable.mjs. */
interface Contents {
  /** Changes with any file. */
  readonly hash: string;
  readonly files: readonly string[];
}

const { hash, files } = JSON.parse(getAsset('contents.json', 'utf8')) as Contents;
const directory = join(tmpdir(), `muster-${process.getuid?.() ?? 'user'}-${hash}`);
try {
  unpack(
    directory,
    files.map((path) => [path, new Uint8Array(getAsset(path))]),
  );
} catch (error) {
  process.stderr.write(`muster: cannot unpack: ${(error as Error).message}\n`);
  process.exit(1);
}

const program = join(realpathSync(directory), 'dist', 'muster.mjs');
// `node PROGRAM ARGS` is how the program starts itself again. Here `node` is this executable.
if (process.argv[2] === program) process.argv.splice(2, 1);
void import(pathToFileURL(program).href);
