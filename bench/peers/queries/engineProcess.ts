import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Dataset, loadDataset } from './dataset.ts';
import type { Engine, EngineName } from './engine.ts';
import type { Question, Rows } from './question.ts';
import { QUESTIONS } from './questions.ts';
import { type Effort, sampleEach, sampleWhole } from './samples.ts';

/** What a process is started for: to load the rivals, or to ask one engine questions. It says what it found and ends. */
export type ProcessPlan =
  | {
      readonly kind: 'load';
      readonly at: string;
      readonly options: Dataset['options'];
      readonly threads: number;
    }
  | (AskPlan & { readonly kind: 'ask' });

export interface AskPlan {
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
  readonly rows: Rows;
}

/** Who is in a segment, in short. */
export interface Members {
  readonly users: number;
  /** Of their numbers in order. */
  readonly checksum: string;
}

/** The option that makes this program such a process. */
const ROLE = '--process';

export function processPlan(): ProcessPlan | undefined {
  const [role, plan] = process.argv.slice(2);
  return role === ROLE && plan !== undefined ? (JSON.parse(plan) as ProcessPlan) : undefined;
}

/** Runs a process of this program to its end, alone. `heard` gets what it finds. */
export async function runProcess(
  program: string,
  plan: ProcessPlan,
  heard: (found: Found) => void = () => {},
): Promise<void> {
  const child = fork(program, [ROLE, JSON.stringify(plan)], { serialization: 'advanced' });
  child.on('message', (found) => heard(found as Found));
  const [status] = await once(child, 'close');
  const what = plan.kind === 'load' ? 'loading' : plan.engine;
  if (status !== 0) throw new Error(`the process of ${what} ended with ${status}`);
}

/** The program of such a process. `program` is the file it is in. */
export async function playProcess(plan: ProcessPlan, program: URL): Promise<void> {
  if (plan.kind === 'load') await loadDataset(plan.at, plan.options, plan.threads);
  else await askAll(plan, program);
  process.disconnect();
}

async function askAll(plan: AskPlan, program: URL): Promise<void> {
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
    const sampled = await (question.ofEachUser ? sampleEach(way, dataset.users) : sampleWhole(way, effort));
    found.push({ layout: way.layout, form: way.form, ...sampled });
  }
  const members = await engine.members(question);
  return { ...about, ways: found, ...(members && { members: inShort(members) }) };
}

function inShort(members: readonly number[]): Members {
  const sorted = Uint32Array.from(members).sort();
  return { users: sorted.length, checksum: createHash('sha256').update(sorted).digest('hex').slice(0, 16) };
}

function tell(found: Found): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(found, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}
