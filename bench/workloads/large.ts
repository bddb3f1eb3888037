import { TABLET_USERS_MAX } from '../../src/base/limits.ts';
import type { Definition } from '../../src/client/types.ts';
import { sumByName } from '../../src/tablet/memory.ts';
import { checksumOf, median, type Report, sampleMs, sum } from '../harness.ts';
import { PLAIN_SEGMENTS, TEXT_SEGMENTS } from '../largeSegments.ts';
import type { LargeAnswer } from '../largeThread.ts';
import type { Bench } from '../main.ts';
import { BenchThread } from '../threads.ts';

const SIZE = {
  real: { events: 5_000_000, users: 1_000_000, tabletsMin: 1, samplePercent: 1, runsMax: 9 },
  tiny: { events: 20_000, users: 1000, tabletsMin: 4, samplePercent: 100, runsMax: 1 },
};
const BUDGET_MS = 10_000;
const SALT = 'oracle';
const SECOND_MS = 1000;

type Threads = readonly BenchThread<'large'>[];
type Row = Record<string, string | number>;

/**
 * Users with profiles and events until the machine is full, and what segments of five criteria take then, on all threads
 * at once. For 60 million users: `--users 60000000 --events 300000000`.
 */
export async function large(bench: Bench): Promise<Report[]> {
  const { events, users, tabletsMin, samplePercent, runsMax } = { ...SIZE[bench.size], ...bench.given };
  const tablets = tabletsFor(users, Math.max(tabletsMin, bench.threads));
  const sample = { percent: samplePercent, salt: SALT };
  const segments = { ...PLAIN_SEGMENTS, ...TEXT_SEGMENTS };
  const plan = { seed: bench.seed, users, events, tablets, sample, threads: bench.threads, segments };
  const startedMs = performance.now();
  const threads = await Promise.all(
    Array.from({ length: bench.threads }, (_, index) =>
      BenchThread.start(bench.program, 'large', { ...plan, index }),
    ),
  );
  const loadMs = performance.now() - startedMs;
  try {
    const memory = memoryRows(threads, users);
    await expectSampled(threads, plan);
    const plain = await timed(threads, PLAIN_SEGMENTS, runsMax);
    const text = await timed(threads, TEXT_SEGMENTS, runsMax);
    const parameters = { seed: bench.seed, events, users, tablets, threads: bench.threads };
    const checksum = checksumOf([...plain, ...text].map(({ segment, members }) => [segment, members]));
    const report = (name: string, what: string, rows: readonly Row[]) => ({
      ...{ name, what, parameters, rows, checksum },
    });
    return [
      report('large', 'loading, events that all threads together take a second', [
        loadingRow(threads, users, loadMs),
      ]),
      report('memory', 'by part, and what the process takes with all that is garbage', memory),
      report('segments', 'five criteria, no patterns: users in them, and ms', plain),
      report('texts', 'the same with a pattern for one of them', text),
    ];
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()));
  }
}

/** As many as splits would have made of them. */
function tabletsFor(users: number, tabletsMin: number): number {
  let tablets = 1;
  while (tablets < tabletsMin || users / tablets > TABLET_USERS_MAX) tablets *= 2;
  return tablets;
}

function loadingRow(threads: Threads, users: number, loadMs: number): Row {
  const events = sum(threads.map(({ started }) => started.events));
  const seconds = loadMs / SECOND_MS;
  return { users, events, seconds, usersPerSecond: users / seconds, eventsPerSecond: events / seconds };
}

function memoryRows(threads: Threads, users: number): Row[] {
  const started = threads.map((thread) => thread.started);
  const events = sum(started.map((one) => one.events));
  const row = (part: string, bytes: number): Row => ({
    part,
    megabytes: bytes / 1e6,
    bytesPerUser: bytes / users,
    bytesPerEvent: bytes / events,
  });
  const bytes = sumByName(started.map((one) => one.bytes));
  const traits = sumByName(started.map(({ traitBytes }) => traitBytes));
  return [
    ...Object.entries(bytes).flatMap(([part, ofPart]) => [
      row(part, ofPart),
      ...(part === 'profiles' ? Object.entries(traits).map(([trait, of]) => row(`- ${trait}`, of)) : []),
    ]),
    row('sum', sum(Object.values(bytes))),
    row('process', process.memoryUsage.rss()),
    row('process, at most', process.resourceUsage().maxRSS * 1024),
  ];
}

/** Throws where the tablets and the oracle count differently. */
async function expectSampled(
  threads: Threads,
  { segments, sample }: { readonly segments: Readonly<Record<string, Definition>>; readonly sample: object },
): Promise<void> {
  for (const [name, segment] of Object.entries(segments)) {
    const expected = sum(threads.map(({ started }) => started.sampled[name]!));
    const counted = await ask(threads, { and: [segment, { sample } as Definition] });
    if (membersOf(counted) !== expected)
      throw new Error(`${name}: ${membersOf(counted)} users of the sample, not ${expected}`);
  }
}

async function timed(
  threads: Threads,
  segments: Readonly<Record<string, Definition>>,
  runsMax: number,
): Promise<(Row & { readonly segment: string; readonly members: number })[]> {
  const rows = [];
  for (const [segment, definition] of Object.entries(segments)) {
    const first = await ask(threads, definition);
    let last = first;
    const samples = await sampleMs(
      async () => {
        last = await ask(threads, definition);
      },
      { runsMax, budgetMs: BUDGET_MS },
    );
    const cpuMs = (answers: readonly LargeAnswer[]) => sum(answers.map(({ threadCpuMs }) => threadCpuMs));
    rows.push({
      segment,
      members: membersOf(first),
      msP50: median(samples),
      msMax: Math.max(...samples),
      cpuMsMean: (cpuMs(last) - cpuMs(first)) / samples.length,
      shareOfASecond: median(samples) / SECOND_MS,
    });
  }
  return rows;
}

function ask(threads: Threads, segment: Definition): Promise<LargeAnswer[]> {
  return Promise.all(threads.map((thread) => thread.ask(segment)));
}

function membersOf(answers: readonly LargeAnswer[]): number {
  return sum(answers.map(({ count }) => count));
}
