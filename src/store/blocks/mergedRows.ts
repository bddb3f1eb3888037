import type { CompactJob } from './blockJob.ts';
import type { OpenBlock } from './blockReader.ts';
import { mergeTableSteps } from './mergeTable.ts';
import { type UserRuns, userRunsSteps } from './userRuns.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 14;
/** Where a user's own rows are among those of one time: behind all of merged users. */
const OWN = 0xffffffff;

/** Rows of several blocks, numbered one block after the other. */
export interface SourceRows {
  readonly rowCount: number;
  /** Of each block's first row. */
  readonly firstRows: readonly number[];
  readonly times: Float64Array;
  /** Event codes. */
  readonly events: Uint32Array;
  /** See blockFormat.ts; undefined when no block has any. */
  readonly origins: Uint32Array | undefined;
}

export function* sourceRowsSteps(blocks: readonly OpenBlock[]): Generator<void, SourceRows> {
  const firstRows: number[] = [];
  let rowCount = 0;
  for (const block of blocks) {
    firstRows.push(rowCount);
    rowCount += block.rowCount;
  }
  const times = new Float64Array(rowCount);
  const events = new Uint32Array(rowCount);
  const hasOrigins = blocks.some((block) => block.origins !== undefined);
  const origins = hasOrigins ? new Uint32Array(rowCount) : undefined;
  for (const [b, block] of blocks.entries()) {
    const codes = Uint32Array.from(block.eventRows, ({ eventCode }) => eventCode);
    for (let from = 0; from < block.rowCount; from += STEP_ROWS) {
      const to = Math.min(from + STEP_ROWS, block.rowCount);
      const at = firstRows[b]! + from;
      block.times.decode(from, to, times.subarray(at));
      block.origins?.decode(from, to, origins!.subarray(at));
      const step = events.subarray(at, at + to - from);
      block.events.decode(from, to, step);
      for (let i = 0; i < step.length; i++) step[i] = codes[step[i]!]!;
      yield;
    }
  }
  return { rowCount, firstRows, times, events, origins };
}

export interface MergedRows {
  /** Rows of the sources, by user, then time, then origin, then block. */
  readonly order: Uint32Array;
  /** The ordinal of each, which is a canonical one where a merge is known. */
  readonly ordinals: Uint32Array;
  /** See blockFormat.ts; undefined when all rows are their users' own. */
  readonly origins: Uint32Array | undefined;
}

/**
 * Gives rows of merged users to whom these were merged into, and leaves those of users out who are gone: `goneOrdinals`
 * has a bit for each, and may end early. See docs/decisions/0006-merged-users-in-compaction.md.
 */
export function* mergedRowsSteps(
  blocks: readonly OpenBlock[],
  source: SourceRows,
  { goneOrdinals, merges }: Pick<CompactJob, 'goneOrdinals' | 'merges'>,
): Generator<void, MergedRows> {
  const { rowCount, firstRows } = source;
  const table = yield* mergeTableSteps(merges, blocks);
  const users: UserRuns[] = [];
  for (const [b, block] of blocks.entries()) {
    users.push(...(yield* userRunsSteps(block, firstRows[b]!, table)));
  }
  const order = new Uint32Array(rowCount);
  const ordinals = new Uint32Array(rowCount);
  const hasOrigins = table !== undefined || source.origins !== undefined;
  const origins = hasOrigins ? new Uint32Array(rowCount) : undefined;
  let count = 0;
  let yieldAt = STEP_ROWS;
  for (;;) {
    const ordinal = leastOrdinal(users);
    if (ordinal === Infinity) break;
    const runs = runsOf(ordinal, users);
    if (!isGone(goneOrdinals, ordinal)) {
      const end = mergeRuns(runs, source, { order, origins }, count);
      for (; count < end; count++) ordinals[count] = ordinal;
    }
    if (count < yieldAt) continue;
    yieldAt = count + STEP_ROWS;
    yield;
  }
  return {
    order: order.subarray(0, count),
    ordinals: ordinals.subarray(0, count),
    origins: origins?.subarray(0, count),
  };
}

function leastOrdinal(users: readonly UserRuns[]): number {
  let least = Infinity;
  for (let i = 0; i < users.length; i++) if (users[i]!.ordinal < least) least = users[i]!.ordinal;
  return least;
}

function isGone(goneOrdinals: Uint32Array, ordinal: number): boolean {
  return ((goneOrdinals[ordinal >>> 5]! >>> (ordinal & 31)) & 1) === 1;
}

/** A block's rows of one ordinal, numbered as in SourceRows: those from `row` on are still to be merged. */
interface Run {
  row: number;
  readonly end: number;
  /** Of all its rows; 0: as the rows say. */
  readonly origin: number;
}

/** Takes the user's runs, in the order of blocks. */
function runsOf(ordinal: number, users: readonly UserRuns[]): readonly Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < users.length; i++) {
    const user = users[i]!;
    for (; user.ordinal === ordinal; user.advance()) {
      runs.push({ row: user.row, end: user.end, origin: user.origin });
    }
  }
  return runs;
}

/**
 * Writes the runs' rows by time, then origin, from `at` on; of equal ones those of an earlier run first. Each run is in
 * this order already. Returns the end.
 */
function mergeRuns(
  runs: readonly Run[],
  { times, origins }: SourceRows,
  target: { readonly order: Uint32Array; readonly origins: Uint32Array | undefined },
  from: number,
): number {
  let at = from;
  if (follow(runs, times)) {
    for (let i = 0; i < runs.length; i++) at = takeAll(runs[i]!, origins, target, at);
    return at;
  }
  for (;;) {
    let first: Run | undefined;
    for (const run of runs) {
      if (run.row === run.end) continue;
      if (first === undefined || times[run.row]! < times[first.row]!) first = run;
      else if (target.origins === undefined || times[run.row]! > times[first.row]!) continue;
      else if ((originOf(run, origins) || OWN) < (originOf(first, origins) || OWN)) first = run;
    }
    if (first === undefined) return at;
    if (target.origins !== undefined) target.origins[at] = originOf(first, origins);
    target.order[at++] = first.row++;
  }
}

/** Whether each run's rows are after those of the one before, as those of blocks that were sealed one after the other. */
function follow(runs: readonly Run[], times: Float64Array): boolean {
  for (let i = 1; i < runs.length; i++) {
    if (times[runs[i - 1]!.end - 1]! >= times[runs[i]!.row]!) return false;
  }
  return true;
}

function takeAll(
  run: Run,
  origins: Uint32Array | undefined,
  target: { readonly order: Uint32Array; readonly origins: Uint32Array | undefined },
  from: number,
): number {
  let at = from;
  for (; run.row < run.end; run.row++) {
    if (target.origins !== undefined) target.origins[at] = originOf(run, origins);
    target.order[at++] = run.row;
  }
  return at;
}

function originOf({ row, origin }: Run, origins: Uint32Array | undefined): number {
  return origin !== 0 || origins === undefined ? origin : origins[row]!;
}
