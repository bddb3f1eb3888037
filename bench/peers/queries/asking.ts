import { createHash } from 'node:crypto';
import { median } from '../../harness.ts';
import { tell } from '../process.ts';
import type { Dataset } from './dataset.ts';
import type { Engine, EngineName } from './engine.ts';
import type { Question, Rows } from './question.ts';
import { QUESTIONS } from './questions.ts';
import { type Effort, sampleEach, sampleWhole } from './samples.ts';

/** To ask one engine questions. */
export interface AskPlan {
  readonly kind: 'ask';
  readonly engine: EngineName;
  readonly dataset: Dataset;
  readonly threads: number;
  readonly effort: Effort;
  /** Names of questions. */
  readonly questions: readonly string[];
}

/** What an engine says to one question. */
export interface Found {
  readonly question: string;
  readonly engine: EngineName;
  readonly leftOut?: string;
  readonly ways: readonly FoundWay[];
  /** Of a segment. */
  readonly members?: Members;
}

export interface FoundWay {
  readonly layout: string;
  readonly form: string;
  readonly ms: readonly number[];
  readonly cpuMs: number;
  readonly nothingMs?: readonly number[];
  readonly rows: Rows;
}

/** Who is in a segment, in short. */
export interface Members {
  readonly users: number;
  /** Of their numbers in order. */
  readonly checksum: string;
}

/** Tells a `Found` for each question. `program` is the file it is in. */
export async function askAll(plan: AskPlan, program: URL): Promise<void> {
  const engine = await engineOf(plan, program);
  for (const question of QUESTIONS.filter(({ name }) => plan.questions.includes(name)))
    await tell(await ask(engine, question, plan));
  await engine.close();
}

async function engineOf({ engine, dataset, threads }: AskPlan, program: URL): Promise<Engine> {
  switch (engine) {
    case 'Muster': {
      const { MusterEngine } = await import('./musterEngine.ts');
      return MusterEngine.start(program, dataset.options, threads);
    }
    case 'DuckDB': {
      const { DuckDBEngine } = await import('./duckdbEngine.ts');
      return DuckDBEngine.open(dataset.directory, threads);
    }
    case 'ClickHouse': {
      const { ClickHouseEngine } = await import('./clickhouseEngine.ts');
      return new ClickHouseEngine(dataset.directory, threads);
    }
  }
}

async function ask(engine: Engine, question: Question, { dataset, effort }: AskPlan): Promise<Found> {
  const about = { question: question.name, engine: engine.name };
  const ways = engine.ways(question);
  if (typeof ways === 'string') return { ...about, leftOut: ways, ways: [] };
  const found: FoundWay[] = [];
  for (const way of ways) {
    const bestMs = Math.min(...found.map(({ ms }) => median(ms)));
    const sampled = await (question.ofEachUser
      ? sampleEach(way, dataset.users)
      : sampleWhole(way, effort, bestMs));
    found.push({ layout: way.layout, form: way.form, ...sampled });
  }
  const members = await engine.members(question);
  return { ...about, ways: found, ...(members && { members: inShort(members) }) };
}

function inShort(members: readonly number[]): Members {
  const sorted = Uint32Array.from(members).sort();
  return { users: sorted.length, checksum: createHash('sha256').update(sorted).digest('hex').slice(0, 16) };
}
