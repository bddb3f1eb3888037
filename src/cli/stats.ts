import type { Command } from 'commander';
import type { AccountStats } from '../client/types.ts';
import type { Cli } from './io.ts';
import { readableBytes, table } from './print.ts';
import { addServerCommand } from './serverCommand.ts';

/** `muster stats`: what an account holds. */
export function addStatsCommand(cli: Cli, program: Command): void {
  addServerCommand<[], object, AccountStats>(cli, program, {
    usage: 'stats',
    description: 'what the account holds, and its memory by part',
    run: (client) => client.call('account.stats', {}),
    text: (stats) =>
      table([
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
        ...Object.entries(stats.memory).map(([part, bytes]) => [`  ${part}`, readableBytes(bytes)]),
      ]),
  });
}
