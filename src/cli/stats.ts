import type { Command } from 'commander';
import type { MusterClient } from '../client/client.ts';
import type { AccountStats, ServerStats } from '../client/types.ts';
import type { Cli } from './io.ts';
import { counted, readableBytes, readableTime, table } from './print.ts';
import { addServerCommand } from './serverCommand.ts';

/** Names shown of a part, the largest first; the others are summed up. */
const NAMES_SHOWN_MAX = 10;

type Row = readonly [string, string | number];

interface StatsFlags {
  readonly server?: boolean;
}

/** `muster stats`: what an account, or the server, holds. */
export function addStatsCommand(cli: Cli, program: Command): void {
  addServerCommand<[], StatsFlags, AccountStats | ServerStats>(cli, program, {
    usage: 'stats',
    description: 'what the account holds, and its memory by part',
    options: (command) => command.option('--server', 'of all the accounts of the server'),
    run: (client: MusterClient, _, { server }) =>
      server ? client.call('server.stats', {}) : client.call('account.stats', {}),
    text: (stats) => table('users' in stats ? accountRows(stats) : serverRows(stats)),
  });
}

function accountRows(stats: AccountStats): readonly Row[] {
  return [
    ['events', stats.events],
    ['users', stats.users],
    ['accepted', stats.accepted],
    ['duplicate', stats.duplicate],
    ['rejected', stats.rejected],
    ['dropped values', stats.droppedValues],
    ['dead letters', stats.deadLetters],
    ['tablets', stats.tablets.length],
    ['bytes per event', Number(stats.bytesPerEvent.toFixed(1))],
    ['memory', readableBytes(stats.memoryBytes)],
    ...Object.entries(stats.memory).flatMap(([part, bytes]): readonly Row[] => [
      [`  ${part}`, readableBytes(bytes)],
      ...rowsByName(stats.memoryByName[part] ?? {}),
    ]),
  ];
}

function serverRows(stats: ServerStats): readonly Row[] {
  return [
    ['time', readableTime(stats.time)],
    ['threads', stats.threads],
    ['accounts', stats.accounts],
    ['memory', readableBytes(stats.memoryBytes)],
    ...Object.entries(stats.memory).map(([part, bytes]): Row => [`  ${part}`, readableBytes(bytes)]),
  ];
}

function rowsByName(bytesByName: Readonly<Record<string, number>>): readonly Row[] {
  const named = Object.entries(bytesByName)
    .filter(([, bytes]) => bytes > 0)
    .sort(([, a], [, b]) => b - a);
  const rest = named.slice(NAMES_SHOWN_MAX);
  const restBytes = rest.reduce((total, [, bytes]) => total + bytes, 0);
  return [
    ...named.slice(0, NAMES_SHOWN_MAX).map(([name, bytes]): Row => [`    ${name}`, readableBytes(bytes)]),
    ...(rest.length === 0
      ? []
      : [[`    (${counted(rest.length, 'other')})`, readableBytes(restBytes)] as const]),
  ];
}
