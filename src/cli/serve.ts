import type { Command } from 'commander';
import type { RunningServer } from '../server/main.ts';
import { type ConfigFlags, readConfig, withConfigOptions } from './configFlags.ts';
import type { Cli } from './io.ts';
import { counted, printLine, table } from './print.ts';

interface ServeFlags extends ConfigFlags {
  readonly json?: boolean;
}

/** What `--json` prints once the server is ready, in one line. */
export interface ServeReport {
  readonly url: string;
  readonly listener: RunningServer['listener'];
  readonly listenerReason: string | undefined;
  readonly data: string;
  readonly threads: number;
  readonly replayedFrames: number;
  /** Of the account `default`, at the first start only. */
  readonly keys: Readonly<Record<'write' | 'read' | 'admin', string>> | undefined;
}

/** `muster serve`. */
export function addServeCommand(cli: Cli, program: Command): void {
  withConfigOptions(program.command('serve'))
    .description('run a server until it is interrupted')
    .option('--json', 'print one line of JSON when ready')
    .action((flags: ServeFlags) => serve(cli, flags));
}

/** Resolves after a graceful end; rejects when the server cannot start or go on. */
async function serve({ io, installation }: Cli, flags: ServeFlags): Promise<void> {
  const config = await readConfig(io, flags);
  const { version, threadProgram } = installation;
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Loaded here, since no other command needs it.
  const { startServer } = await import('../server/main.ts');
  const starting = startServer(config, {
    version,
    threadProgram,
    failed: (message) => fail(new Error(message)),
    listening: (url) => {
      if (!flags.json) printLine(io, `muster ${version} listens on ${url}`);
    },
  });
  const server = await Promise.race([starting, failure]);
  const { url, listener, listenerReason, replayedFrames, keys } = server;
  const report: ServeReport = {
    url,
    listener,
    listenerReason,
    data: config.data,
    threads: config.threads,
    replayedFrames,
    keys: keys?.created ? keys.keys : undefined,
  };
  printLine(io, flags.json ? JSON.stringify(report) : describe(report));

  await Promise.race([interruption(io.interrupted), failure]);
  await Promise.race([server.stop(), failure]);
}

function describe(report: ServeReport): string {
  const { listener, listenerReason, data, threads, replayedFrames, keys } = report;
  const lines = [
    table([
      [
        'listener',
        listenerReason === undefined ? listener : `${listener} (${listenerReason.split('\n')[0]})`,
      ],
      ['data', data],
      ['threads', String(threads)],
      ['replayed', counted(replayedFrames, 'frame')],
    ]),
  ];
  if (keys !== undefined) {
    lines.push(`keys of the account default, not shown again (${data}/first-keys.json has them):`);
    lines.push(table(Object.entries(keys).map(([role, key]) => [`  ${role}`, key])));
  }
  return [...lines, 'ready'].join('\n');
}

function interruption(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
