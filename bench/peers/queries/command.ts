import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printReport } from '../../harness.ts';
import { ENGINES, type EngineName } from './engine.ts';
import { queries } from './queries.ts';
import { QUESTIONS } from './questions.ts';

const MEMORY = '/dev/shm';

const USAGE = `npm run bench:peers -- queries [--json]
  --events N     of the synthetic sessions (20000000)
  --users N      of the synthetic sessions (1000000)
  --seed N       1
  --threads N    of each engine (2)
  --runs N       samples of a query at least (9)
  --budget N     ms after which three samples are enough (10000)
  --only A,B     of ${QUESTIONS.map(({ name }) => name).join(', ')}
  --engines A,B  of ${ENGINES.join(', ')}
  --data DIR     keeps the rivals' stores for another run, best on a memory file system
                 (else in ${MEMORY} where it exists, and removed)
  --ways         shows every layout and form`;

/** Measures how long queries take. `program` is this one, built. */
export async function queriesCommand(args: readonly string[], program: string): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '20000000' },
      users: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      runs: { type: 'string', default: '9' },
      budget: { type: 'string', default: '10000' },
      only: { type: 'string' },
      engines: { type: 'string', default: ENGINES.join(',') },
      data: { type: 'string' },
      ways: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { events, users, seed, threads, runs, budget } = values;
  const only = values.only?.split(',');
  const engines = values.engines.split(',');
  const unknown = [
    ...(only ?? []).filter((name) => QUESTIONS.every((question) => question.name !== name)),
    ...engines.filter((name) => !ENGINES.includes(name as EngineName)),
  ];
  const areNumbers = [events, users, seed, threads, runs, budget].every((text) => /^[1-9]\d*$/.test(text));
  if (values.help || unknown.length > 0 || !areNumbers) {
    if (unknown.length > 0) console.error(`unknown: ${unknown.join(', ')}`);
    (values.help ? console.log : console.error)(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const at = values.data ?? (await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'muster-queries-')));
  await mkdir(at, { recursive: true });
  try {
    const reports = await queries({
      program,
      at,
      sessions: { seed: Number(seed), events: Number(events), users: Number(users) },
      threads: Number(threads),
      effort: { runs: Number(runs), budgetMs: Number(budget) },
      only,
      engines: engines as EngineName[],
      log: (line) => console.error(line),
    });
    for (const report of reports.filter(({ name }) => values.ways || name !== 'ways'))
      console.log(values.json ? JSON.stringify(report) : `${printReport(report)}\n`);
  } finally {
    if (values.data === undefined) await rm(at, { recursive: true });
  }
}
