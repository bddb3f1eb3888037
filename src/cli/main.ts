import packageJson from '../../package.json' with { type: 'json' };
import type { Installation, Io } from './io.ts';
import { run } from './program.ts';

/** Bundled to dist/muster.mjs: what is read at run time lies beside it. */
const installation: Installation = {
  version: packageJson.version,
  program: new URL('./muster.mjs', import.meta.url),
  threadProgram: new URL('./thread.mjs', import.meta.url),
  sample: new URL('../samples/online-retail.ndjson.gz', import.meta.url),
};

/** The first signal asks for an end, the second does not ask. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.kill(process.pid, 'SIGKILL');
      interrupted.abort();
    });
  }
  return interrupted.signal;
}

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  isTerminal: process.stdout.isTTY === true && process.stderr.isTTY === true,
  interrupted: interruption(),
};

// Whoever reads has seen enough (`muster segment members … | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const code = await run({ io, installation }, process.argv.slice(2));
// A server that failed may have threads left.
process.stdout.write('', () => process.exit(code));
