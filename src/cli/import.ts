import { open } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { MusterClient } from '../client/client.ts';
import type { Counts } from '../client/types.ts';
import type { ImportReject } from '../ingest/importFile.ts';
import { type FileCounts, importFile } from './importFile.ts';
import { type Cli, type Io, UsageError } from './io.ts';
import { counted, printJson, printLine, readableCount, readableMs, table } from './print.ts';
import { type ServerFlags, withClient, withServerOptions } from './serverCommand.ts';

interface ImportFlags extends ServerFlags {
  readonly format?: 'ndjson' | 'csv';
  readonly rejects?: string;
}

/** `muster import`. */
export function addImportCommand({ io }: Cli, program: Command): void {
  const command = program
    .command('import <files...>')
    .description('load files of events, plain or gzip; a repeated or interrupted import adds nothing twice')
    .addOption(
      new Option('--format <format>', 'what the files are (default: ndjson)').choices(['ndjson', 'csv']),
    )
    .option(
      '--rejects <file>',
      'write the lines that are no events there, as NDJSON with file, line and reason',
    );
  withServerOptions(command).action(async (files: string[], flags: ImportFlags) => {
    for (const file of files) {
      const format = flags.format ?? (/\.csv(\.gz)?$/i.test(file) ? 'csv' : 'ndjson');
      if (format === 'csv') throw new UsageError(`${file}: csv is not supported yet`);
    }
    const counts = await withClient(io, flags, (client) => importFiles(io, client, files, flags.rejects));
    if (flags.json) printJson(io, { ...sumOf(counts), files: counts });
    else printLine(io, describe(counts, flags.rejects));
  });
}

async function importFiles(
  io: Io,
  client: MusterClient,
  files: readonly string[],
  rejectsFile: string | undefined,
): Promise<FileCounts[]> {
  const rejects = rejectsFile === undefined ? undefined : await open(rejectsFile, 'w');
  const keep = async (file: string, lines: readonly ImportReject[]) => {
    const text = lines.map((reject) => `${JSON.stringify({ file, ...reject })}\n`).join('');
    await rejects?.write(text);
  };
  try {
    const counts: FileCounts[] = [];
    for (const file of files) {
      try {
        counts.push(await importFile(io, client, file, (lines) => keep(file, lines)));
      } catch (cause) {
        throw new Error(`${file}: ${(cause as Error).message}`, { cause });
      }
    }
    return counts;
  } finally {
    await rejects?.close();
  }
}

function sumOf(counts: readonly Counts[]): Counts {
  const sum = (of: keyof Counts) => counts.reduce((total, one) => total + one[of], 0);
  return { accepted: sum('accepted'), duplicate: sum('duplicate'), rejected: sum('rejected') };
}

function describe(counts: readonly FileCounts[], rejectsFile: string | undefined): string {
  const { accepted, duplicate, rejected } = sumOf(counts);
  const ms = counts.reduce((total, one) => total + one.ms, 0);
  const rate =
    accepted === 0 ? '' : ` (${readableMs(ms)}, ${readableCount(Math.round((accepted / ms) * 1000))}/s)`;
  const lines = [
    `${readableCount(accepted)} accepted, ${readableCount(duplicate)} duplicate, ${readableCount(rejected)} rejected${rate}`,
  ];
  if (counts.length > 1) {
    const rows = counts.map((one) => [one.file, one.accepted, one.duplicate, one.rejected]);
    lines.push(table([['file', 'accepted', 'duplicate', 'rejected'], ...rows]));
  }
  for (const { file, wasFinished } of counts) if (wasFinished) lines.push(`${file} was imported before`);
  const unreadable = counts.reduce((total, one) => total + one.unreadable, 0);
  if (unreadable > 0) {
    lines.push(`${counted(unreadable, 'line')} not sent: ${rejectsFile ?? 'see which with --rejects FILE'}`);
  }
  if (rejected > unreadable) {
    lines.push(`${counted(rejected - unreadable, 'item')} refused: see muster dead-letter list`);
  }
  return lines.join('\n');
}
