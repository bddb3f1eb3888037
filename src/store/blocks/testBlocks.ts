import { Head } from '../head.ts';
import type { PlainRow } from '../oracle.ts';
import type { TextDictionary } from '../texts/dictionary.ts';
import { Block } from './block.ts';
import type { BlockJob, BlockResult, CompactJob } from './blockJob.ts';
import { resolveSteps } from './resolve.ts';
import { runBlockJob } from './runBlockJob.ts';
import type { Window } from './windows.ts';

/** For tests only: block jobs from plain rows to open blocks. */
export interface JobOptions {
  readonly boundariesMs?: readonly number[];
  readonly chunkRows?: number;
  readonly ownTextsOnly?: boolean;
  readonly sharedProperties?: readonly number[];
}

export const YEAR: Window = { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2027, 0, 1) };
const DEFAULTS = {
  boundariesMs: [YEAR.startMs, YEAR.endMs],
  chunkRows: 256,
  ownTextsOnly: false,
  sharedProperties: [],
};

export function finished<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The blocks of these rows, given in order of arrival. */
export function seal(
  rows: readonly PlainRow[],
  dictionary: TextDictionary,
  options: JobOptions = {},
): readonly Block[] {
  const head = new Head();
  for (const row of rows) head.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
  return run({ kind: 'seal', head: head.rows(), ...DEFAULTS, ...options }, dictionary);
}

/** The blocks made of these. */
export function compact(
  blocks: readonly Block[],
  dictionary: TextDictionary,
  options: JobOptions & Partial<Pick<CompactJob, 'goneOrdinals' | 'merges'>> = {},
): readonly Block[] {
  const sources = blocks.map(({ bytes }) => bytes);
  const goneOrdinals = new Uint32Array(0);
  return run(
    { kind: 'compact', blocks: sources, goneOrdinals, merges: [], ...DEFAULTS, ...options },
    dictionary,
  );
}

export function run(job: BlockJob, dictionary: TextDictionary): readonly Block[] {
  return opened(finished(runBlockJob(job)), dictionary);
}

function opened({ blocks, sharedTexts }: BlockResult, dictionary: TextDictionary): readonly Block[] {
  const codes = finished(dictionary.addSteps(sharedTexts));
  return blocks.map((block) => {
    finished(resolveSteps(block, codes));
    return Block.open(block.bytes, dictionary, 'test');
  });
}

/** In the order in which a block has them. */
export function sorted(rows: readonly PlainRow[]): readonly PlainRow[] {
  return rows.toSorted((a, b) => a.ordinal - b.ordinal || a.timeMs - b.timeMs);
}

/** [who, into whom, as which of that one's] */
export type PlainMerge = readonly [number, number, number];

/** What a compaction makes of these rows, given in order of arrival, when it knows these merges. */
export function sortedMerged(rows: readonly PlainRow[], merges: readonly PlainMerge[]): readonly PlainRow[] {
  const mergeOf = new Map(merges.map((merge) => [merge[0], merge]));
  const rank = ({ ordinal }: PlainRow) => mergeOf.get(ordinal)?.[2] ?? Infinity;
  const canonical = ({ ordinal }: PlainRow) => mergeOf.get(ordinal)?.[1] ?? ordinal;
  return rows
    .toSorted((a, b) => {
      const byUser = canonical(a) - canonical(b) || a.timeMs - b.timeMs;
      return byUser !== 0 || rank(a) === rank(b) ? byUser : rank(a) - rank(b);
    })
    .map((row) => ({ ...row, ordinal: canonical(row) }));
}

/** As a job has them, in pages. */
export function mergePages(merges: readonly PlainMerge[]): readonly Uint32Array[] {
  return merges.map((merge) => Uint32Array.from(merge));
}
