import { createReadStream } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Command } from 'commander';
import { type Config, loadConfig } from '../server/config.ts';
import { readText } from './files.ts';
import { positiveNumber, wholeNumber } from './flags.ts';
import type { Io } from './io.ts';

export interface ConfigFlags {
  readonly config?: string;
  readonly data?: string;
  readonly host?: string;
  readonly port?: number;
  readonly threads?: number;
}

export function withConfigOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration, YAML or JSON (or MUSTER_CONFIG)')
    .option('--data <directory>', 'data directory')
    .option('--host <host>', 'address to listen on')
    .option('--port <n>', 'port to listen on; 0 takes a free one', wholeNumber)
    .option('--threads <n>', 'shard threads', positiveNumber);
}

/** File < environment < flags. */
export async function readConfig(io: Io, flags: ConfigFlags): Promise<Config> {
  const { data, host, port, threads } = flags;
  const name = flags.config ?? io.env.MUSTER_CONFIG;
  return loadConfig({
    ...(name !== undefined && { file: { name, text: await readText(createReadStream(name), name) } }),
    environment: io.env,
    flags: { data, threads, listen: { host, port } },
    host: { cores: availableParallelism(), memoryBytes: totalmem() },
  });
}
