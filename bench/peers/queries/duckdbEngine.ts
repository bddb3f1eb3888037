import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBPreparedStatement } from '@duckdb/node-api';
import { SESSION_NAMES } from '../../sessions.ts';
import { enumOf, NAME_COLUMNS, type NameColumn } from './dialect.ts';
import { type Engine, firstNumbers, TABLES, type Way } from './engine.ts';
import { type Cell, isLeftOut, type Question, type Rows } from './question.ts';

function fileIn(directory: string): string {
  return join(directory, 'sessions.duckdb');
}

/** Fills a database with both layouts from a Parquet file of `loadClickHouse`, whose amounts are cents. */
export async function loadDuckDB(directory: string, parquetPath: string, threads: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  try {
    await connection.run(`ATTACH '${fileIn(directory)}' AS peer`);
    for (const column of NAME_COLUMNS) await connection.run(createEnum(column));
    const texts = NAME_COLUMNS.map((column) => `${column}::${enumOf(column)} AS ${column}`);
    for (const { table, order } of TABLES)
      await connection.run(`CREATE TABLE peer.${table} AS
        SELECT user_id::UINTEGER AS user_id, make_timestamp_ms(ts)::TIMESTAMP_MS AS ts, ${texts.join(', ')},
          round(amount / 100, 2)::DECIMAL(9, 2) AS amount
        FROM '${parquetPath}' ORDER BY ${order}`);
    await connection.run('CHECKPOINT peer');
    await connection.run('DETACH peer');
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** In the order of the texts, as they are compared; with names that few events may not have. */
function createEnum(column: NameColumn): string {
  const names = SESSION_NAMES[column].filter((name) => name !== '').sort();
  return `CREATE TYPE ${enumOf(column)} AS ENUM (${names.map((name) => `'${name}'`).join(', ')})`;
}

/** DuckDB, embedded, over a file of `loadDuckDB`. */
export class DuckDBEngine implements Engine {
  readonly name = 'DuckDB';
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #prepared = new Map<string, DuckDBPreparedStatement>();

  static async open(directory: string, threads: number): Promise<DuckDBEngine> {
    const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
    const connection = await instance.connect();
    await connection.run(`ATTACH '${fileIn(directory)}' AS peer (READ_ONLY)`);
    return new DuckDBEngine(instance, connection);
  }

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  ways({ duckdb, ofEachUser }: Question): readonly Way[] | string {
    if (isLeftOut(duckdb)) return duckdb.leftOut;
    return TABLES.flatMap(({ table, order }) =>
      duckdb.forms.map(({ form, sql }) => {
        const text = sql(`peer.${table}`, '$1');
        const ask = (user: number) => (ofEachUser ? this.#ofUser(text, user) : this.#rows(text));
        return { layout: order, form, ask };
      }),
    );
  }

  members({ members }: Question): Promise<readonly number[]> | undefined {
    return members && this.#rows(members.duckdb('peer.by_event')).then(firstNumbers);
  }

  async close(): Promise<void> {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  async #rows(sql: string): Promise<Rows> {
    return (await this.#connection.runAndReadAll(sql)).getRowsJS().map((row) => row.map(cellOf));
  }

  async #ofUser(sql: string, user: number): Promise<Rows> {
    const prepared = this.#prepared.get(sql) ?? (await this.#connection.prepare(sql));
    this.#prepared.set(sql, prepared);
    prepared.bindUInteger(1, user);
    return (await prepared.runAndReadAll()).getRowsJS().map((row) => row.map(cellOf));
  }
}

function cellOf(value: unknown): Cell {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  throw new Error(`DuckDB answered with ${typeof value} ${value}`);
}
