import { Command, CommanderError } from 'commander';
import { MusterError } from '../base/errors.ts';
import { addAnalyzeCommands } from './analyze.ts';
import { addCampaignCommands } from './campaign.ts';
import { addConfigCommands } from './config.ts';
import { addDeadLetterCommands } from './deadLetter.ts';
import { addDemoCommand } from './demo.ts';
import { addImportCommand } from './import.ts';
import { type Cli, UsageError } from './io.ts';
import { addKeysCommands } from './keys.ts';
import { printLine } from './print.ts';
import { addSegmentCommands } from './segment.ts';
import { addServeCommand } from './serve.ts';
import { addStatsCommand } from './stats.ts';
import { addUserCommands } from './user.ts';

const FAILURE = 1;
const WRONG_USAGE = 2;
/** 128 and the number of SIGINT, as shells have it. */
const INTERRUPTED = 130;

/** Runs one command line (without `muster` itself) and gives its exit code. Whatever goes wrong is one line on stderr. */
export async function run(cli: Cli, args: readonly string[]): Promise<number> {
  const { io } = cli;
  const program = buildProgram(cli);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    if (io.interrupted.aborted) return INTERRUPTED;
    const command = program.commands.find((command) => command.name() === args[0]);
    io.stderr.write(`muster: ${command === undefined ? '' : `${command.name()}: `}${lineOf(error)}\n`);
    return error instanceof UsageError ? WRONG_USAGE : FAILURE;
  }
}

function buildProgram(cli: Cli): Command {
  const { io, installation } = cli;
  const program = new Command('muster')
    .description('who did what, in milliseconds; and the messages that follow')
    .version(`muster ${installation.version}`, '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(`muster: ${oneLine(text.replace(/^error: /, ''))}\n`),
    });
  addServeCommand(cli, program);
  addDemoCommand(cli, program);
  addImportCommand(cli, program);
  addSegmentCommands(cli, program);
  addUserCommands(cli, program);
  addAnalyzeCommands(cli, program);
  addCampaignCommands(cli, program);
  addDeadLetterCommands(cli, program);
  addStatsCommand(cli, program);
  addKeysCommands(cli, program);
  addConfigCommands(cli, program);
  program
    .command('version')
    .description('print the version')
    .action(() => printLine(io, `muster ${installation.version}`));
  return program;
}

function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  const path = error instanceof MusterError ? error.path : undefined;
  const isSaid = path === undefined || error.message.includes(path);
  return oneLine(isSaid ? error.message : `${error.message} at ${path}`);
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}
