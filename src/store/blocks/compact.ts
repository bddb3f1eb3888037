import { release } from '../../base/release.ts';
import type { Temperature } from '../../encoding/picker.ts';
import { gathered, greatest } from '../trailOrder.ts';
import { assembleSteps, type BlockRows } from './blockAssembly.ts';
import type { BlockResult, CompactJob, UnresolvedBlock } from './blockJob.ts';
import { type OpenBlock, openBlockSteps } from './blockReader.ts';
import { type CodedColumn, codeSteps } from './columnCodes.ts';
import { ColumnWriter, type EncodedColumn } from './columnWriter.ts';
import { determinedPropertiesSteps } from './determination.ts';
import { EventSets } from './drafts.ts';
import { mergedDraftSteps, SourceColumns } from './mergedColumns.ts';
import { type MergedRows, mergedRowsSteps, type SourceRows, sourceRowsSteps } from './mergedRows.ts';
import { eventsSteps, usersSteps } from './rowStreams.ts';
import { windowRowsSteps } from './windowRows.ts';
import type { Window } from './windows.ts';

/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 15;
/** Columns of so small a share of a block's rows become as small as they can. */
const COLD_SHARE = 1 / 16;

/** One block a window of the blocks' rows. A property at a time, so that little is held besides the new blocks. */
export function* compactSteps(job: CompactJob): Generator<void, BlockResult> {
  const sources: OpenBlock[] = [];
  for (const bytes of job.blocks) {
    sources.push(yield* openBlockSteps(bytes, undefined, 'a block to compact', true));
  }
  const rows = yield* sourceRowsSteps(sources);
  const merged = yield* mergedRowsSteps(sources, rows, job);
  const targets: Target[] = [];
  for (const part of yield* partsSteps(job, merged, rows)) {
    targets.push(yield* targetSteps(part.window, part.merged, rows));
  }
  // The targets have what they need of these: 16 bytes a row less while columns are merged.
  for (const array of [rows.times, rows.events, merged.ordinals]) release(array);
  const writer = new ColumnWriter({ chunkRows: job.chunkRows, effort: 'small' });
  const columns = new SourceColumns(sources, rows);
  yield* columnsSteps(job, sources, columns, targets, writer);
  release(columns.cells.tags);
  release(columns.cells.payloads);
  const blocks: UnresolvedBlock[] = [];
  for (const target of targets) blocks.push(yield* assembleSteps(job, writer, target, target.columns));
  return { blocks, sharedTexts: writer.sharedTexts() };
}

/** Properties that determine others are done first, and their codes kept until those are done. */
function* columnsSteps(
  job: CompactJob,
  sources: readonly OpenBlock[],
  columns: SourceColumns,
  targets: readonly Target[],
  writer: ColumnWriter,
): Generator<void, void> {
  const determinedBy = yield* determinedPropertiesSteps(largest(sources));
  for (const key of columns.propertyCodes()) {
    if (determinedBy.has(key)) continue;
    const coded = yield* propertySteps(job, columns, key, targets, writer);
    for (const [property, by] of determinedBy) {
      if (by === key) yield* propertySteps(job, columns, property, targets, writer, coded);
    }
  }
}

/** The property's column in each target, before it was encoded; `keys` are those that may determine them. */
function* propertySteps(
  job: CompactJob,
  columns: SourceColumns,
  propertyCode: number,
  targets: readonly Target[],
  writer: ColumnWriter,
  keys: readonly (CodedColumn | undefined)[] = [],
): Generator<void, readonly (CodedColumn | undefined)[]> {
  const texts = yield* columns.readSteps(propertyCode);
  const made: (CodedColumn | undefined)[] = [];
  for (const [i, target] of targets.entries()) {
    const draft = yield* mergedDraftSteps(propertyCode, columns.cells, target, target.sets);
    const coded = draft === undefined ? undefined : yield* codeSteps(draft, texts, job);
    made.push(coded);
    if (coded !== undefined)
      target.columns.push(yield* writer.columnSteps(coded, texts, temperatureOf(coded, target), keys[i]));
  }
  return made;
}

/** Columns that few rows have are scanned quickly however they are held. */
function temperatureOf(column: CodedColumn, { order }: Target): Temperature {
  return column.rowCount < COLD_SHARE * order.length ? 'cold' : 'hot';
}

function largest(blocks: readonly OpenBlock[]): OpenBlock {
  return blocks.reduce((largest, block) => (block.rowCount > largest.rowCount ? block : largest));
}

/** A block to be. */
interface Target extends BlockRows {
  /** Its rows among those of the sources. */
  readonly order: Uint32Array;
  readonly sets: EventSets;
  readonly columns: EncodedColumn[];
}

interface WindowPart {
  readonly window: Window;
  readonly merged: MergedRows;
}

/** The merged rows of each window that has any. All of one window, the most usual and the largest, are not copied. */
function* partsSteps(
  { boundariesMs }: CompactJob,
  merged: MergedRows,
  source: SourceRows,
): Generator<void, readonly WindowPart[]> {
  const { order, ordinals, origins } = merged;
  if (order.length === 0) return [];
  if (boundariesMs.length === 2) {
    return [{ window: { startMs: boundariesMs[0]!, endMs: boundariesMs[1]! }, merged }];
  }
  const times = yield* gatheredSteps(source.times, order, new Float64Array(order.length));
  const parts: WindowPart[] = [];
  for (const { window, rows } of yield* windowRowsSteps(times, boundariesMs)) {
    const mergedRows = {
      order: yield* gatheredSteps(order, rows, new Uint32Array(rows.length)),
      ordinals: yield* gatheredSteps(ordinals, rows, new Uint32Array(rows.length)),
      origins: origins && (yield* gatheredSteps(origins, rows, new Uint32Array(rows.length))),
    };
    parts.push({ window, merged: mergedRows });
  }
  return parts;
}

function* targetSteps(
  window: Window,
  { order, ordinals, origins }: MergedRows,
  source: SourceRows,
): Generator<void, Target> {
  const events = yield* gatheredSteps(source.events, order, new Uint32Array(order.length));
  const { eventRows, eventOfRow } = yield* eventsSteps(events);
  const users = yield* usersSteps(ordinals);
  const times = yield* gatheredSteps(source.times, order, new Float64Array(order.length));
  return {
    window,
    order,
    ...users,
    eventRows,
    eventOfRow,
    times,
    origins: origins === undefined || greatest(origins) === 0 ? undefined : origins,
    sets: new EventSets(eventRows),
    columns: [],
  };
}

function* gatheredSteps<T extends Uint32Array | Float64Array>(
  source: T,
  rows: Uint32Array,
  target: T,
): Generator<void, T> {
  for (let from = 0; from < rows.length; from += STEP_ROWS) {
    gathered(source, rows.subarray(from, from + STEP_ROWS), target.subarray(from, from + STEP_ROWS));
    yield;
  }
  return target;
}
