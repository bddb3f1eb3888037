import { sum } from '../../harness.ts';
import type { Way } from './engine.ts';
import type { Cell, Rows } from './question.ts';

export interface Effort {
  /** Samples at least; once warm, and as far as the budget allows. */
  readonly runs: number;
  /** Of the samples of one way; three are taken even so. */
  readonly budgetMs: number;
}

export interface Sampled {
  /** From asking to the answer, by the clock. */
  readonly ms: readonly number[];
  /** Of CPU time a sample, on average, all threads of the process together: the same on a busy machine. */
  readonly cpuMs: number;
  readonly rows: Rows;
  /** Of asking for nothing right afterwards, where that can be done. */
  readonly nothingMs?: readonly number[];
}

const RUNS_MIN = 3;
/** Until something is compiled, and in caches as far as it fits. */
const WARM = { runs: 100, ms: 2000 };
/** The same of one user's rows, which some engine gives within a ms. */
const WARM_EACH = { asks: 2000, ms: 5000 };
/** Of something short, more samples than asked for. */
const SAMPLES_MS = 300;
const SAMPLES_MAX = 200;

/** A way whose first answer takes so many times as long as another way's is not asked again. */
const HOPELESS = 4;

/** Asks again and again. Every answer must have as many rows as the first. `bestMs`: of other ways, the best median. */
export async function sampleWhole(
  { ask }: Way,
  { runs, budgetMs }: Effort,
  bestMs: number,
): Promise<Sampled> {
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const rows = await ask(0);
  const firstMs = performance.now() - startedMs;
  if (firstMs > HOPELESS * bestMs) return { ms: [firstMs], cpuMs: cpuMsSince(startedCpu), rows };
  const once = async () => {
    const startedMs = performance.now();
    const found = await ask(0);
    const tookMs = performance.now() - startedMs;
    if (found.length !== rows.length) throw new Error(`${found.length} rows, ${rows.length} at first`);
    return tookMs;
  };
  const warmMs = Math.min(WARM.ms, budgetMs);
  for (let i = 1, ms = await once(); i < WARM.runs && ms < warmMs; i++) ms += await once();
  const before = process.cpuUsage();
  const ms: number[] = [];
  const isEnough = () => {
    const totalMs = sum(ms);
    if (ms.length >= SAMPLES_MAX || (ms.length >= RUNS_MIN && totalMs >= budgetMs)) return true;
    return ms.length >= runs && totalMs >= SAMPLES_MS;
  };
  while (!isEnough()) ms.push(await once());
  return { ms, cpuMs: cpuMsSince(before) / ms.length, rows };
}

/**
 * Asks once of each user, when it is warm from asking of the first fifth of them again and again. The answers are asked for
 * once more afterwards: were they kept meanwhile, to collect garbage would take longer than to answer. Rows begin with the
 * user and their place.
 */
export async function sampleEach({ ask, askNothing }: Way, users: readonly number[]): Promise<Sampled> {
  const first = users.slice(0, Math.ceil(users.length / 5));
  const warmFromMs = performance.now();
  for (let i = 0; i < WARM_EACH.asks && performance.now() - warmFromMs < WARM_EACH.ms; i++)
    await ask(first[i % first.length]!);
  const ms: number[] = [];
  const before = process.cpuUsage();
  for (const user of users) ms.push(await msOf(() => ask(user)));
  const cpuMs = cpuMsSince(before) / users.length;
  const nothingMs: number[] = [];
  if (askNothing !== undefined) for (const user of users) nothingMs.push(await msOf(() => askNothing(user)));
  const rows: Cell[][] = [];
  for (const user of users) {
    const found = await ask(user);
    for (const [i, row] of found.entries()) rows.push([user, i, ...row]);
  }
  return { ms, cpuMs, rows, ...(askNothing && { nothingMs }) };
}

async function msOf(ask: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await ask();
  return performance.now() - startedMs;
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
