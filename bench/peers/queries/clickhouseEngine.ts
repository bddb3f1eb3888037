import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Session } from 'chdb';
import { columnForms, quoted } from '../clickhouseColumns.ts';
import type { EventTable } from '../eventTable.ts';
import { writeNative } from '../nativeFile.ts';
import { type Engine, firstNumbers, TABLES, type Way } from './engine.ts';
import { isLeftOut, type Question, type Rows } from './question.ts';

function storeIn(directory: string): string {
  return join(directory, 'clickhouse');
}

/** Fills a store with both layouts, and writes a Parquet file for DuckDB. */
export async function loadClickHouse(
  directory: string,
  events: EventTable,
  parquetPath: string,
  threads: number,
): Promise<void> {
  const nativePath = join(directory, 'sessions.native');
  writeNative(events, nativePath);
  const session = new Session(storeIn(directory));
  const columns = columnForms(events).map(({ name, usual }) => ({ name, ...usual }));
  try {
    session.query(`SET max_threads = ${threads}`);
    session.query(
      `INSERT INTO FUNCTION file('${parquetPath}', Parquet) SELECT * FROM file('${nativePath}', Native)`,
    );
    for (const { table, order } of TABLES) {
      const definitions = columns.map(
        ({ name, type, codecs }) => `${quoted(name)} ${type} CODEC(${codecs} LZ4)`,
      );
      session.query(`CREATE TABLE default.${table} (${definitions.join(', ')})
        ENGINE = MergeTree ORDER BY (${order})`);
      session.query(`INSERT INTO default.${table} SELECT ${columns.map(({ value }) => value).join(', ')}
        FROM file('${nativePath}', Native)`);
      session.query(`OPTIMIZE TABLE default.${table} FINAL`);
    }
  } finally {
    session.close();
    await rm(nativePath);
  }
}

/** ClickHouse, embedded, over a store of `loadClickHouse`. */
export class ClickHouseEngine implements Engine {
  readonly name = 'ClickHouse';
  readonly #session: Session;
  readonly #settings: string;

  constructor(directory: string, threads: number) {
    this.#session = new Session(storeIn(directory));
    this.#settings = `SETTINGS max_threads = ${threads}, use_query_condition_cache = 0, use_query_cache = 0,
      optimize_aggregation_in_order = 1, output_format_json_quote_64bit_integers = 0`;
  }

  ways({ clickhouse }: Question): readonly Way[] | string {
    if (isLeftOut(clickhouse)) return clickhouse.leftOut;
    return TABLES.flatMap(({ table, order }) =>
      clickhouse.forms.map(({ form, sql }) => ({
        layout: order,
        form,
        ask: async (user: number) => this.#rows(sql(`default.${table}`, String(user))),
      })),
    );
  }

  members({ members }: Question): Promise<readonly number[]> | undefined {
    return members && Promise.resolve(firstNumbers(this.#rows(members.clickhouse('default.by_event'))));
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  #rows(sql: string): Rows {
    const lines = this.#session.query(`${sql} ${this.#settings}`, 'JSONCompactEachRow').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }
}
