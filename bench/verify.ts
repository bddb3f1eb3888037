import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { initHash } from '../src/base/hash.ts';
import { SeededRandom } from '../src/base/random.ts';
import { table } from '../src/cli/print.ts';
import { TestServer } from '../src/cli/testServer.ts';
import { readNaively } from './naive.ts';
import { Verification } from './verification.ts';

/**
 * `npm run verify -- FILE... [--kill] [--rounds N] [--seed S] [--listener node:http]`: prints what was checked for each
 * file, and exits 1 when anything was wrong. With --kill the server is killed several times during the import, and the
 * import once; each round asks for a segment of each kind.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kill: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    listener: { type: 'string', default: 'uWebSockets.js' },
  },
});
if (positionals.length === 0)
  throw new Error('usage: npm run verify -- FILE... [--kill] [--rounds N] [--seed S]');
await initHash();
for (const path of positionals) {
  const file = await readNaively(path);
  const listener = values.listener === 'node:http' ? 'node:http' : 'uWebSockets.js';
  const server = await TestServer.start({ listener });
  try {
    const verification = new Verification(path, file, server, new SeededRandom(Number(values.seed)));
    await verification.run({ kill: values.kill, rounds: Number(values.rounds) });
    const title = values.kill ? `${basename(path)}, killed during the import` : basename(path);
    console.log(`${title}\n${table(verification.rows)}\n`);
    if (!verification.isRight) process.exitCode = 1;
  } finally {
    await server.dispose();
  }
}
