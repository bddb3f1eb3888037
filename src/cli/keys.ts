import { Argument, type Command } from 'commander';
import type { Key, Role } from '../client/types.ts';
import type { Cli } from './io.ts';
import { table } from './print.ts';
import { addServerCommand } from './serverCommand.ts';

/** `muster keys`: who may do what. */
export function addKeysCommands(cli: Cli, program: Command): void {
  const keys = program.command('keys').description('who may do what; an admin key is needed');

  addServerCommand<[Role], { label?: string }, { id: string; key: string; role: Role }>(cli, keys, {
    usage: 'create',
    description: 'a new key, which is shown this once',
    options: (command) =>
      command
        .addArgument(
          new Argument('<role>', 'write collects, read asks, admin does everything').choices([
            'write',
            'read',
            'admin',
          ]),
        )
        .option('--label <text>', 'what it is for'),
    run: (client, [role], { label }) => client.call('key.create', { role, label }),
    text: ({ id, key, role }) => table([[role, key, `id ${id}`]]),
  });

  addServerCommand<[], object, readonly Key[]>(cli, keys, {
    usage: 'list',
    description: 'all keys, by their ids',
    run: async (client) => (await client.call('key.list', {})).keys,
    text: (list) =>
      table(
        list.map(({ id, role, label = '', configured }) => [
          id,
          role,
          label,
          configured ? 'from the configuration' : '',
        ]),
      ),
  });

  addServerCommand<[string], object, object>(cli, keys, {
    usage: 'revoke <id>',
    description: 'take a key back, at once',
    run: (client, [id]) => client.call('key.revoke', { id }),
    text: (_, [id]) => `${id} revoked`,
  });
}
