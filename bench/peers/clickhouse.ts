import { Session } from 'chdb';
import { type AnswerQueries, askedAnswers } from './answers.ts';
import { type ColumnForm, type ColumnForms, columnForms, quoted } from './clickhouseColumns.ts';
import type { EventTable } from './eventTable.ts';
import type { Measured, Order } from './measured.ts';

export const COMPRESSIONS = ['LZ4', 'ZSTD(1)'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export interface Layout {
  readonly order: Order;
  readonly compression: Compression;
}

interface NamedForm {
  readonly name: string;
  readonly form: ColumnForm;
}

/** Of longer types, such as an Enum with its texts, the table of forms shows the name alone. */
const TYPE_SHOWN = 30;

/** ClickHouse, embedded, with one set of events. */
export class ClickHouse {
  readonly #session: Session;
  readonly #events: EventTable;
  readonly #columns: readonly ColumnForms[];

  /** The events are in a file of `writeNative`, in the order of their arrival. */
  constructor(directory: string, events: EventTable, nativePath: string, threads: number) {
    this.#session = new Session(directory);
    this.#events = events;
    this.#columns = columnForms(events);
    this.#run('SET allow_suspicious_codecs = 1, allow_suspicious_low_cardinality_types = 1');
    // One writer, so that events of one user and time stay in the order of their arrival.
    this.#run(`SET max_query_size = 16777216, max_insert_threads = 1, max_threads = ${threads}`);
    this.#run(`CREATE TABLE default.source ENGINE = MergeTree ORDER BY arrival
      AS SELECT rowNumberInAllBlocks() AS arrival, * FROM file('${nativePath}', Native)
      SETTINGS max_threads = 1`);
  }

  close(): void {
    this.#session.close();
  }

  /** For the other rival: the events with their `arrival`. */
  writeParquet(path: string): void {
    this.#run(`INSERT INTO FUNCTION file('${path}', Parquet) SELECT * FROM default.source ORDER BY arrival`);
  }

  usual(layout: Layout): Promise<Measured> {
    return this.#measure(
      layout,
      'usual',
      this.#columns.map(({ name, usual }) => ({ name, form: usual })),
    );
  }

  /** With each column in the form that measures smallest in this order. */
  async tuned(layout: Layout): Promise<Measured> {
    const smallest = this.#smallest(layout);
    const columns = smallest.map(({ name, form, bytes }) => ({
      column: name,
      form: shown(form, layout.compression),
      bytes,
    }));
    return { ...(await this.#measure(layout, 'tuned', smallest)), columns };
  }

  async #measure(layout: Layout, forms: Measured['forms'], columns: readonly NamedForm[]): Promise<Measured> {
    this.#fill('events', layout, columns);
    const parts = this.#rows(`SELECT bytes_on_disk FROM system.parts WHERE active AND table = 'events'`);
    if (parts.length !== 1) throw new Error(`${parts.length} parts, not 1, after OPTIMIZE FINAL`);
    const definitionBytes = columns.reduce((bytes, { form }) => bytes + form.definitionBytes, 0);
    return {
      rival: `ClickHouse ${layout.compression}`,
      forms,
      layout: layout.order,
      bytes: Number(parts[0]!.bytes_on_disk) + definitionBytes,
      answers: await askedAnswers(this.#answerQueries(), async (sql) => this.#rows(sql)),
      columns: [],
    };
  }

  /** Builds all candidates beside one another in one table, since columns lie in files of their own. */
  #smallest(layout: Layout): (NamedForm & { readonly bytes: number })[] {
    const keys = this.#columns.filter(({ name }) => layout.order.split(', ').includes(name));
    this.#fill('trial', layout, [
      ...keys.map(({ name, usual }) => ({ name, form: usual })),
      ...this.#columns.flatMap(({ name, candidates }) =>
        candidates.map((form, i) => ({ name: `${name} ${i}`, form })),
      ),
    ]);
    const sizes = this.#rows(`SELECT column, column_bytes_on_disk AS bytes FROM system.parts_columns
      WHERE active AND table = 'trial'`);
    this.#run('DROP TABLE default.trial SYNC');
    const bytesOf = new Map(sizes.map(({ column, bytes }) => [column, Number(bytes)]));
    return this.#columns.map(({ name, candidates }) =>
      candidates
        .map((form, i) => ({ name, form, bytes: bytesOf.get(`${name} ${i}`)! + form.definitionBytes }))
        .reduce((least, each) => (each.bytes < least.bytes ? each : least)),
    );
  }

  #fill(table: 'events' | 'trial', { order, compression }: Layout, columns: readonly NamedForm[]): void {
    const definitions = columns.map(
      ({ name, form }) => `${quoted(name)} ${form.type} CODEC(${form.codecs} ${compression})`,
    );
    const separateFiles = table === 'trial' ? 'SETTINGS min_bytes_for_wide_part = 0' : '';
    this.#run(`DROP TABLE IF EXISTS default.${table} SYNC`);
    this.#run(`CREATE TABLE default.${table} (${definitions.join(', ')})
      ENGINE = MergeTree ORDER BY (${order}) ${separateFiles}`);
    this.#run(`INSERT INTO default.${table} SELECT ${columns.map(({ form }) => form.value).join(', ')}
      FROM (SELECT * FROM default.source ORDER BY arrival)`);
    this.#run(`OPTIMIZE TABLE default.${table} FINAL`);
  }

  #answerQueries(): AnswerQueries {
    const forms = new Map(this.#columns.map((column) => [column.name, column]));
    const property = (name: string, measure: string) =>
      [
        name,
        `SELECT countIf(${forms.get(name)!.present}) AS present, ${measure} AS measure FROM default.events`,
      ] as const;
    const { texts, numbers } = this.#events;
    return {
      totals: `SELECT count() AS rows, uniqExact(user_id) AS users,
        toUnixTimestamp64Milli(toDateTime64(min(ts), 3)) AS fromMs,
        toUnixTimestamp64Milli(toDateTime64(max(ts), 3)) AS toMs FROM default.events`,
      events: 'SELECT toString(event) AS name, count() AS rows FROM default.events GROUP BY event',
      properties: new Map([
        ...texts.map(({ name }) =>
          property(name, `uniqExactIf(${quoted(name)}, ${forms.get(name)!.present})`),
        ),
        ...numbers.map(({ name, digits }) =>
          property(name, `toInt64(ifNull(sum(${quoted(name)}), 0) * ${10 ** digits})`),
        ),
      ]),
    };
  }

  #run(sql: string): void {
    this.#session.query(sql);
  }

  #rows(sql: string): Record<string, unknown>[] {
    const lines = this.#session.query(sql, 'JSONEachRow').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }
}

function shown({ type, codecs }: ColumnForm, compression: Compression): string {
  const short = type.length <= TYPE_SHOWN ? type : type.replace(/\(.*/s, '');
  return `${short} ${codecs} ${compression}`.replaceAll(/ +/g, ' ');
}
