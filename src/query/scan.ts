import { Bitset } from '../base/bitset.ts';
import type { Part } from '../store/part.ts';
import type { SchemaView, TabletView } from '../store/view.ts';
import { compare } from './criterion.ts';
import type { CompiledPropertyTest } from './filter.ts';
import type { CountPlan, Scan } from './plan.ts';
import { ORDINALS_PER_STEP } from './users.ts';

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
      const selections = new Selections(part);
      for (const [i, scan] of pass.entries()) {
        yield* countPart(view, part, selections, scan, counts[i]!, stats);
      }
    }
    for (const [i, scan] of pass.entries()) {
      for (const plan of scan.plans) done(plan, yield* satisfying(plan, counts[i]!));
    }
  }
}

/** Rows by event codes, found once for all scans of a pass. */
class Selections {
  readonly #part: Part;
  readonly #rows = new Map<string, Bitset>();

  constructor(part: Part) {
    this.#part = part;
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
    return rows.copy();
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
  part.countByUser(rows, counts, view.users.canonical);
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
  const before = rows.copy();
  andTest(schema, part, rows, first!);
  for (const test of others) {
    const alternative = before.copy();
    andTest(schema, part, alternative, test);
    rows.or(alternative);
  }
}

function andTest(
  schema: SchemaView,
  part: Part,
  rows: Bitset,
  { prop, predicate }: CompiledPropertyTest,
): void {
  const code = schema.propertyCode(prop);
  if (code !== undefined) part.andProperty(rows, code, predicate);
  else if (!predicate.missing) rows.words.fill(0);
}

function* satisfying(plan: CountPlan, counts: Uint32Array): Generator<void, Bitset> {
  const ordinals = new Bitset(counts.length);
  for (let ordinal = 0; ordinal < counts.length; ordinal++) {
    if (ordinal % ORDINALS_PER_STEP === 0) yield;
    if (compare(plan.compare, counts[ordinal]!)) ordinals.add(ordinal);
  }
  return ordinals;
}
