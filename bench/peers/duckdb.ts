import { rmSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type AnswerQueries, askedAnswers } from './answers.ts';
import {
  decimalDigits,
  distinctTexts,
  type EventTable,
  type IntegerType,
  integerType,
  type NumberColumn,
  scaledRange,
  type TextColumn,
} from './eventTable.ts';
import type { Measured, Order } from './measured.ts';

interface Form {
  /** Of the columns whose texts repeat. */
  readonly texts: 'ENUM' | 'VARCHAR';
  readonly time: 'TIMESTAMP_MS' | 'TIMESTAMP_S';
  /** Which versions can open the file, and so which encodings it may use. */
  readonly storage: 'v0.10.2' | 'latest';
}

/** What the file has when nobody says otherwise. */
const USUAL: Form = { texts: 'ENUM', time: 'TIMESTAMP_MS', storage: 'v0.10.2' };

/** Texts become an ENUM where each is on so many rows, on average. */
const ENUM_REPEATS = 8;

const INTEGERS: Readonly<Record<IntegerType, string>> = {
  UInt8: 'UTINYINT',
  UInt16: 'USMALLINT',
  UInt32: 'UINTEGER',
  Int8: 'TINYINT',
  Int16: 'SMALLINT',
  Int32: 'INTEGER',
  Int64: 'BIGINT',
};

/** DuckDB, embedded, with one set of events. */
export class DuckDB {
  readonly #connection: DuckDBConnection;
  readonly #events: EventTable;
  readonly #path: string;

  /** The events are in a Parquet file of `ClickHouse`; `path` is where databases are made, one at a time. */
  static async open(path: string, events: EventTable, parquetPath: string, threads: number): Promise<DuckDB> {
    const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE source AS FROM '${parquetPath}'`);
    return new DuckDB(path, connection, events);
  }

  private constructor(path: string, connection: DuckDBConnection, events: EventTable) {
    this.#path = path;
    this.#connection = connection;
    this.#events = events;
  }

  close(): void {
    this.#connection.closeSync();
  }

  usual(order: Order): Promise<Measured> {
    return this.#measure(order, 'usual', USUAL);
  }

  /** Every other form, for the smallest of them. */
  async tuned(order: Order): Promise<Measured[]> {
    const times: Form['time'][] = this.#events.timeMs.every((ms) => ms % 1000 === 0)
      ? ['TIMESTAMP_MS', 'TIMESTAMP_S']
      : ['TIMESTAMP_MS'];
    const measured: Measured[] = [];
    for (const texts of ['ENUM', 'VARCHAR'] as const)
      for (const time of times)
        measured.push(await this.#measure(order, 'tuned', { texts, time, storage: 'latest' }));
    return measured;
  }

  async #measure(order: Order, forms: Measured['forms'], form: Form): Promise<Measured> {
    rmSync(this.#path, { force: true });
    await this.#run(`ATTACH '${this.#path}' AS peer (STORAGE_VERSION '${form.storage}')`);
    const { event, texts, numbers, rows } = this.#events;
    const isEnum = (column: TextColumn) =>
      form.texts === 'ENUM' && distinctTexts(column).length * ENUM_REPEATS <= rows;
    const enums = [event, ...texts].filter(isEnum);
    for (const { name } of enums)
      await this.#run(`CREATE TYPE peer."texts of ${name}" AS ENUM
        (SELECT DISTINCT "${name}" FROM source WHERE "${name}" IS NOT NULL ORDER BY ALL)`);
    const columns: [name: string, value: string][] = [
      ['user_id', 'user_id::UINTEGER'],
      ['ts', `make_timestamp_ms(ts)::${form.time}`],
      ...[event, ...texts].map((column): [string, string] => [
        column.name,
        enums.includes(column) ? `"${column.name}"::peer."texts of ${column.name}"` : `"${column.name}"`,
      ]),
      ...numbers.map((column): [string, string] => [column.name, decimal(column)]),
    ];
    await this.#run(`CREATE TABLE peer.events AS
      SELECT ${columns.map(([name, value]) => `${value} AS "${name}"`).join(', ')}
      FROM source ORDER BY ${order}, arrival`);
    await this.#run('CHECKPOINT peer');
    const [size] = await this.#rows(`SELECT block_size * used_blocks AS bytes
      FROM pragma_database_size() WHERE database_name = 'peer'`);
    const answers = await askedAnswers(this.#answerQueries(), (sql) => this.#rows(sql));
    await this.#run('DETACH peer');
    return {
      rival: 'DuckDB',
      forms,
      layout: `${order}; ${Object.values(form).join(', ')}`,
      bytes: Number(size!.bytes),
      answers,
      columns: [],
    };
  }

  #answerQueries(): AnswerQueries {
    const { texts, numbers } = this.#events;
    const property = (name: string, measure: string) =>
      [name, `SELECT count("${name}") AS present, ${measure} AS measure FROM peer.events`] as const;
    return {
      totals: `SELECT count(*) AS rows, count(DISTINCT user_id) AS users,
        epoch_ms(min(ts)::TIMESTAMP) AS fromMs, epoch_ms(max(ts)::TIMESTAMP) AS toMs FROM peer.events`,
      events: 'SELECT event::VARCHAR AS name, count(*) AS rows FROM peer.events GROUP BY event',
      properties: new Map([
        ...texts.map(({ name }) => property(name, `count(DISTINCT "${name}")`)),
        ...numbers.map(({ name, digits }) =>
          property(name, `coalesce((sum("${name}") * ${10 ** digits})::BIGINT, 0)`),
        ),
      ]),
    };
  }

  async #run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  async #rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJS();
  }
}

/** The source has whole numbers of the last digit. */
function decimal(column: NumberColumn): string {
  const { name, digits } = column;
  const range = scaledRange(column);
  return digits === 0
    ? `"${name}"::${INTEGERS[integerType(range)]}`
    : `round("${name}" / ${10 ** digits}, ${digits})::DECIMAL(${decimalDigits(range)}, ${digits})`;
}
