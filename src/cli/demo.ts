import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { narratorOn, SILENT } from './demo/narrator.ts';
import { runTour } from './demo/tour.ts';
import type { Cli } from './io.ts';
import { printJson, printLine } from './print.ts';

/** `muster demo`. */
export function addDemoCommand(cli: Cli, program: Command): void {
  const { io } = cli;
  program
    .command('demo')
    .description('serve in a temporary directory, load real orders, and show what can be done with them')
    .option('--json', 'print only what was measured, as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const directory = await mkdtemp(join(tmpdir(), 'muster-demo-'));
      try {
        const report = await runTour(cli, directory, json ? SILENT : narratorOn(io));
        if (json) printJson(io, report);
        else printLine(io, '\nAll gone again. Next: muster serve, and docs/reference/cli.md');
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    });
}
