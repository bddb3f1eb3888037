import { initHash } from '../../src/base/hash.ts';
import type { BulkLoader } from '../bulk.ts';
import { sum } from '../harness.ts';
import { loadFile, loadSessions } from '../loadedEvents.ts';
import type { SessionOptions } from '../sessions.ts';
import { tell } from './process.ts';

/** To load sets into Muster and say what they take. */
export interface MusterSizesPlan {
  readonly kind: 'sizes';
  readonly sets: readonly MusterSet[];
  /** An account starts with as many as there are threads. */
  readonly tablets: number;
}

export interface MusterSet {
  readonly set: string;
  /** A file of events, or synthetic sessions. */
  readonly from: string | SessionOptions;
}

export interface MusterSize {
  readonly set: string;
  readonly events: number;
  /** Of blocks, heads, dictionaries and directories; not of profiles. */
  readonly bytes: number;
}

/** Tells a `MusterSize` for each set. */
export async function measureMuster({ sets, tablets }: MusterSizesPlan): Promise<void> {
  await initHash();
  for (const { set, from } of sets) {
    const loader = typeof from === 'string' ? await loadFile(from, tablets) : loadSessions(from, tablets);
    await tell(sizeOf(set, loader));
  }
}

function sizeOf(set: string, { tablets }: BulkLoader): MusterSize {
  const memory = tablets.map(({ events }) => events.memory());
  return {
    set,
    events: sum(tablets.map(({ events }) => events.rowCount)),
    bytes: sum(memory.map(({ head, blocks, dictionary }) => head + blocks + dictionary)),
  };
}
