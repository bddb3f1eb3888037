import { join } from 'node:path';
import { type Cell, checksumOf, type Report } from '../harness.ts';
import { type EventTable, sessionTable } from './eventTable.ts';
import type { Measured } from './measured.ts';
import { type MusterSize, musterSizes } from './muster.ts';
import { readEvents } from './ndjson.ts';
import { measurePeers } from './peerTables.ts';

/** The set of synthetic events. */
export const SESSIONS = 'sessions';

export interface Settings {
  /** The directory of the sets of real events. */
  readonly data: string;
  readonly sets: readonly string[];
  readonly sessions: { readonly seed: number; readonly events: number; readonly users: number };
  /** Of each rival. */
  readonly threads: number;
  /** The directory for the rivals' files. */
  readonly at: string;
  readonly musterBench: string;
}

/** Bytes an event, in all and by column. */
export async function sizes(settings: Settings): Promise<Report[]> {
  const muster = await musterOf(settings);
  const rows: Record<string, Cell>[] = [];
  const columns: Record<string, Cell>[] = [];
  const allAnswers: unknown[] = [];
  for (const set of settings.sets) {
    const events = await eventsOf(set, settings);
    const own = muster.get(set);
    if (own !== undefined && own.events !== events.rows)
      throw new Error(`${set}: ${own.events} events in Muster, ${events.rows} here`);
    const { answers, measured } = await measurePeers(events, {
      directory: settings.at,
      threads: settings.threads,
      log: (line) => console.error(`${set}: ${line}`),
    });
    allAnswers.push(answers);
    for (const best of smallest(measured)) {
      rows.push({ set, events: events.rows, ...rowOf(best, events.rows, own) });
      for (const { column, form, bytes } of best.columns)
        columns.push({ set, rival: best.rival, column, form, bytesPerEvent: bytes / events.rows });
    }
  }
  const parameters = { ...settings.sessions, threads: settings.threads };
  const checksum = checksumOf(allAnswers);
  return [
    { name: 'peers', what: "bytes an event in each rival's smaller layout", parameters, rows, checksum },
    { name: 'columns', what: 'what each takes in the tuned ClickHouse', parameters, rows: columns, checksum },
  ];
}

async function musterOf({ data, sets, sessions, musterBench }: Settings): Promise<Map<string, MusterSize>> {
  const files = sets.filter((set) => set !== SESSIONS).map((set) => join(data, `${set}.ndjson.gz`));
  // Its bench always measures sessions too: few of them where nobody asks.
  const asked = sets.includes(SESSIONS) ? sessions : { ...sessions, events: 1000, users: 100 };
  const found = await musterSizes({ program: musterBench, files, sessions: asked });
  if (typeof found !== 'string') return found;
  console.error(`No figures of Muster's own: ${found}`);
  return new Map();
}

function eventsOf(set: string, { data, sessions }: Settings): Promise<EventTable> | EventTable {
  return set === SESSIONS ? sessionTable(sessions) : readEvents(join(data, `${set}.ndjson.gz`));
}

/** Of each rival and way to choose forms, the smallest; of DuckDB's, the usual form counts among the tuned. */
function smallest(measured: readonly Measured[]): Measured[] {
  const best = new Map<string, Measured>();
  for (const each of measured)
    for (const forms of each.forms === 'usual' ? (['usual', 'tuned'] as const) : (['tuned'] as const)) {
      const key = `${each.rival} ${forms}`;
      if (!best.has(key) || each.bytes < best.get(key)!.bytes) best.set(key, { ...each, forms });
    }
  return [...best.values()];
}

function rowOf({ rival, forms, layout, bytes }: Measured, events: number, muster: MusterSize | undefined) {
  const bytesPerEvent = bytes / events;
  return {
    rival,
    forms,
    layout,
    bytesPerEvent,
    muster: muster?.bytesPerEvent ?? '–',
    'muster ÷ rival': muster === undefined ? '–' : muster.bytesPerEvent / bytesPerEvent,
  };
}
