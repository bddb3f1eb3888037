import { createHash } from 'node:crypto';
import { table } from '../src/cli/print.ts';

/** What every workload gives: a table of figures, and a checksum of the results they were measured on. */
export interface Report {
  readonly name: string;
  readonly what: string;
  /** What a person needs to measure the same again. */
  readonly parameters: Readonly<Record<string, Cell>>;
  /** The columns are the keys of the first row; units are in their names. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  /** The same for the same parameters on every machine. */
  readonly checksum: string;
}

export type Cell = string | number;

export function printReport({ name, what, parameters, rows, checksum }: Report): string {
  const columns = Object.keys(rows[0]!);
  const cells = rows.map((row) => columns.map((column) => rounded(row[column]!)));
  const settings = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return [
    `${name}: ${what}`,
    table([columns, ...cells]),
    [...settings, `checksum ${checksum}`].join(', '),
  ].join('\n');
}

/** Three digits are more than a shared machine is good for. */
function rounded(cell: Cell): Cell {
  return typeof cell === 'string' || Number.isInteger(cell) ? cell : Number(cell.toPrecision(3));
}

/** Of JSON; keys must be in a fixed order. */
export function checksumOf(results: unknown): string {
  return createHash('sha256').update(JSON.stringify(results)).digest('hex').slice(0, 12);
}

/** The smallest sample that at least this share of the samples does not exceed. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Times `run` again and again: `runsMax` times, fewer once `budgetMs` are over, but once at least. */
export async function sampleMs(
  run: () => unknown,
  { runsMax, budgetMs }: { readonly runsMax: number; readonly budgetMs: number },
): Promise<number[]> {
  const samples: number[] = [];
  do {
    const startedMs = performance.now();
    await run();
    samples.push(performance.now() - startedMs);
  } while (samples.length < runsMax && sum(samples) < budgetMs);
  return samples;
}

/** A limit to hold a figure against: what the engine's own parser takes for these texts. */
export async function jsonParseMs(texts: readonly string[]): Promise<number> {
  let kept: unknown;
  const samples = await sampleMs(
    () => {
      for (const text of texts) kept = JSON.parse(text);
    },
    { runsMax: 5, budgetMs: 2000 },
  );
  return kept === undefined ? Number.NaN : median(samples);
}

/** A limit to hold a figure against: what copying so many bytes takes. */
export async function memoryCopyMs(bytes: number): Promise<number> {
  const source = new Uint8Array(bytes).fill(1);
  const target = new Uint8Array(bytes);
  return median(await sampleMs(() => target.set(source), { runsMax: 20, budgetMs: 1000 }));
}
