import { checksumOf, median, memoryCopyMs, percentile, type Report, sampleMs, sum } from '../harness.ts';
import type { Answer } from '../loadedTablet.ts';
import type { Bench } from '../main.ts';
import { QUESTIONS } from '../questions.ts';
import { BenchThread } from '../threads.ts';

const SIZE = { real: { events: 2_000_000, runsMax: 50 }, tiny: { events: 2000, runsMax: 2 } };
const BUDGET_MS = 3000;
const EVENT_CODE_BYTES = 4;

/** What questions of the segment language take, in tablets on one thread and on two, and how fast those were filled. */
export async function segments(bench: Bench): Promise<Report[]> {
  const { runsMax, events } = { ...SIZE[bench.size], ...bench.given };
  const copyMs = await memoryCopyMs(events * EVENT_CODE_BYTES);
  const applied: Record<string, number>[] = [];
  const asked: Record<string, string | number>[] = [];
  const checksums: string[] = [];
  for (const tablets of [1, 2]) {
    const plan = { seed: bench.seed, users: bench.users, events, tablets };
    const threads = await Promise.all(
      Array.from({ length: tablets }, (_, index) =>
        BenchThread.start(bench.program, 'tablet', { ...plan, index }),
      ),
    );
    const loaded = threads.map(({ started }) => started);
    applied.push({
      threads: tablets,
      events: sum(loaded.map((one) => one.events)),
      cpuUsPerEvent: (sum(loaded.map(({ cpuMs }) => cpuMs)) * 1000) / events,
      bytesPerEvent: sum(loaded.map((one) => one.bytesPerEvent * one.events)) / events,
    });
    const counts: number[] = [];
    for (const [question, segment] of Object.entries(QUESTIONS)) {
      const ask = () => Promise.all(threads.map((thread) => thread.ask(segment)));
      const first = await ask();
      const all: Answer[][] = [];
      const samples = await sampleMs(async () => all.push(await ask()), { runsMax, budgetMs: BUDGET_MS });
      const cpuMs = (answers: Answer[]) => sum(answers.map(({ threadCpuMs }) => threadCpuMs));
      const users = sum(first.map(({ count }) => count));
      counts.push(users);
      asked.push({
        question,
        threads: tablets,
        users,
        msP50: median(samples),
        msP99: percentile(samples, 0.99),
        cpuMsMean: (cpuMs(all.at(-1)!) - cpuMs(first)) / samples.length,
        longestStepMsP50: median(
          all.map((answers) => Math.max(...answers.map(({ stepMsMax }) => stepMsMax))),
        ),
        millionRowsPerSecond: sum(first.map(({ rowsScanned }) => rowsScanned)) / median(samples) / 1000,
        timesCopyOf4BytesARow: median(samples) / copyMs,
      });
    }
    checksums.push(checksumOf(counts));
    await Promise.all(threads.map((thread) => thread.stop()));
  }
  if (checksums[0] !== checksums[1]) throw new Error('one thread and two gave different answers');
  const parameters = { seed: bench.seed, events, users: bench.users };
  const checksum = checksums[0]!;
  return [
    {
      name: 'apply',
      what: 'filling tablets: applying and sealing, no log',
      parameters,
      rows: applied,
      checksum,
    },
    { name: 'segments', what: 'ten questions', parameters, rows: asked, checksum },
  ];
}
