import type { Command } from 'commander';
import { MusterClient } from '../client/client.ts';
import { type Cli, type Io, UsageError } from './io.ts';
import { printJson, printLine } from './print.ts';

const DEFAULT_URL = 'http://127.0.0.1:7700';

export interface ServerFlags {
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** A command that asks a server something and prints the answer. */
export interface ServerCommand<Args, Flags, Result> {
  /** Name and arguments, such as `show <name>`. */
  readonly usage: string;
  readonly description: string;
  readonly options?: (command: Command) => void;
  readonly run: (client: MusterClient, args: Args, flags: Flags & ServerFlags) => Promise<Result>;
  /** What `--json` prints; the result itself when left out. */
  readonly json?: (result: Result) => unknown;
  /** The result for people. */
  readonly text: (result: Result, args: Args) => string;
}

export function addServerCommand<Args extends readonly unknown[], Flags, Result>(
  { io }: Cli,
  parent: Command,
  spec: ServerCommand<Args, Flags, Result>,
): void {
  const command = parent.command(spec.usage).description(spec.description);
  spec.options?.(command);
  withServerOptions(command).action(async () => {
    const args = command.processedArgs as unknown as Args;
    const flags = command.opts() as Flags & ServerFlags;
    const result = await withClient(io, flags, (client) => spec.run(client, args, flags));
    if (flags.json) printJson(io, spec.json === undefined ? result : spec.json(result));
    else printLine(io, spec.text(result, args));
  });
}

export function withServerOptions(command: Command): Command {
  return command
    .option('--url <url>', `the server (or MUSTER_URL; default ${DEFAULT_URL})`)
    .option('--key <key>', 'a key of the account (or MUSTER_KEY)')
    .option('--json', 'print JSON');
}

export async function withClient<T>(
  io: Io,
  flags: ServerFlags,
  use: (client: MusterClient) => Promise<T>,
): Promise<T> {
  const url = flags.url ?? io.env.MUSTER_URL ?? DEFAULT_URL;
  const key = flags.key ?? io.env.MUSTER_KEY;
  if (key === undefined) throw new UsageError('a key is needed: --key, or MUSTER_KEY in the environment');
  const client = await MusterClient.connect({ url, key, signal: io.interrupted });
  const close = () => client.close();
  io.interrupted.addEventListener('abort', close, { once: true });
  try {
    return await use(client);
  } finally {
    client.close();
    io.interrupted.removeEventListener('abort', close);
  }
}
