import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { printReport } from '../harness.ts';
import { SESSIONS, type Settings, sizes } from './sizes.ts';

const MEMORY = '/dev/shm';

const USAGE = `npm run bench:peers -- [--json]: bytes an event; for times, npm run bench:peers -- queries --help
  --data DIR    its *.ndjson.gz are the sets of real events (samples)
  --sets A,B    of them, and ${SESSIONS}: synthetic ones (all)
  --events N    of the synthetic sessions (20000000)
  --users N     of the synthetic sessions (1000000)
  --seed N      1
  --threads N   of each rival, and Muster's tablets: a power of two (2)
  --at DIR      where the rivals keep their files, best on a memory file system (${MEMORY} where it exists)
  --columns     shows what each column takes in ClickHouse, tuned`;

/** Measures what events take. `program` is this one, built. */
export async function sizesCommand(args: readonly string[], program: string): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string', default: fromHere('../../../samples') },
      sets: { type: 'string' },
      events: { type: 'string', default: '20000000' },
      users: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      at: { type: 'string', default: existsSync(MEMORY) ? MEMORY : tmpdir() },
      columns: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { events, users, seed, threads } = values;
  const all = (await readdir(values.data)).filter((name) => name.endsWith('.ndjson.gz'));
  const sets = values.sets?.split(',') ?? [...all.map((name) => name.replace('.ndjson.gz', '')), SESSIONS];
  const unknown = sets.find((set) => set !== SESSIONS && !all.includes(`${set}.ndjson.gz`));
  const areNumbers = [events, users, seed, threads].every((text) => /^[1-9]\d*$/.test(text));
  if (values.help || unknown !== undefined || !areNumbers) {
    if (unknown !== undefined) console.error(`no ${unknown}.ndjson.gz in ${values.data}`);
    console.error(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const settings: Settings = {
    data: values.data,
    sets,
    sessions: { seed: Number(seed), events: Number(events), users: Number(users) },
    threads: Number(threads),
    at: values.at,
    program,
  };
  const reports = await sizes(settings);
  for (const report of reports.filter(({ name }) => values.columns || name !== 'columns'))
    console.log(values.json ? JSON.stringify(report) : `${printReport(report)}\n`);
}

/** From where this program is built, bench/peers/dist. */
function fromHere(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
