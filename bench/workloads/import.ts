import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import { importFile } from '../../src/cli/importFile.ts';
import type { Io } from '../../src/cli/io.ts';
import { checksumOf, jsonParseMs, type Report } from '../harness.ts';
import type { Bench } from '../main.ts';
import { BenchServer, contentOf, logBytes } from '../server.ts';
import { type SyntheticOptions, segmentCall, syntheticCalls } from '../synthetic.ts';

const EVENTS = { real: 500_000, tiny: 1000 };
/** Lines whose parsing is timed for comparison. */
const LINES_PARSED_MAX = 20_000;

/**
 * The life of a file: importing it the way `muster import` does, what it takes in memory then, and how long a server
 * takes to read it back from its log.
 */
export async function imports(bench: Bench): Promise<Report[]> {
  const options = { seed: bench.seed, users: bench.users, events: EVENTS[bench.size], ...bench.given };
  const files =
    bench.file === undefined ? [...bench.samples, await syntheticFile(bench, options)] : [bench.file];
  const lives = [];
  for (const [i, file] of files.entries())
    lives.push(await lifeOf(bench, file, join(bench.directory, `life-${i}`)));
  const parameters = { ...options, threads: bench.threads };
  const checksum = checksumOf(lives.map(({ content }) => content));
  const report = (name: string, what: string, rows: Report['rows']) => ({
    name,
    what,
    parameters,
    rows,
    checksum,
  });
  return [
    report(
      'import',
      'events per second, from the file to the tablets',
      lives.map(({ imported }) => imported),
    ),
    report(
      'memory',
      'bytes per event, by part',
      lives.flatMap(({ memory }) => memory),
    ),
    report(
      'replay',
      'starting again',
      lives.map(({ replayed }) => replayed),
    ),
  ];
}

async function lifeOf(bench: Bench, file: string, directory: string) {
  const options = { program: bench.musterProgram, directory, threads: bench.threads };
  const name = basename(file);
  const server = await BenchServer.start(options);
  let first: Awaited<ReturnType<typeof fill>>;
  try {
    first = await fill(server, file);
  } finally {
    await server.stop();
  }
  const bytes = await logBytes(directory);
  const again = await BenchServer.start(options);
  try {
    const cpu = await again.settledCpu();
    const client = await again.connect();
    const content = await contentOf(client);
    client.close();
    if (checksumOf(content) !== checksumOf(first.content)) throw new Error('the replay gave something else');
    const ms = again.startMs - server.startMs;
    const { events } = first;
    return {
      content,
      imported: { file: name, ...first.figures, logBytesPerEvent: bytes / events },
      memory: first.memory.map((row) => ({ file: name, ...row })),
      replayed: {
        file: name,
        events,
        frames: again.report.replayedFrames,
        logMegabytes: bytes / 1e6,
        emptyStartMs: server.startMs,
        startMs: again.startMs,
        secondsPerMillionEvents: (ms * 1000) / events,
        cpuUsPerEvent: ((cpu.all - first.startCpuMs) * 1000) / events,
      },
    };
  } finally {
    await again.stop();
  }
}

async function fill(server: BenchServer, file: string) {
  const client = await server.connect();
  const rssBefore = await server.rssBytes();
  const before = await server.settledCpu();
  const clientBefore = process.cpuUsage();
  const { accepted, rejected, ms } = await importFile(SILENT, client, file, async () => {});
  const clientCpu = process.cpuUsage(clientBefore);
  const after = await server.settledCpu();
  const stats = await client.call('account.stats', {});
  const content = await contentOf(client);
  client.close();
  const lines = (await textOf(file)).split('\n', LINES_PARSED_MAX).filter((line) => line !== '');
  const perLine = 1000 / accepted;
  const figures = {
    events: stats.events,
    rejected,
    eventsPerSecond: Math.round(accepted / (ms / 1000)),
    cpuUsPerEvent: (after.all - before.all) * perLine,
    hubCpuUsPerEvent: (after.main - before.main) * perLine,
    clientCpuUsPerEvent: (clientCpu.user + clientCpu.system) / accepted,
    jsonParseUsPerEvent: ((await jsonParseMs(lines)) * 1000) / lines.length,
  };
  const rss = { 'process grown by': (await server.rssBytes()) - rssBefore, process: await server.rssBytes() };
  const memory = Object.entries({ ...stats.memory, 'all parts': stats.memoryBytes, ...rss }).map(
    ([part, bytes]) => ({ part, megabytes: bytes / 1e6, bytesPerEvent: bytes / stats.events }),
  );
  return { events: stats.events, figures, memory, content, startCpuMs: before.all };
}

async function syntheticFile(bench: Bench, options: SyntheticOptions): Promise<string> {
  const file = join(bench.directory, 'synthetic.ndjson');
  function* lines() {
    for (const call of syntheticCalls(options)) yield `${JSON.stringify(segmentCall(call))}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
  return file;
}

async function textOf(file: string): Promise<string> {
  const bytes = await readFile(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const SILENT: Io = {
  stdout: nowhere,
  stderr: nowhere,
  stdin: Readable.from([]),
  env: {},
  isTerminal: false,
  interrupted: new AbortController().signal,
};
