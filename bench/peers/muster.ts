import { spawn } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Report } from '../harness.ts';

export interface MusterRun {
  /** dist/bench.mjs. */
  readonly program: string;
  /** Of real events: `*.ndjson.gz`. */
  readonly files: readonly string[];
  readonly sessions: { readonly seed: number; readonly events: number; readonly users: number };
}

export interface MusterSize {
  readonly events: number;
  readonly bytesPerEvent: number;
}

/** What Muster's own bench measures of the same events, by set; with the reason instead where it cannot. */
export async function musterSizes(run: MusterRun): Promise<Map<string, MusterSize> | string> {
  const sets = await mkdtemp(join(tmpdir(), 'muster-sets-'));
  try {
    for (const file of run.files) await symlink(resolve(file), join(sets, basename(file)));
    const { seed, events, users } = run.sessions;
    const numbers = Object.entries({ seed, events, users }).flatMap(([name, value]) => [
      `--${name}`,
      `${value}`,
    ]);
    const bench = spawn(process.execPath, [run.program, 'blocks', '--json', '--sets', sets, ...numbers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((done, failed) => bench.on('close', done).on('error', failed));
    const output = await text(bench.stdout);
    const status = await ended;
    return status === 0 ? sizesOf(output) : `${run.program} blocks ended with ${status}`;
  } finally {
    await rm(sets, { recursive: true });
  }
}

/** Of the reports, a line each, the rows that say what an event takes. */
export function sizesOf(output: string): Map<string, MusterSize> {
  const reports = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Report);
  const rows = reports.flatMap((report) => report.rows).filter((row) => 'bytesPerEvent' in row);
  return new Map(
    rows.map((row) => [
      String(row.set),
      { events: Number(row.events), bytesPerEvent: Number(row.bytesPerEvent) },
    ]),
  );
}
