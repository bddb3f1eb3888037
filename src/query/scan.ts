import { Bitset, ctz32 } from '../base/bitset.ts';
import { kernels } from '../encoding/kernels/kernels.ts';
import type { Part } from '../store/part.ts';
import type { SchemaView, TabletView, UsersView } from '../store/view.ts';
import { countsThatSatisfy } from './criterion.ts';
import type { CompiledPropertyTest } from './filter.ts';
import { andNear } from './nearRows.ts';
import type { CountPlan, Scan } from './plan.ts';

/** What a query cost, added up as it runs. */
export interface QueryStats {
  /** Rows of the parts that were looked into, once for each scan. */
  rowsScanned: number;
  /** Of the columns read, by their width before encoding. */
  bytesScanned: number;
  /** Parts that a scan passed over by their times or events. */
  blocksSkipped: number;
}

export function newStats(): QueryStats {
  return { rowsScanned: 0, bytesScanned: 0, blocksSkipped: 0 };
}

/** Scans that share a pass: each holds 4 bytes a user meanwhile. */
const SCANS_PER_PASS = 16;
/** Words of 32 ordinals, all of which may be merged, between two yields. */
const MERGED_WORDS_PER_STEP = 1 << 12;
/** Counts compared between two yields. */
const COUNTS_PER_STEP = 1 << 18;

const EVENT_CODE_BYTES = 4;
const TIME_BYTES = 8;
const VALUE_BYTES = 8;

/** Runs the scans and hands out, for every plan that wanted a scan's counts, the ordinals that satisfy it. */
export function* runScans(
  view: TabletView,
  scans: readonly Scan[],
  stats: QueryStats,
  done: (plan: CountPlan, ordinals: Bitset) => void,
): Generator<void, void> {
  for (let at = 0; at < scans.length; at += SCANS_PER_PASS) {
    const pass = scans.slice(at, at + SCANS_PER_PASS);
    const counts = pass.map(() => new Uint32Array(view.users.count));
    for (const part of view.events.parts()) {
      const selections = new Selections(part, pass);
      for (const [i, scan] of pass.entries()) {
        yield* countPart(view, part, selections, scan, counts[i]!, stats);
      }
    }
    for (const [i, scan] of pass.entries()) {
      yield* addMerged(view.users, counts[i]!);
      for (const plan of scan.plans) done(plan, yield* satisfying(plan, counts[i]!));
    }
  }
}

/** Rows by event codes, found once for all scans of a pass. */
class Selections {
  readonly #part: Part;
  readonly #rows = new Map<string, Bitset>();
  /** By event codes, how many scans have not asked yet. */
  readonly #waiting = new Map<string, number>();

  constructor(part: Part, scans: readonly Scan[]) {
    this.#part = part;
    for (const { eventCodes } of scans) this.#wait(eventCodes.join(), 1);
  }

  /** Owned by the caller. */
  select(eventCodes: readonly number[], stats: QueryStats): Bitset {
    const key = eventCodes.join();
    let rows = this.#rows.get(key);
    if (rows === undefined) {
      rows = this.#part.selectEvents(eventCodes);
      stats.bytesScanned += this.#part.rowCount * EVENT_CODE_BYTES;
      this.#rows.set(key, rows);
    }
    return this.#wait(key, -1) === 0 ? rows : rows.copy();
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
  yield;
  if (part.timeMinMs < scan.fromMs || part.timeMaxMs >= scan.toMs) {
    part.andTime(rows, scan.fromMs, scan.toMs);
    stats.bytesScanned += part.rowCount * TIME_BYTES;
    yield;
  }
  for (const group of scan.filter.where) {
    andAnyOf(view.schema, part, rows, group);
    stats.bytesScanned += part.rowCount * VALUE_BYTES * group.length;
    yield;
  }
  part.countByOrdinal(rows, counts);
  yield;
}

function mayMatch(part: Part, scan: Scan): boolean {
  if (part.timeMaxMs < scan.fromMs || part.timeMinMs >= scan.toMs) return false;
  return scan.eventCodes.some((code) => part.mayHaveEvent(code));
}

/** Keeps rows for which at least one of the tests holds. */
function andAnyOf(
  schema: SchemaView,
  part: Part,
  rows: Bitset,
  tests: readonly CompiledPropertyTest[],
): void {
  const [first, ...others] = tests;
  const before = others.length === 0 ? rows : rows.copy();
  andTest(schema, part, rows, first!);
  for (const test of others) {
    const alternative = before.copy();
    andTest(schema, part, alternative, test);
    rows.or(alternative);
  }
}

function andTest(schema: SchemaView, part: Part, rows: Bitset, test: CompiledPropertyTest): void {
  if (test.kind === 'near') {
    andNear(schema, part, rows, test);
    return;
  }
  const { prop, predicate } = test;
  const code = schema.propertyCode(prop);
  if (code !== undefined) part.andProperty(rows, code, predicate);
  else if (!predicate.missing) rows.words.fill(0);
}

/** Adds what merged ordinals have to those who stand for them. Few ordinals are without events of their own else. */
function* addMerged({ count, canonical, withEvents }: UsersView, counts: Uint32Array): Generator<void, void> {
  for (let w = 0; w << 5 < count; w++) {
    if (w % MERGED_WORDS_PER_STEP === 0) yield;
    for (let others = ~withEvents[w]!; others !== 0; others &= others - 1) {
      const ordinal = (w << 5) + ctz32(others);
      if (ordinal < count && canonical[ordinal] !== ordinal) counts[canonical[ordinal]!]! += counts[ordinal]!;
    }
  }
}

function* satisfying({ compare }: CountPlan, counts: Uint32Array): Generator<void, Bitset> {
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
