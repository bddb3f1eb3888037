import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { initHash } from '../src/base/hash.ts';
import { SeededRandom } from '../src/base/random.ts';
import { TestServer } from '../src/cli/testServer.ts';
import { readNaively } from './naive.ts';
import { Verification } from './verification.ts';

const SAMPLE = new URL('../samples/online-retail.ndjson.gz', import.meta.url);

let server: TestServer;

beforeAll(async () => {
  await initHash();
  server = await TestServer.start();
});
afterAll(() => server.dispose());

test('the beginning of the sample, imported through kills, answers as a naive reading of it', async () => {
  const path = join(server.directory, 'sample.ndjson');
  const lines = gunzipSync(readFileSync(SAMPLE)).toString().split('\n').slice(0, 3000);
  await writeFile(path, lines.join('\n'));
  const file = await readNaively(path);
  const verification = new Verification(path, file, server, new SeededRandom(1));
  await verification.run({ kill: true, rounds: 1 });
  expect(verification.rows.filter(([mark]) => mark === '✗')).toEqual([]);
  expect(verification.rows.length).toBeGreaterThan(15);
}, 240_000);
