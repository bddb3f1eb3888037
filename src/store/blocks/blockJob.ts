import type { TextList } from '../texts/localTexts.ts';
import type { Window } from './windows.ts';

/**
 * Making blocks is work on bytes alone: a job in, blocks out, no clock, no tablet. So it runs in a pool of threads, or
 * in steps where there is none. Everything in a job is immutable from the moment it is made.
 */
export type BlockJob = SealJob | CompactJob;

interface JobOptions {
  /** Where the windows' boundaries lie, ascending: rows with boundaries[i] <= time < boundaries[i + 1] are one block. */
  readonly boundariesMs: readonly number[];
  readonly chunkRows: number;
  /** The tablet's dictionary is full: every text stays in its block. */
  readonly ownTextsOnly: boolean;
  /** Properties of which the dictionary has texts already: others of them join sooner. */
  readonly sharedProperties: readonly number[];
}

/** A frozen head becomes one block a window. */
export interface SealJob extends JobOptions {
  readonly kind: 'seal';
  readonly head: HeadRows;
}

/**
 * Blocks become one block a window, rows sorted anew, those of merged users as the rows of whom they were merged into;
 * what is equal in user, time and origin keeps the order of `blocks`, which is that of arrival.
 */
export interface CompactJob extends JobOptions {
  readonly kind: 'compact';
  readonly blocks: readonly Uint8Array[];
  /** A bit per ordinal of users who are gone, and with them their rows; empty for none. */
  readonly goneOrdinals: Uint32Array;
  /** Merges so far (users.ts), in their order: three words each, who, into whom, and as which of that one's. */
  readonly merges: readonly Uint32Array[];
}

/** Bytes copied between two yields. */
const STEP_BYTES = 1 << 20;

/**
 * The job for another thread, to which `arraysOf` it are transferred: it shares nothing with this one but the bytes of
 * blocks.
 */
export function* sendableSteps(job: BlockJob): Generator<void, BlockJob> {
  if (job.kind === 'compact') return job;
  const { rowCount, ordinals, events, times, cellStarts, cellProperties, cellTags, cellPayloads, texts } =
    job.head;
  const head: HeadRows = {
    rowCount,
    ordinals: yield* copySteps(ordinals, new Uint32Array(ordinals.length)),
    events: yield* copySteps(events, new Uint32Array(events.length)),
    times: yield* copySteps(times, new Float64Array(times.length)),
    cellStarts: yield* copySteps(cellStarts, new Uint32Array(cellStarts.length)),
    cellProperties: yield* copySteps(cellProperties, new Uint32Array(cellProperties.length)),
    cellTags: yield* copySteps(cellTags, new Uint8Array(cellTags.length)),
    cellPayloads: yield* copySteps(cellPayloads, new Float64Array(cellPayloads.length)),
    texts: {
      bytes: yield* copySteps(texts.bytes, new Uint8Array(texts.bytes.length)),
      ends: yield* copySteps(texts.ends, new Uint32Array(texts.ends.length)),
    },
  };
  return { ...job, head };
}

/** What a sendable job has of its own: given to whoever runs it, who releases it then. */
export function arraysOf(job: BlockJob): readonly (Uint8Array | Uint32Array | Float64Array)[] {
  if (job.kind === 'compact') return [];
  const { ordinals, events, times, cellStarts, cellProperties, cellTags, cellPayloads, texts } = job.head;
  const perRow = [ordinals, events, times, cellStarts];
  return [...perRow, cellProperties, cellTags, cellPayloads, texts.bytes, texts.ends];
}

export function* copySteps<T extends Uint8Array | Uint32Array | Float64Array>(
  source: T,
  target: T,
): Generator<void, T> {
  const step = STEP_BYTES / source.BYTES_PER_ELEMENT;
  for (let from = 0; from < source.length; from += step) {
    target.set(source.subarray(from, from + step), from);
    yield;
  }
  return target;
}

/** A head's rows as it holds them (head.ts), in order of arrival. */
export interface HeadRows {
  readonly rowCount: number;
  readonly ordinals: Uint32Array;
  readonly events: Uint32Array;
  readonly times: Float64Array;
  /** Row r has the cells [cellStarts[r], cellStarts[r + 1]), in ascending order of property code. */
  readonly cellStarts: Uint32Array;
  readonly cellProperties: Uint32Array;
  readonly cellTags: Uint8Array;
  /** Numbers as they are; of texts and arrays the code in `texts`. */
  readonly cellPayloads: Float64Array;
  readonly texts: TextList;
}

export interface BlockResult {
  /** Windows without rows have none. */
  readonly blocks: readonly UnresolvedBlock[];
  /** Texts that the tablet's dictionary is to have, each once. */
  readonly sharedTexts: TextList;
}

/** Complete but for the dictionary's codes of texts that become shared: see resolve.ts. */
export interface UnresolvedBlock {
  readonly window: Window;
  readonly rowCount: number;
  /** In a SharedArrayBuffer. */
  readonly bytes: Uint8Array;
  /** Texts that are, or are to be, codes of the dictionary. */
  readonly sharedCount: number;
  /** Those of them that are still numbers of `BlockResult.sharedTexts`. */
  readonly unresolved: Uint32Array;
}
