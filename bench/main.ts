import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { initHash } from '../src/base/hash.ts';
import { printReport, type Report } from './harness.ts';
import { runThread } from './threads.ts';
import { blocks } from './workloads/blocks.ts';
import { collect } from './workloads/collect.ts';
import { imports } from './workloads/import.ts';
import { large } from './workloads/large.ts';
import { memory } from './workloads/memory.ts';
import { mixed } from './workloads/mixed.ts';
import { segments } from './workloads/segments.ts';
import { split } from './workloads/split.ts';

/** What a workload is given. */
export interface Bench {
  readonly size: 'real' | 'tiny';
  readonly seed: number;
  readonly users: number;
  /** Of the server. */
  readonly threads: number;
  /** Instead of a workload's own number of events. */
  readonly given: { readonly events?: number; readonly users?: number };
  /** A directory of files for the blocks workload, instead of the samples. */
  readonly sets: string | undefined;
  /** To import instead of the samples and synthetic events. */
  readonly file: string | undefined;
  /** Empty, and removed afterwards. */
  readonly directory: string;
  readonly samples: readonly string[];
  /** This program and the server's, built beside it. */
  readonly program: URL;
  readonly musterProgram: URL;
}

const WORKLOADS: Readonly<Record<string, (bench: Bench) => Promise<Report[]>>> = {
  blocks,
  collect,
  import: imports,
  large,
  memory,
  mixed,
  segments,
  split,
};
const USERS = { real: '100000', tiny: '100' };

const USAGE = `npm run bench -- [${Object.keys(WORKLOADS).join('|')}]... [--tiny] [--json]
  --events N   of each workload that makes some (blocks 20000000, import 500000, large 5000000, mixed 1000000, memory and segments 2000000)
  --users N    ${USERS.real} (blocks, large and split 1000000, memory 300000)
  --threads N  of the server, 2
  --file PATH  imported instead of the sample and of synthetic events: NDJSON, plain or gzip
  --sets DIR   its *.ndjson.gz are what blocks measures besides synthetic sessions (the sample)
  --data DIR   where the data directories are made (the system's temporary directory)
  --seed N     1`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tiny: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      events: { type: 'string' },
      users: { type: 'string' },
      threads: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      file: { type: 'string' },
      sets: { type: 'string' },
      data: { type: 'string', default: tmpdir() },
    },
  });
  const { events, users, threads, seed } = values;
  const unknown = positionals.find((name) => WORKLOADS[name] === undefined);
  const wrong = Object.entries({ events, users, threads, seed }).find(
    ([, text]) => text !== undefined && !/^[1-9]\d*$/.test(text),
  );
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (unknown !== undefined || wrong !== undefined) {
    console.error(
      unknown === undefined ? `--${wrong!.join(' ')}: not a number from 1` : `no workload ${unknown}`,
    );
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  await initHash();
  const size = values.tiny ? 'tiny' : 'real';
  for (const name of positionals.length > 0 ? positionals : Object.keys(WORKLOADS)) {
    const directory = await mkdtemp(join(values.data, 'muster-bench-'));
    try {
      const reports = await WORKLOADS[name]!({
        size,
        seed: Number(seed),
        users: Number(users ?? USERS[size]),
        threads: Number(threads),
        given: {
          ...(events !== undefined && { events: Number(events) }),
          ...(users !== undefined && { users: Number(users) }),
        },
        sets: values.sets,
        file: values.file,
        directory,
        samples: values.tiny
          ? []
          : [fileURLToPath(new URL('../samples/online-retail.ndjson.gz', import.meta.url))],
        program: new URL('./bench.mjs', import.meta.url),
        musterProgram: new URL('./muster.mjs', import.meta.url),
      });
      for (const report of reports)
        console.log(values.json ? JSON.stringify(report) : `${printReport(report)}\n`);
    } finally {
      await rm(directory, { recursive: true });
    }
  }
}

await (isMainThread ? main() : runThread());
