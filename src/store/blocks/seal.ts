import { roomForArraysBytes, SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { trailOrderSteps } from '../trailOrder.ts';
import { assembleSteps } from './blockAssembly.ts';
import {
  type BlockResult,
  copySteps,
  type HeadRows,
  type SealJob,
  type UnresolvedBlock,
} from './blockJob.ts';
import { codeSteps, DraftTexts } from './columnCodes.ts';
import { ColumnWriter, type EncodedColumn } from './columnWriter.ts';
import { draftSteps } from './drafts.ts';
import { eventsSteps, usersSteps } from './rowStreams.ts';
import { windowRowsSteps } from './windowRows.ts';
import type { Window } from './windows.ts';

/** What a row and a cell take of the kernels' memory, as the head has them and as they are put in order. */
const ROW_BYTES = 40;
const CELL_BYTES = 26;

/** One block a window of a head's rows. */
export function* sealSteps(job: SealJob): Generator<void, BlockResult> {
  const writer = new ColumnWriter({ chunkRows: job.chunkRows, effort: 'fast' });
  const texts = new DraftTexts(new Uint32Array(0), job.head.texts);
  const blocks: UnresolvedBlock[] = [];
  const [ofHead, ofBlock] = [new SpareArrays(), new SpareArrays()];
  try {
    const head = hasRoom(job.head) ? yield* lentHeadSteps(job.head, ofHead) : job.head;
    for (const { window, rows } of yield* windowRowsSteps(job.head.times, job.boundariesMs)) {
      blocks.push(yield* blockSteps({ ...job, head }, window, rows, texts, writer, ofBlock));
      ofBlock.giveBackAll();
    }
  } finally {
    ofHead.giveBackAll();
    ofBlock.giveBackAll();
  }
  return { blocks, sharedTexts: writer.sharedTexts() };
}

/** Heads of events with many properties have none: they are sealed by the kernels' twins, where they are. */
function hasRoom({ rowCount, cellTags }: HeadRows): boolean {
  return ROW_BYTES * rowCount + CELL_BYTES * cellTags.length <= roomForArraysBytes();
}

/** What is read out of order, where kernels find it. */
function* lentHeadSteps(head: HeadRows, arrays: SpareArrays): Generator<void, HeadRows> {
  const { ordinals, events, times, cellStarts, cellProperties, cellTags, cellPayloads } = head;
  return {
    ...head,
    ordinals: yield* copySteps(ordinals, arrays.words(ordinals.length)),
    events: yield* copySteps(events, arrays.words(events.length)),
    times: yield* copySteps(times, arrays.numbers(times.length)),
    cellStarts: yield* copySteps(cellStarts, arrays.words(cellStarts.length)),
    cellProperties: yield* copySteps(cellProperties, arrays.words(cellProperties.length)),
    cellTags: yield* copySteps(cellTags, arrays.bytes(cellTags.length)),
    cellPayloads: yield* copySteps(cellPayloads, arrays.numbers(cellPayloads.length)),
  };
}

function* blockSteps(
  job: SealJob,
  window: Window,
  rows: Uint32Array,
  texts: DraftTexts,
  writer: ColumnWriter,
  arrays: SpareArrays,
): Generator<void, UnresolvedBlock> {
  const { head } = job;
  const { order, ordinals, times } = yield* trailOrderSteps(rows, head.ordinals, head.times, arrays);
  const events = arrays.words(order.length);
  kernels().take(head.events, order, events);
  const { eventRows, eventOfRow } = yield* eventsSteps(events);
  const columns: EncodedColumn[] = [];
  for (const draft of yield* draftSteps(head, rows, { order, eventOfRow, eventRows }, arrays)) {
    const coded = yield* codeSteps(draft, texts, job);
    columns.push(yield* writer.columnSteps(coded, texts, 'hot'));
  }
  const users = yield* usersSteps(ordinals);
  return yield* assembleSteps(
    job,
    writer,
    { window, ...users, eventOfRow, times, origins: undefined, eventRows },
    columns,
  );
}
