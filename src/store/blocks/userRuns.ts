import { trailOrderSteps } from '../trailOrder.ts';
import type { OpenBlock } from './blockReader.ts';
import type { MergeTable } from './mergeTable.ts';
import { GROUP_USERS } from './ordinals.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 14;
const firsts = new Uint32Array(STEP_ROWS);

/** A block's rows user by user, as `ordinal`s ascend: a cursor. */
export class UserRuns {
  /** Infinity past the last user. */
  ordinal = Infinity;
  /** The user's rows [row, end), numbered as in SourceRows. */
  row = 0;
  end = 0;
  /** Of all these rows; 0: as the block says of each. */
  origin = 0;
  readonly #runs: Runs;
  readonly #firstRow: number;
  #next = 0;

  constructor(runs: Runs, firstRow: number) {
    this.#runs = runs;
    this.#firstRow = firstRow;
    this.advance();
  }

  advance(): void {
    const { ordinals, starts, ends, origins } = this.#runs;
    const i = this.#next++;
    this.ordinal = i < ordinals.length ? ordinals[i]! : Infinity;
    this.row = this.#firstRow + starts[i]!;
    this.end = this.#firstRow + ends[i]!;
    this.origin = origins === undefined ? 0 : origins[i]!;
  }
}

/** One a user; ordinals ascend, those that are equal by origin. */
interface Runs {
  readonly ordinals: Uint32Array;
  /** Rows of the block. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly origins: Uint32Array | undefined;
}

/** Those of users who stand for themselves, and those of merged ones under the ordinals that stand for them. */
export function* userRunsSteps(
  block: OpenBlock,
  firstRow: number,
  table: MergeTable | undefined,
): Generator<void, readonly UserRuns[]> {
  const all = yield* runsSteps(block);
  if (table === undefined) return [new UserRuns(all, firstRow)];
  const { own, merged } = partition(all.ordinals, table);
  yield;
  const canonical = Uint32Array.from(merged, (i) => table.canonical[all.ordinals[i]!]! - 1);
  const origins = Float64Array.from(merged, (i) => table.origin[all.ordinals[i]!]!);
  yield;
  // By who stands for them, then by origin.
  const places = Uint32Array.from(merged, (_, place) => place);
  const sorted = yield* trailOrderSteps(places, canonical, origins);
  const users = sorted.order.map((place) => merged[place]!);
  return [
    new UserRuns({ ...picked(all, own), origins: undefined }, firstRow),
    new UserRuns(
      { ...picked(all, users), ordinals: sorted.ordinals, origins: Uint32Array.from(sorted.times) },
      firstRow,
    ),
  ];
}

function* runsSteps(block: OpenBlock): Generator<void, Runs> {
  const userCount = block.ordinals.count;
  const ordinals = new Uint32Array(userCount);
  /** With the block's end behind the last. */
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
  return { ordinals, starts, ends: starts.subarray(1), origins: undefined };
}

/** Numbers of the block's users, ascending: those who stand for themselves and those who do not. */
function partition(ordinals: Uint32Array, { canonical }: MergeTable) {
  const own = new Uint32Array(ordinals.length);
  const merged = new Uint32Array(ordinals.length);
  let [ownCount, mergedCount] = [0, 0];
  for (let i = 0; i < ordinals.length; i++) {
    if (canonical[ordinals[i]!] === 0) own[ownCount++] = i;
    else merged[mergedCount++] = i;
  }
  return { own: own.subarray(0, ownCount), merged: merged.subarray(0, mergedCount) };
}

function picked({ ordinals, starts, ends }: Runs, users: Uint32Array) {
  return {
    ordinals: users.map((i) => ordinals[i]!),
    starts: users.map((i) => starts[i]!),
    ends: users.map((i) => ends[i]!),
  };
}
