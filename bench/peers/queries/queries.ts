import { type Cell, checksumOf, median, percentile, type Report, sum } from '../../harness.ts';
import type { SessionOptions } from '../../sessions.ts';
import { runProcess } from '../process.ts';
import type { AskPlan, Found, FoundWay } from './asking.ts';
import { checkEqual } from './comparison.ts';
import { type Dataset, readDataset } from './dataset.ts';
import { ENGINES, type EngineName } from './engine.ts';
import type { Question } from './question.ts';
import { QUESTIONS } from './questions.ts';
import type { Effort } from './samples.ts';

export interface QuerySettings {
  /** The built program that the processes run. */
  readonly program: string;
  /** Where the rivals' stores are, or are made. */
  readonly at: string;
  readonly sessions: SessionOptions;
  /** Of each engine. */
  readonly threads: number;
  readonly effort: Effort;
  readonly only: readonly string[] | undefined;
  readonly engines: readonly EngineName[];
  readonly log: (line: string) => void;
}

/**
 * Asks every engine the same questions, each engine in a process of its own and one after the other.
 *
 * @throws where answers are not equal
 */
export async function queries(settings: QuerySettings): Promise<Report[]> {
  const { program, sessions, threads, effort, engines, log } = settings;
  const questions = QUESTIONS.filter(({ name }) => settings.only?.includes(name) ?? true);
  const dataset = await loadedDataset(settings);
  const found: Found[] = [];
  for (const engine of ENGINES.filter((each) => engines.includes(each))) {
    const names = questions.map(({ name }) => name);
    const plan: AskPlan = { kind: 'ask', engine, dataset, threads, effort, questions: names };
    await runProcess<Found>(program, plan, (each) => {
      found.push(each);
      log(`${engine}, ${each.question}: ${each.leftOut ?? each.ways.map(inWords).join('; ')}`);
      const all = found.filter(({ question }) => question === each.question);
      checkEqual(each.question, all);
    });
  }
  return reportsOf(questions, found, { ...sessions, threads, runs: effort.runs });
}

async function loadedDataset({
  program,
  at,
  sessions,
  threads,
  engines,
  log,
}: QuerySettings): Promise<Dataset> {
  const rivals = engines.some((engine) => engine !== 'Muster');
  const found = await readDataset(at, sessions, rivals);
  if (found !== undefined) return found;
  if (rivals) log('loading the rivals');
  await runProcess(program, { kind: 'load', at, options: sessions, threads, rivals }, () => {});
  return (await readDataset(at, sessions, rivals))!;
}

const SAMPLES_FOR_P99 = 200;

function inWords({ layout, form, ms, cpuMs, nothingMs }: FoundWay): string {
  const nothing = nothingMs === undefined ? '' : ` (to the thread and back: ${timesInWords(nothingMs)})`;
  return `${form} by ${layout} ${timesInWords(ms)}, of CPU ${cpuMs.toFixed(2)}${nothing}`;
}

function timesInWords(ms: readonly number[]): string {
  const p99 = ms.length < SAMPLES_FOR_P99 ? '' : `, p99 ${percentile(ms, 0.99).toFixed(2)}`;
  return `${median(ms).toFixed(2)} ms${p99}`;
}

function reportsOf(
  questions: readonly Question[],
  found: readonly Found[],
  parameters: Readonly<Record<string, Cell>>,
): Report[] {
  const rows: Record<string, Cell>[] = [];
  const ways: Record<string, Cell>[] = [];
  const ratios: number[] = [];
  for (const { name, what } of questions) {
    const of = (engine: EngineName) => found.find((each) => each.question === name && each.engine === engine);
    const [muster, duckdb, clickhouse] = ENGINES.map((engine) => best(of(engine)));
    const rival = fastest([duckdb, clickhouse].filter((way) => way !== undefined));
    const ratio = muster && rival && median(rival.ms) / median(muster.ms);
    if (ratio !== undefined) ratios.push(ratio);
    rows.push({
      query: name,
      'Muster ms': muster ? median(muster.ms) : '–',
      'DuckDB ms': duckdb ? median(duckdb.ms) : '–',
      'ClickHouse ms': clickhouse ? median(clickhouse.ms) : '–',
      'best rival': rival
        ? `${rival === duckdb ? 'DuckDB' : 'ClickHouse'}, ${rival.form}, by ${rival.layout}`
        : '–',
      ratio: ratio ?? '–',
      what,
    });
    for (const { engine, leftOut, ways: all } of found.filter(({ question }) => question === name)) {
      if (leftOut !== undefined) ways.push({ query: name, engine, layout: '–', form: leftOut, ...NO_TIMES });
      for (const way of all)
        ways.push({ query: name, engine, layout: way.layout, form: way.form, ...timesOf(way) });
    }
  }
  const answers = questions.map(({ name }) => [
    name,
    found.find(({ question }) => question === name)?.ways[0]?.rows,
  ]);
  const checksum = checksumOf(answers);
  const geometricMean = Math.exp(sum(ratios.map(Math.log)) / ratios.length);
  const summary = {
    queries: ratios.length,
    'geometric mean of ratios': ratios.length > 0 ? geometricMean : '–',
    'smallest ratio': ratios.length > 0 ? Math.min(...ratios) : '–',
  };
  return [
    { name: 'queries', what: 'medians of ms; the answers are equal', parameters, rows, checksum },
    { name: 'ways', what: 'every layout and form', parameters, rows: ways, checksum },
    { name: 'ratios', what: 'best rival ÷ Muster', parameters, rows: [summary], checksum },
  ];
}

const NO_TIMES = { msMedian: '–', msP99: '–', cpuMs: '–', samples: 0 };

function timesOf({ ms, cpuMs }: FoundWay) {
  return { msMedian: median(ms), msP99: percentile(ms, 0.99), cpuMs, samples: ms.length };
}

function best(found: Found | undefined): FoundWay | undefined {
  return fastest(found?.ways ?? []);
}

function fastest(ways: readonly FoundWay[]): FoundWay | undefined {
  const [first, ...others] = ways;
  return first && others.reduce((least, way) => (median(way.ms) < median(least.ms) ? way : least), first);
}
