import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeededRandom } from '../../../src/base/random.ts';
import type { SessionOptions } from '../../sessions.ts';
import { type EventTable, sessionTable } from '../eventTable.ts';

/** The sessions as the rivals have them, in a directory of their own; Muster makes the same again. */
export interface Dataset {
  readonly options: SessionOptions;
  readonly directory: string;
  /** Whose timelines are asked for: numbers of users with many events. */
  readonly users: readonly number[];
}

/** To load the rivals. */
export interface LoadPlan {
  readonly kind: 'load';
  /** The directory of all data sets. */
  readonly at: string;
  readonly options: SessionOptions;
  readonly threads: number;
  /** Or only who is chosen, for Muster alone. */
  readonly rivals: boolean;
}

const CHOSEN_USERS = 'users.json';
/** There when the rivals are. */
const READY = 'ready';
const CHOSEN = 500;
/** Of a chosen user, where so many have so many. */
const CHOSEN_EVENTS = 100;

function datasetDirectory(at: string, { seed, events, users }: SessionOptions): string {
  return join(at, `sessions-${seed}-${events}-${users}`);
}

/** Undefined when it is still to be loaded, with or without the rivals. */
export async function readDataset(
  at: string,
  options: SessionOptions,
  rivals: boolean,
): Promise<Dataset | undefined> {
  const directory = datasetDirectory(at, options);
  if (!existsSync(join(directory, rivals ? READY : CHOSEN_USERS))) return undefined;
  const users = JSON.parse(await readFile(join(directory, CHOSEN_USERS), 'utf8')) as number[];
  return { options, directory, users };
}

/** Chooses users and loads both rivals, in both layouts. What an earlier try may have left is removed. */
export async function loadDataset({ at, options, threads, rivals }: LoadPlan): Promise<void> {
  const directory = datasetDirectory(at, options);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const parquetPath = join(directory, 'sessions.parquet');
  const events = sessionTable(options);
  const users = chosenUsers(events, options.users, options.seed);
  await writeFile(join(directory, CHOSEN_USERS), JSON.stringify(users));
  if (!rivals) return;
  const { loadClickHouse } = await import('./clickhouseEngine.ts');
  await loadClickHouse(directory, events, parquetPath, threads);
  const { loadDuckDB } = await import('./duckdbEngine.ts');
  await loadDuckDB(directory, parquetPath, threads);
  await rm(parquetPath);
  await writeFile(join(directory, READY), '');
}

function chosenUsers({ user }: EventTable, userCount: number, seed: number): number[] {
  const counts = new Uint32Array(userCount);
  for (const each of user) counts[each]!++;
  const all = [...counts.keys()].filter((each) => counts[each]! > 0);
  const busy = all.filter((each) => counts[each]! >= CHOSEN_EVENTS);
  const random = new SeededRandom(seed);
  const from = busy.length >= CHOSEN ? busy : all;
  return Array.from({ length: CHOSEN }, () => random.pick(from));
}
