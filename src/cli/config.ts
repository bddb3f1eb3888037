import type { Command } from 'commander';
import { printConfig } from '../server/config.ts';
import { type ConfigFlags, readConfig, withConfigOptions } from './configFlags.ts';
import type { Cli } from './io.ts';

/** `muster config`: what a server would be started with. */
export function addConfigCommands({ io }: Cli, program: Command): void {
  const config = program.command('config').description('what a server would be started with');
  withConfigOptions(config.command('print'))
    .description('the configuration from file, environment and flags, without secrets')
    .action(async (flags: ConfigFlags) => {
      io.stdout.write(printConfig(await readConfig(io, flags)));
    });
}
