import type { Command } from 'commander';
import { MEMBERS_PAGE_MAX } from '../base/limits.ts';
import type { MusterClient } from '../client/client.ts';
import type {
  Member,
  SavedSegment,
  Segment,
  SegmentChange,
  SegmentCount,
  SegmentExplanation,
} from '../client/types.ts';
import { readDefinition, readSegment } from './files.ts';
import { listOf, positiveNumber } from './flags.ts';
import type { Cli } from './io.ts';
import {
  counted,
  printLine,
  readableBytes,
  readableCount,
  readableMs,
  readableTime,
  readableValues,
  table,
} from './print.ts';
import { addServerCommand, type ServerFlags, withClient, withServerOptions } from './serverCommand.ts';

interface MembersFlags {
  readonly at?: string;
  readonly limit: number;
  readonly after?: string;
  readonly traits?: readonly string[];
}

/** `muster segment`: who did what. */
export function addSegmentCommands(cli: Cli, program: Command): void {
  const { io } = cli;
  const segment = program
    .command('segment')
    .description(
      'ask who did what; a definition is a JSON file, - for stdin, or the name of a saved segment',
    );

  addServerCommand<[string], { at?: string }, SegmentCount>(cli, segment, {
    usage: 'count <definition>',
    description: 'how many users are in it',
    options: atOption,
    run: async (client, [source], { at }) =>
      client.call('segment.count', { segment: await readSegment(io, source), at }),
    text: ({ count, total, stats }) =>
      `${readableCount(count)} of ${counted(total, 'user')} (${readableMs(stats.ms)})`,
  });

  addServerCommand<[string], { at?: string }, SegmentExplanation>(cli, segment, {
    usage: 'explain <definition>',
    description: 'how it is counted, what that costs, and what could be better',
    options: atOption,
    run: async (client, [source], { at }) =>
      client.call('segment.explain', { segment: await readSegment(io, source), at }),
    text: ({ text }) => text,
  });

  addServerCommand<[string], MembersFlags, { users: readonly Member[]; next?: string }>(cli, segment, {
    usage: 'members <definition>',
    description: 'who is in it, one user a line',
    options: (command) =>
      atOption(command)
        .option('--limit <n>', 'at most so many', positiveNumber, 1000)
        .option('--after <cursor>', 'go on where another page ended (its next)')
        .option('--traits <names>', 'with these traits, separated by commas', listOf),
    run: async (client, [source], flags) => readMembers(client, await readSegment(io, source), flags),
    text: ({ users, next }) => {
      const lines = users.map(({ id, traits }) =>
        traits === undefined ? [id] : [id, readableValues(traits)],
      );
      return table(next === undefined ? lines : [...lines, [`more: --after ${next}`]]);
    },
  });

  addServerCommand<[string, string], { live?: true }, SavedSegment>(cli, segment, {
    usage: 'save <name> <definition>',
    description: 'keep a definition under a name, in place of what was there',
    options: (command) =>
      command.option('--live', 'keep its membership current as events arrive and time passes'),
    run: async (client, [name, source], { live = false }) =>
      client.call('segment.save', { name, definition: await readDefinition(io, source), live }),
    text: describe,
  });

  addServerCommand<[], object, readonly Pick<SavedSegment, 'name' | 'live'>[]>(cli, segment, {
    usage: 'list',
    description: 'saved segments',
    run: async (client) => (await client.call('segment.list', {})).segments,
    text: (segments) => table(segments.map(({ name, live }) => [name, live ? 'live' : ''])),
  });

  addServerCommand<[string], object, SavedSegment>(cli, segment, {
    usage: 'show <name>',
    description: 'a saved segment',
    run: (client, [name]) => client.call('segment.get', { name }),
    text: (saved) => `${describe(saved)}\n${JSON.stringify(saved.definition, undefined, 2)}`,
  });

  addServerCommand<[string], object, object>(cli, segment, {
    usage: 'delete <name>',
    description: 'forget a saved segment',
    run: (client, [name]) => client.call('segment.delete', { name }),
    text: (_, [name]) => `${name} deleted`,
  });

  addWatchCommand(cli, segment);
}

function atOption(command: Command): Command {
  return command.option('--at <time>', 'as of this time (ISO-8601) instead of now');
}

async function readMembers(
  client: MusterClient,
  segment: Segment,
  { at, limit, after, traits }: MembersFlags,
) {
  const users: Member[] = [];
  let next = after;
  do {
    const page = await client.call('segment.members', {
      segment,
      at,
      limit: Math.min(limit - users.length, MEMBERS_PAGE_MAX),
      after: next,
      traits,
    });
    users.push(...page.users);
    next = page.next;
  } while (next !== undefined && users.length < limit);
  return next === undefined ? { users } : { users, next };
}

function describe({ name, live, count, computedAt, memoryBytes, strategy }: SavedSegment): string {
  if (!live) return `${name}: saved`;
  const how =
    strategy === 'recomputed' ? ', worked out again with its users’ events and when time changes it' : '';
  return (
    `${name}: live, ${counted(count ?? 0, 'user')} at ${readableTime(computedAt ?? '')}, ` +
    `${readableBytes(memoryBytes ?? 0)}${how}`
  );
}

function addWatchCommand({ io }: Cli, segment: Command): void {
  const command = withServerOptions(segment.command('watch <name>'));
  command
    .description('print a line for every user who enters or leaves a live segment, until interrupted')
    .action(async (name: string, { json, ...flags }: ServerFlags) => {
      const print = ({ at, change, userId }: SegmentChange) =>
        printLine(
          io,
          json
            ? JSON.stringify({ name, userId, change, at })
            : table([[readableTime(at), change.padEnd('enter'.length), userId]]),
        );
      await withClient(io, flags, async (client) => {
        const watch = await client.watch(name, print, io.interrupted);
        const error = await watch.ended;
        if (error !== undefined && !io.interrupted.aborted) throw error;
      });
    });
}
