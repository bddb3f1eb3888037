import { join } from 'node:path';
import { type Cell, checksumOf, type Report } from '../harness.ts';
import { type EventTable, sessionTable } from './eventTable.ts';
import type { Measured } from './measured.ts';
import type { MusterSet, MusterSize } from './muster.ts';
import { readEvents } from './ndjson.ts';
import { measurePeers } from './peerTables.ts';
import { runProcess } from './process.ts';

/** The set of synthetic events. */
export const SESSIONS = 'sessions';

export interface Settings {
  /** The directory of the sets of real events. */
  readonly data: string;
  readonly sets: readonly string[];
  readonly sessions: { readonly seed: number; readonly events: number; readonly users: number };
  /** Of each rival, and Muster's tablets. */
  readonly threads: number;
  /** The directory for the rivals' files. */
  readonly at: string;
  /** The built program that Muster's process runs. */
  readonly program: string;
}

/** Of the smaller rival without a heavy compression, what Muster may take. */
const LZ4_SHARE = 0.65;
const FORMS = ['tuned', 'usual'] as const;

/** Bytes an event: Muster's beside its bars, the rivals' in all, and theirs by column. */
export async function sizes(settings: Settings): Promise<Report[]> {
  const muster = await musterOf(settings);
  const bars: Record<string, Cell>[] = [];
  const rivals: Record<string, Cell>[] = [];
  const columns: Record<string, Cell>[] = [];
  const allAnswers: unknown[] = [];
  for (const set of settings.sets) {
    const events = await eventsOf(set, settings);
    const own = muster.get(set)!;
    if (own.events !== events.rows)
      throw new Error(`${set}: ${own.events} events in Muster, ${events.rows} here`);
    const { answers, measured } = await measurePeers(events, {
      directory: settings.at,
      threads: settings.threads,
      log: (line) => console.error(`${set}: ${line}`),
    });
    allAnswers.push(answers);
    const best = smallest(measured);
    bars.push({ set, events: events.rows, ...barsOf(best, own) });
    for (const { rival, forms, layout, bytes, columns: chosen } of best) {
      rivals.push({ set, rival, forms, layout, bytesPerEvent: bytes / events.rows });
      for (const { column, form, bytes } of chosen)
        columns.push({ set, rival, column, form, bytesPerEvent: bytes / events.rows });
    }
  }
  const parameters = { ...settings.sessions, threads: settings.threads };
  const checksum = checksumOf(allAnswers);
  return [
    {
      name: 'rivals',
      what: "bytes an event in each rival's smaller layout",
      parameters,
      rows: rivals,
      checksum,
    },
    { name: 'columns', what: 'what each takes in the tuned ClickHouse', parameters, rows: columns, checksum },
    {
      name: 'peers',
      what: `bytes an event; the bars are ${LZ4_SHARE} × the smaller of DuckDB and ClickHouse LZ4, and ClickHouse ZSTD(1)`,
      parameters,
      rows: bars,
      checksum,
    },
  ];
}

async function musterOf({
  data,
  sets,
  sessions,
  threads,
  program,
}: Settings): Promise<Map<string, MusterSize>> {
  const from = (set: string): MusterSet['from'] =>
    set === SESSIONS ? sessions : join(data, `${set}.ndjson.gz`);
  const found = new Map<string, MusterSize>();
  const plan = {
    kind: 'sizes',
    sets: sets.map((set) => ({ set, from: from(set) })),
    tablets: threads,
  } as const;
  await runProcess<MusterSize>(program, plan, (size) => {
    console.error(`${size.set}: Muster: ${(size.bytes / size.events).toFixed(2)}`);
    found.set(size.set, size);
  });
  return found;
}

function eventsOf(set: string, { data, sessions }: Settings): Promise<EventTable> | EventTable {
  return set === SESSIONS ? sessionTable(sessions) : readEvents(join(data, `${set}.ndjson.gz`));
}

/** Of each rival and way to choose forms, the smallest; of DuckDB's, the usual form counts among the tuned. */
function smallest(measured: readonly Measured[]): Measured[] {
  const best = new Map<string, Measured>();
  for (const each of measured)
    for (const forms of each.forms === 'usual' ? FORMS : (['tuned'] as const)) {
      const key = `${each.rival} ${forms}`;
      if (!best.has(key) || each.bytes < best.get(key)!.bytes) best.set(key, { ...each, forms });
    }
  return [...best.values()];
}

/** With each way to choose forms: what the bars are, and whether Muster is below. */
export function barsOf(best: readonly Measured[], { events, bytes }: MusterSize): Record<string, Cell> {
  const cells: Record<string, Cell> = { Muster: bytes / events };
  for (const forms of FORMS) {
    const bytesOf = (isMeant: (rival: string) => boolean) =>
      Math.min(
        ...best.filter((each) => each.forms === forms && isMeant(each.rival)).map((each) => each.bytes),
      );
    const bars = {
      [`${LZ4_SHARE} × LZ4, ${forms}`]: LZ4_SHARE * bytesOf((rival) => !rival.includes('ZSTD')),
      [`ZSTD(1), ${forms}`]: bytesOf((rival) => rival.includes('ZSTD')),
    };
    for (const [bar, most] of Object.entries(bars))
      cells[bar] =
        `${(most / events).toPrecision(3)} ${bytes <= most ? 'holds' : `missed by ${percent(bytes / most - 1)}`}`;
  }
  return cells;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
