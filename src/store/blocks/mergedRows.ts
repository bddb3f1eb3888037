import type { OpenBlock } from './blockReader.ts';
import { GROUP_USERS } from './ordinals.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 14;
const firsts = new Uint32Array(STEP_ROWS);

/** Rows of several blocks, numbered one block after the other. */
export interface SourceRows {
  readonly rowCount: number;
  /** Of each block's first row. */
  readonly firstRows: readonly number[];
  readonly times: Float64Array;
  /** Event codes. */
  readonly events: Uint32Array;
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
  for (const [b, block] of blocks.entries()) {
    const codes = Uint32Array.from(block.eventRows, ({ eventCode }) => eventCode);
    for (let from = 0; from < block.rowCount; from += STEP_ROWS) {
      const to = Math.min(from + STEP_ROWS, block.rowCount);
      const at = firstRows[b]! + from;
      block.times.decode(from, to, times.subarray(at));
      const step = events.subarray(at, at + to - from);
      block.events.decode(from, to, step);
      for (let i = 0; i < step.length; i++) step[i] = codes[step[i]!]!;
      yield;
    }
  }
  return { rowCount, firstRows, times, events };
}

export interface MergedRows {
  /** Rows of the sources, by ordinal, then time, then block. */
  readonly order: Uint32Array;
  /** The ordinal of each. */
  readonly ordinals: Uint32Array;
}

/** Leaves the rows of users out who are gone: `goneOrdinals` has a bit for each, and may end early. */
export function* mergedRowsSteps(
  blocks: readonly OpenBlock[],
  { rowCount, firstRows, times }: SourceRows,
  goneOrdinals: Uint32Array,
): Generator<void, MergedRows> {
  const users = [];
  for (const [b, block] of blocks.entries()) users.push(yield* UserCursor.openSteps(block, firstRows[b]!));
  const order = new Uint32Array(rowCount);
  const ordinals = new Uint32Array(rowCount);
  let count = 0;
  let yieldAt = STEP_ROWS;
  for (;;) {
    const ordinal = users.reduce((least, user) => Math.min(least, user.ordinal), Infinity);
    if (ordinal === Infinity) break;
    const runs = users.filter((user) => user.ordinal === ordinal);
    if (!isGone(goneOrdinals, ordinal)) {
      const end = mergeRuns(runs, times, order, count);
      ordinals.fill(ordinal, count, end);
      count = end;
    }
    for (const run of runs) run.advance();
    if (count < yieldAt) continue;
    yieldAt = count + STEP_ROWS;
    yield;
  }
  return { order: order.subarray(0, count), ordinals: ordinals.subarray(0, count) };
}

function isGone(goneOrdinals: Uint32Array, ordinal: number): boolean {
  return ((goneOrdinals[ordinal >>> 5]! >>> (ordinal & 31)) & 1) === 1;
}

/** A block's users, one after the other. */
class UserCursor {
  /** Infinity past the last user. */
  ordinal = Infinity;
  /** The user's rows, numbered as in SourceRows. */
  row = 0;
  end = 0;
  readonly #ordinals: Uint32Array;
  /** With the block's end behind the last. */
  readonly #starts: Uint32Array;
  readonly #firstRow: number;
  #next = 0;

  static *openSteps(block: OpenBlock, firstRow: number): Generator<void, UserCursor> {
    const userCount = block.ordinals.count;
    const ordinals = new Uint32Array(userCount);
    const starts = new Uint32Array(userCount + 1);
    for (let from = 0; from < userCount; from += GROUP_USERS) {
      const to = Math.min(from + GROUP_USERS, userCount);
      block.ordinals.decode(from, to, ordinals.subarray(from, to));
      yield;
    }
    let user = 0;
    for (let from = 0; from < block.rowCount; from += STEP_ROWS) {
      const to = Math.min(from + STEP_ROWS, block.rowCount);
      block.firsts.decode(from, to, firsts);
      for (let i = 0; i < to - from; i++) if (firsts[i] === 1) starts[user++] = from + i;
      yield;
    }
    starts[userCount] = block.rowCount;
    return new UserCursor(ordinals, starts, firstRow);
  }

  private constructor(ordinals: Uint32Array, starts: Uint32Array, firstRow: number) {
    this.#ordinals = ordinals;
    this.#starts = starts;
    this.#firstRow = firstRow;
    this.advance();
  }

  advance(): void {
    const user = this.#next++;
    this.ordinal = user < this.#ordinals.length ? this.#ordinals[user]! : Infinity;
    this.row = this.#firstRow + this.#starts[user]!;
    this.end = this.#firstRow + this.#starts[user + 1]!;
  }
}

/** Writes the runs' rows by time to `order` from `at` on; of equal ones those of an earlier run first. Returns the end. */
function mergeRuns(runs: readonly UserCursor[], times: Float64Array, order: Uint32Array, at: number): number {
  for (;;) {
    let first: UserCursor | undefined;
    for (const run of runs) {
      if (run.row < run.end && (first === undefined || times[run.row]! < times[first.row]!)) first = run;
    }
    if (first === undefined) return at;
    order[at++] = first.row++;
  }
}
