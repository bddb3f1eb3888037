import type { Bitset } from '../base/bitset.ts';
import { arraysUntilClosed } from '../base/memoryBudget.ts';
import { Block } from '../store/blocks/block.ts';
import type { Part } from '../store/part.ts';
import type { SchemaView, TabletView } from '../store/view.ts';
import type { CompiledPropertyTest, WantedEvents } from './filter.ts';
import { andNearSteps } from './nearRows.ts';
import type { QueryStats } from './stats.ts';

export const EVENT_CODE_BYTES = 4;
export const TIME_BYTES = 8;
export const VALUE_BYTES = 8;

/** False when the part's times or events say that none of its rows is wanted. */
export function mayMatch(part: Part, { fromMs, toMs, eventCodes }: WantedEvents): boolean {
  if (part.timeMaxMs < fromMs || part.timeMinMs >= toMs) return false;
  return eventCodes.some((code) => part.mayHaveEvent(code));
}

/** Rows with the events and at the times, if these were spread evenly over the part, which may match. */
export function expectedRows(part: Part, { fromMs, toMs, eventCodes }: WantedEvents): number {
  const ofEvents =
    part instanceof Block ? eventCodes.reduce((sum, code) => sum + part.rowsOfEvent(code), 0) : part.rowCount;
  const [startMs, endMs] = [part.timeMinMs, part.timeMaxMs + 1];
  return (ofEvents * (Math.min(endMs, toMs) - Math.max(startMs, fromMs))) / (endMs - startMs);
}

/** The part's rows that are wanted, in small steps; undefined when it was passed over. The caller's, until the query ends. */
export function* selectSteps(
  { schema, budget }: Pick<TabletView, 'schema' | 'budget'>,
  part: Part,
  wanted: WantedEvents,
  stats: QueryStats,
): Generator<void, Bitset | undefined> {
  if (!mayMatch(part, wanted)) {
    stats.blocksSkipped++;
    return undefined;
  }
  stats.rowsScanned += part.rowCount;
  stats.bytesScanned += part.rowCount * EVENT_CODE_BYTES;
  const rows = part.selectEvents(wanted.eventCodes, arraysUntilClosed(budget));
  yield* narrowSteps(schema, part, wanted, rows, stats);
  return rows;
}

/** Of rows with the wanted events, keeps those whose times and properties are wanted. */
export function* narrowSteps(
  schema: SchemaView,
  part: Part,
  { fromMs, toMs, filter }: WantedEvents,
  rows: Bitset,
  stats: QueryStats,
): Generator<void, void> {
  yield;
  if (part.timeMinMs < fromMs || part.timeMaxMs >= toMs) {
    part.andTime(rows, fromMs, toMs);
    stats.bytesScanned += part.rowCount * TIME_BYTES;
    yield;
  }
  for (const group of filter.where) {
    yield* andAnyOfSteps(schema, part, rows, group);
    stats.bytesScanned += part.rowCount * VALUE_BYTES * group.length;
    yield;
  }
}

/** Keeps rows for which at least one of the tests holds. */
function* andAnyOfSteps(
  schema: SchemaView,
  part: Part,
  rows: Bitset,
  tests: readonly CompiledPropertyTest[],
): Generator<void> {
  const [first, ...others] = tests;
  const before = others.length === 0 ? rows : rows.copy();
  yield* andTestSteps(schema, part, rows, first!);
  for (const test of others) {
    yield;
    const alternative = before.copy();
    yield* andTestSteps(schema, part, alternative, test);
    rows.or(alternative);
  }
}

function* andTestSteps(
  schema: SchemaView,
  part: Part,
  rows: Bitset,
  test: CompiledPropertyTest,
): Generator<void> {
  if (test.kind === 'near') {
    yield* andNearSteps(schema, part, rows, test);
    return;
  }
  const { prop, predicate } = test;
  const code = schema.propertyCode(prop);
  if (code === undefined) {
    if (!predicate.missing) rows.words.fill(0);
    return;
  }
  if (part.askSteps !== undefined) yield* part.askSteps(code, predicate);
  part.andProperty(rows, code, predicate);
}
