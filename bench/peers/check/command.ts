import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { initHash } from '../../../src/base/hash.ts';
import { checksumOf, printReport } from '../../harness.ts';
import { checkFile } from './check.ts';

const USAGE = `npm run bench:peers -- check [--json]: whether Muster's members are those of DuckDB's SQL
  --data DIR       its *.ndjson.gz are the sets of real events (samples)
  --sets A,B       of them (all)
  --definitions N  of segments, drawn by chance, a set (50)
  --seed N         1`;

/** Prints a table, and every definition whose members differ. */
export async function checkCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string', default: fileURLToPath(new URL('../../../samples', import.meta.url)) },
      sets: { type: 'string' },
      definitions: { type: 'string', default: '50' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { data, definitions, seed } = values;
  const all = (await readdir(data)).flatMap((name) => /^(.*)\.ndjson\.gz$/.exec(name)?.[1] ?? []);
  const sets = values.sets?.split(',') ?? all;
  const unknown = sets.filter((set) => !all.includes(set));
  if (values.help || unknown.length > 0 || ![definitions, seed].every((text) => /^[1-9]\d*$/.test(text))) {
    if (unknown.length > 0) console.error(`not in ${data}: ${unknown.join(', ')}`);
    (values.help ? console.log : console.error)(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  await initHash();
  const rows: Record<string, string | number>[] = [];
  for (const set of sets) {
    const plan = {
      path: join(data, `${set}.ndjson.gz`),
      definitions: Number(definitions),
      seed: Number(seed),
    };
    const { differences, ...row } = await checkFile(plan, (line) => console.error(line));
    for (const difference of differences) console.error(difference);
    if (differences.length > 0) process.exitCode = 1;
    rows.push({ set, ...row, differing: differences.length });
  }
  const report = {
    name: 'check',
    what: 'segments by Muster and by SQL',
    parameters: { seed: Number(seed) },
    rows,
    checksum: checksumOf(rows),
  };
  console.log(values.json ? JSON.stringify(report) : printReport(report));
}
