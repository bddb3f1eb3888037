import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answers, differences, sourceAnswers } from './answers.ts';
import { ClickHouse, COMPRESSIONS } from './clickhouse.ts';
import { DuckDB } from './duckdb.ts';
import type { EventTable } from './eventTable.ts';
import { type Measured, ORDERS } from './measured.ts';
import { writeNative } from './nativeFile.ts';

export interface Place {
  /** For files that are removed afterwards; on a memory file system. */
  readonly directory: string;
  readonly threads: number;
  readonly log: (line: string) => void;
}

export interface Peers {
  readonly answers: Answers;
  readonly measured: readonly Measured[];
}

/**
 * Loads the events into the rivals, in every layout, one after the other.
 *
 * @throws where a rival's answers are not those of the source
 */
export async function measurePeers(events: EventTable, place: Place): Promise<Peers> {
  const directory = await mkdtemp(join(place.directory, 'muster-peers-'));
  try {
    const answers = sourceAnswers(events);
    const measured: Measured[] = [];
    for await (const each of layouts(events, directory, place.threads)) {
      const wrong = differences(answers, each.answers);
      if (wrong.length > 0) throw new Error(`${each.rival} ordered by ${each.layout}: ${wrong.join('; ')}`);
      place.log(`${each.rival} ${each.forms}, by ${each.layout}: ${(each.bytes / events.rows).toFixed(2)}`);
      measured.push(each);
    }
    return { answers, measured };
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function* layouts(events: EventTable, directory: string, threads: number): AsyncGenerator<Measured> {
  const nativePath = join(directory, 'events.native');
  const parquetPath = join(directory, 'events.parquet');
  writeNative(events, nativePath);
  const clickhouse = new ClickHouse(join(directory, 'clickhouse'), events, nativePath, threads);
  await rm(nativePath);
  try {
    clickhouse.writeParquet(parquetPath);
    for (const order of ORDERS)
      for (const compression of COMPRESSIONS) {
        yield await clickhouse.usual({ order, compression });
        yield await clickhouse.tuned({ order, compression });
      }
  } finally {
    clickhouse.close();
  }
  await rm(join(directory, 'clickhouse'), { recursive: true });
  const duckdb = await DuckDB.open(join(directory, 'events.duckdb'), events, parquetPath, threads);
  await rm(parquetPath);
  try {
    for (const order of ORDERS) {
      yield await duckdb.usual(order);
      yield* await duckdb.tuned(order);
    }
  } finally {
    duckdb.close();
  }
}
