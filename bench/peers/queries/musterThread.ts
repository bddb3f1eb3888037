import { parentPort, workerData } from 'node:worker_threads';
import { realClock } from '../../../src/base/clock.ts';
import { initHash } from '../../../src/base/hash.ts';
import { Slicer } from '../../../src/shard/slicer.ts';
import type { OperationName } from '../../../src/tablet/operations.ts';
import type { Tablet } from '../../../src/tablet/tablet.ts';
import { askTablet } from '../../askTablet.ts';
import { loadColumns } from '../../loadedEvents.ts';
import type { SessionColumns } from '../../sessions.ts';

/** What a thread is started with. */
export interface MusterThreadPlan {
  /** Shared by all threads. */
  readonly columns: SessionColumns;
  /** Of the account. */
  readonly tablets: number;
  readonly threads: number;
  /** Of this thread: it holds every tablet whose place, modulo `threads`, this is. */
  readonly index: number;
}

export interface MusterThreadStarted {
  readonly events: number;
  readonly bytes: number;
}

export interface MusterAsk {
  readonly id: number;
  /** By its prefix; all of the thread's when undefined. */
  readonly tablet: string | undefined;
  readonly operation: OperationName;
  readonly args: unknown;
}

export type MusterAnswer = { readonly id: number } & (
  | { readonly parts: readonly TabletPart[] }
  | { readonly error: string }
);

interface TabletPart {
  readonly tablet: string;
  readonly part: unknown;
}

function* answersInTurn(
  tablets: readonly Tablet[],
  operation: OperationName,
  args: unknown,
): Generator<void, readonly TabletPart[]> {
  const parts: TabletPart[] = [];
  for (const tablet of tablets) {
    parts.push({ tablet: tablet.bits, part: yield* askTablet(tablet, operation, args as never) });
  }
  return parts;
}

/**
 * A thread that loads its tablets and then answers for them as a shard does: the same operations, in the same slices, one
 * tablet after the other.
 */
export async function runMusterThread(): Promise<void> {
  await initHash();
  const { columns, tablets, threads, index } = workerData as MusterThreadPlan;
  const held = loadColumns(columns, tablets, (place) => place % threads === index).tablets;
  const slicer = new Slicer(realClock);
  const answer = async ({ id, tablet, operation, args }: MusterAsk): Promise<MusterAnswer> => {
    try {
      const asked = held.filter(({ bits }) => tablet === undefined || bits === tablet);
      return { id, parts: await slicer.run(answersInTurn(asked, operation, args)) };
    } catch (error) {
      return { id, error: String(error) };
    }
  };
  const port = parentPort!;
  port.on('message', async (ask: MusterAsk) => port.postMessage(await answer(ask)));
  const memory = held.map(({ events }) => events.memory());
  const started: MusterThreadStarted = {
    events: held.reduce((sum, { events }) => sum + events.rowCount, 0),
    bytes: memory.reduce((sum, { head, blocks, dictionary }) => sum + head + blocks + dictionary, 0),
  };
  port.postMessage(started);
}
