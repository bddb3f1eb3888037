import type { Command } from 'commander';
import type { MusterClient } from '../client/client.ts';
import type { DeadLetter } from '../client/types.ts';
import { positiveNumber } from './flags.ts';
import { type Cli, UsageError } from './io.ts';
import { counted, readableTime, table } from './print.ts';
import { addServerCommand } from './serverCommand.ts';

/** The most that the server lists, and replays, at once. */
const LETTERS_MAX = 1000;
const ITEM_CHARS_SHOWN = 60;

/** `muster dead-letter`: items that were refused. */
export function addDeadLetterCommands(cli: Cli, program: Command): void {
  const deadLetter = program
    .command('dead-letter')
    .description('items that were refused, each with its reason');

  addServerCommand<[], { limit: number }, readonly DeadLetter[]>(cli, deadLetter, {
    usage: 'list',
    description: 'the newest first',
    options: (command) => command.option('--limit <n>', 'at most so many, up to 1,000', positiveNumber, 100),
    run: async (client, _, { limit }) => (await client.call('deadLetter.list', { limit })).letters,
    text: (letters) =>
      table(
        letters.map(({ id, receivedAt, reason, path, item }) => [
          id,
          readableTime(receivedAt),
          path === undefined ? reason : `${reason} at ${path}`,
          item.length > ITEM_CHARS_SHOWN ? `${item.slice(0, ITEM_CHARS_SHOWN)}…` : item,
        ]),
      ),
  });

  addServerCommand<[string], object, DeadLetter>(cli, deadLetter, {
    usage: 'show <id>',
    description: `one item, of the newest ${LETTERS_MAX}`,
    run: async (client, [id]) => {
      const { letters } = await client.call('deadLetter.list', { limit: LETTERS_MAX });
      const letter = letters.find((letter) => letter.id === id);
      if (letter === undefined) throw new Error(`no dead letter ${id} among the newest ${LETTERS_MAX}`);
      return letter;
    },
    text: ({ reason, path, item, receivedAt }) =>
      `${table([
        ['reason', reason],
        ...(path === undefined ? [] : [['path', path]]),
        ['received', readableTime(receivedAt)],
      ])}\n${item}`,
  });

  addServerCommand<[string[]], { all?: true }, Replayed>(cli, deadLetter, {
    usage: 'replay [ids...]',
    description: 'collect items again, as they were sent',
    options: (command) => command.option('--all', `the newest ${LETTERS_MAX}`),
    run: async (client, [ids], { all = false }) => replay(client, ids, all),
    text: ({ replayed, failed }) =>
      [
        `${counted(replayed, 'item')} taken`,
        ...failed.map(({ id, reason }) => `${id} refused again: ${reason}`),
      ].join('\n'),
  });
}

interface Replayed {
  readonly replayed: number;
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

async function replay(client: MusterClient, ids: readonly string[], all: boolean): Promise<Replayed> {
  if (all === ids.length > 0) throw new UsageError('say which: ids, or --all');
  const wanted = all
    ? (await client.call('deadLetter.list', { limit: LETTERS_MAX })).letters.map(({ id }) => id)
    : ids;
  return wanted.length === 0
    ? { replayed: 0, failed: [] }
    : client.call('deadLetter.replay', { ids: wanted });
}
