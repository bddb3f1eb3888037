import type { EventRows } from './blockFormat.ts';
import type { BlockJob, UnresolvedBlock } from './blockJob.ts';
import { writeBlockSteps } from './blockWriter.ts';
import { type ColumnWriter, type EncodedColumn, UNRESOLVED } from './columnWriter.ts';
import type { Window } from './windows.ts';

/** What a block has of each row besides properties. */
export interface BlockRows {
  readonly window: Window;
  /** One a user, ascending. */
  readonly ordinals: Uint32Array;
  /** One a row: 1 for a user's first, else 0. */
  readonly firsts: Uint32Array;
  /** One a row: the number, in `eventRows`, of its event name. */
  readonly eventOfRow: Uint32Array;
  readonly eventRows: readonly EventRows[];
  /** One a row. */
  readonly times: Float64Array;
  /** One a row (blockFormat.ts); undefined when all are their users' own. */
  readonly origins: Uint32Array | undefined;
}

/** The block of these rows and columns. */
export function* assembleSteps(
  job: BlockJob,
  writer: ColumnWriter,
  rows: BlockRows,
  unorderedColumns: readonly EncodedColumn[],
): Generator<void, UnresolvedBlock> {
  const columns = unorderedColumns.toSorted((a, b) => a.propertyCode - b.propertyCode);
  const { codes, unresolved } = resolvable(columns);
  const bytes = yield* writeBlockSteps({
    window: rows.window,
    rowCount: rows.times.length,
    userCount: rows.ordinals.length,
    chunkRows: job.chunkRows,
    ordinals: yield* writer.chunksSteps(rows.ordinals, 'warm'),
    firsts: yield* writer.chunksSteps(rows.firsts, 'hot'),
    events: yield* writer.chunksSteps(rows.eventOfRow, 'hot'),
    times: yield* writer.chunksSteps(rows.times, 'hot'),
    origins: rows.origins === undefined ? undefined : yield* writer.chunksSteps(rows.origins, 'hot'),
    eventRows: rows.eventRows,
    columns,
    sharedCodes: codes,
  });
  return { window: rows.window, rowCount: rows.times.length, bytes, sharedCount: codes.length, unresolved };
}

/** All columns' shared texts, and which of them have no code of the dictionary yet. */
function resolvable(columns: readonly EncodedColumn[]): {
  readonly codes: Uint32Array;
  readonly unresolved: Uint32Array;
} {
  const codes = new Uint32Array(columns.reduce((total, { sharedCodes }) => total + sharedCodes.length, 0));
  const unresolved: number[] = [];
  let at = 0;
  for (const { sharedCodes } of columns) {
    for (const code of sharedCodes) {
      if (code >= UNRESOLVED) unresolved.push(at);
      codes[at++] = code % UNRESOLVED;
    }
  }
  return { codes, unresolved: Uint32Array.from(unresolved) };
}
