import { Bitset, ctz32 } from '../base/bitset.ts';
import { arraysOf, arraysUntilClosed } from '../base/memoryBudget.ts';
import type { ArraySource } from '../base/spareArrays.ts';
import { kernels } from '../encoding/kernels/chosen.ts';
import type { Part } from '../store/part.ts';
import type { TabletView, UsersView } from '../store/view.ts';
import { type Comparison, countsThatSatisfy } from './criterion.ts';
import type { CountPlan, Scan } from './plan.ts';
import { EVENT_CODE_BYTES, mayMatch, narrowSteps } from './selectRows.ts';
import type { QueryStats } from './stats.ts';

/** Scans that share a pass: each holds 4 bytes a user meanwhile. */
const SCANS_PER_PASS = 16;
/** Words of 32 ordinals, all of which may be merged, between two yields. */
const MERGED_WORDS_PER_STEP = 1 << 12;
const COUNT_BYTES = 4;
/** Counts compared between two yields. */
const COUNTS_PER_STEP = 1 << 18;

/** Runs the scans and hands out, for every plan that wanted a scan's counts, the ordinals that satisfy it. */
export function* runScans(
  view: TabletView,
  scans: readonly Scan[],
  stats: QueryStats,
  done: (plan: CountPlan, ordinals: Bitset) => void,
): Generator<void, void> {
  const { count } = view.users;
  const countBytes = Math.min(scans.length, SCANS_PER_PASS) * count * COUNT_BYTES;
  view.budget?.charge(countBytes);
  const arrays = arraysOf(view.budget);
  /** Made once: so much new memory in every pass would have the engine collect garbage again and again. */
  const counts: Uint32Array[] = [];
  for (let at = 0; at < scans.length; at += SCANS_PER_PASS) {
    const pass = scans.slice(at, at + SCANS_PER_PASS);
    for (const i of pass.keys()) {
      if (counts[i] === undefined) counts.push(arrays.counts(count));
      else counts[i].fill(0);
      yield;
    }
    for (const part of view.events.parts()) {
      const selections = new Selections(part, pass, arraysUntilClosed(view.budget));
      for (const [i, scan] of pass.entries()) {
        yield* countPart(view, part, selections, scan, counts[i]!, stats);
      }
    }
    for (const [i, scan] of pass.entries()) {
      yield* addMerged(view.users, counts[i]!);
      for (const plan of scan.plans) done(plan, yield* satisfying(plan.compare, counts[i]!));
    }
  }
  arrays.giveBack(...counts);
  view.budget?.release(countBytes);
}

/** Rows by event codes, found once for all scans of a pass. */
class Selections {
  readonly #part: Part;
  readonly #arrays: ArraySource;
  readonly #rows = new Map<string, Bitset>();
  /** By event codes, how many scans have not asked yet. */
  readonly #waiting = new Map<string, number>();

  constructor(part: Part, scans: readonly Scan[], arrays: ArraySource) {
    this.#part = part;
    this.#arrays = arrays;
    for (const { eventCodes } of scans) this.#wait(eventCodes.join(), 1);
  }

  /** Owned by the caller, until the query ends. */
  select(eventCodes: readonly number[], stats: QueryStats): Bitset {
    const key = eventCodes.join();
    let rows = this.#rows.get(key);
    if (rows === undefined) {
      rows = this.#part.selectEvents(eventCodes, this.#arrays);
      stats.bytesScanned += this.#part.rowCount * EVENT_CODE_BYTES;
      this.#rows.set(key, rows);
    }
    return this.#wait(key, -1) === 0 ? rows : rows.copy(this.#arrays);
  }

  #wait(key: string, more: number): number {
    const waiting = (this.#waiting.get(key) ?? 0) + more;
    this.#waiting.set(key, waiting);
    return waiting;
  }
}

function* countPart(
  view: TabletView,
  part: Part,
  selections: Selections,
  scan: Scan,
  counts: Uint32Array,
  stats: QueryStats,
): Generator<void, void> {
  if (!mayMatch(part, scan)) {
    stats.blocksSkipped++;
    return;
  }
  stats.rowsScanned += part.rowCount;
  const rows = selections.select(scan.eventCodes, stats);
  yield* narrowSteps(view.schema, part, scan, rows, stats);
  part.countByOrdinal(rows, counts);
  arraysUntilClosed(view.budget).giveBack(rows.words);
  yield;
}

/** Adds what merged ordinals have to those who stand for them. */
export function* addMerged(
  { count, canonical, merged }: UsersView,
  counts: Uint32Array,
): Generator<void, void> {
  for (let w = 0; w << 5 < count; w++) {
    if (w % MERGED_WORDS_PER_STEP === 0) yield;
    for (let word = merged[w]!; word !== 0; word &= word - 1) {
      const ordinal = (w << 5) + ctz32(word);
      if (ordinal < count) counts[canonical[ordinal]!]! += counts[ordinal]!;
    }
  }
}

/** The ordinals of whose counts the comparison holds. */
export function* satisfying(compare: Comparison, counts: Uint32Array): Generator<void, Bitset> {
  const ordinals = new Bitset(counts.length);
  const { from, to } = countsThatSatisfy(compare);
  for (let ordinal = 0; from <= to && ordinal < counts.length; ordinal += COUNTS_PER_STEP) {
    yield;
    const step = counts.subarray(ordinal, ordinal + COUNTS_PER_STEP);
    const bytes = new Uint8Array(step.buffer, step.byteOffset, step.byteLength);
    kernels().selectRange(bytes, 32, from, to, step.length, ordinals.words.subarray(ordinal >>> 5));
  }
  return compare.op === 'neq' ? ordinals.not() : ordinals;
}
