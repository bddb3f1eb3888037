import { gathered, trailOrderSteps } from '../trailOrder.ts';
import { assembleSteps } from './blockAssembly.ts';
import type { BlockResult, SealJob, UnresolvedBlock } from './blockJob.ts';
import { codeSteps, DraftTexts } from './columnCodes.ts';
import { ColumnWriter, type EncodedColumn } from './columnWriter.ts';
import { draftSteps } from './drafts.ts';
import { eventsSteps, usersSteps } from './rowStreams.ts';
import { windowRowsSteps } from './windowRows.ts';
import type { Window } from './windows.ts';

/** One block a window of a head's rows. */
export function* sealSteps(job: SealJob): Generator<void, BlockResult> {
  const writer = new ColumnWriter({ chunkRows: job.chunkRows, effort: 'fast' });
  const texts = new DraftTexts(new Uint32Array(0), job.head.texts);
  const blocks: UnresolvedBlock[] = [];
  for (const { window, rows } of yield* windowRowsSteps(job.head.times, job.boundariesMs)) {
    blocks.push(yield* blockSteps(job, window, rows, texts, writer));
  }
  return { blocks, sharedTexts: writer.sharedTexts() };
}

function* blockSteps(
  job: SealJob,
  window: Window,
  rows: Uint32Array,
  texts: DraftTexts,
  writer: ColumnWriter,
): Generator<void, UnresolvedBlock> {
  const { head } = job;
  const { order, ordinals, times } = yield* trailOrderSteps(rows, head.ordinals, head.times);
  const events = gathered(head.events, order, new Uint32Array(order.length));
  const { eventRows, eventOfRow } = yield* eventsSteps(events);
  const columns: EncodedColumn[] = [];
  for (const draft of yield* draftSteps(head, rows, { order, eventOfRow, eventRows })) {
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
