import type { Command } from 'commander';
import type { Deleted, Profile, TimelineEvent } from '../client/types.ts';
import { listOf, positiveNumber } from './flags.ts';
import type { Cli } from './io.ts';
import { readableTime, readableValues, table } from './print.ts';
import { addServerCommand } from './serverCommand.ts';

interface TimelineFlags {
  readonly limit: number;
  readonly before?: string;
  readonly events?: readonly string[];
}

/** `muster user`: one user. */
export function addUserCommands(cli: Cli, program: Command): void {
  const user = program.command('user').description('what is known of one user');

  addServerCommand<[string], object, Profile>(cli, user, {
    usage: 'profile <id>',
    description: 'traits, and the anonymous ids that became this user',
    run: (client, [userId]) => client.call('user.profile', { userId }),
    text: ({ id, aliases, traits }) =>
      table([
        ['id', id],
        ...(aliases.length > 0 ? [['aliases', aliases.join(', ')]] : []),
        ...Object.entries(traits).map(([name, value]) => [name, String(value)]),
      ]),
  });

  addServerCommand<[string], TimelineFlags, { events: readonly TimelineEvent[]; next?: string }>(cli, user, {
    usage: 'timeline <id>',
    description: 'what the user did, newest first',
    options: (command) =>
      command
        .option('--limit <n>', 'at most so many events, up to 1,000', positiveNumber, 20)
        .option(
          '--before <time>',
          'only events before this time, or go on where another page ended (its next)',
        )
        .option('--events <names>', 'only these events, separated by commas', listOf),
    run: (client, [userId], { limit, before, events }) =>
      client.call('user.timeline', { userId, limit, before, events }),
    text: ({ events, next }) => {
      const lines = events.map(({ event, time, properties }) => [
        readableTime(time),
        event,
        readableValues(properties),
      ]);
      return table(next === undefined ? lines : [...lines, [`more: --before ${next}`]]);
    },
  });

  addServerCommand<[string], object, readonly string[]>(cli, user, {
    usage: 'segments <id>',
    description: 'the saved segments the user is in',
    run: async (client, [userId]) => (await client.call('user.segments', { userId })).segments,
    text: (segments) => segments.join('\n'),
  });

  addServerCommand<[string], object, Deleted>(cli, user, {
    usage: 'delete <id>',
    description: 'erase the user for good: events, traits, messages, merged ids (admin key)',
    run: (client, [userId]) => client.call('user.delete', { userId }),
    text: ({ id, copiesGoneAt }) =>
      copiesGoneAt === null
        ? `deleted ${id}; copies in the log stay until it is compacted`
        : `deleted ${id}; copies in the log are gone at ${readableTime(copiesGoneAt)}`,
  });
}
