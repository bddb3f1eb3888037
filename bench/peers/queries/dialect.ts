import { DAY_MS } from '../../../src/base/limits.ts';
import { SESSION_PERIOD } from '../../sessions.ts';

/** Columns of texts that repeat. */
export const NAME_COLUMNS = ['event', 'city', 'platform', 'product'] as const;
export type NameColumn = (typeof NAME_COLUMNS)[number];

/** What the rivals write differently in the same query. */
export interface Dialect {
  /** A moment that compares with `ts`. */
  readonly time: (ms: number) => string;
  /** A column of times as milliseconds since 1970. */
  readonly ms: (column: string) => string;
  readonly countIf: (condition: string) => string;
  /** Exactly how many distinct values. */
  readonly distinct: (value: string) => string;
  /** A text of one of the columns with names, which have no quotes in them. */
  readonly name: (column: NameColumn, text: string) => string;
  readonly divided: (value: string, by: number) => string;
}

export const DUCKDB: Dialect = {
  time: (ms) => `make_timestamp_ms(${ms})::TIMESTAMP_MS`,
  ms: (column) => `epoch_ms(${column})`,
  countIf: (condition) => `count(*) FILTER (WHERE ${condition})`,
  distinct: (value) => `count(DISTINCT ${value})`,
  // A plain text would be compared with the text of every row, not with its code.
  name: (column, text) => `'${text}'::${enumOf(column)}`,
  divided: (value, by) => `(${value}) // ${by}`,
};

export const CLICKHOUSE: Dialect = {
  time: (ms) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`,
  ms: (column) => `toUnixTimestamp64Milli(${column})`,
  countIf: (condition) => `countIf(${condition})`,
  distinct: (value) => `uniqExact(${value})`,
  name: (_, text) => `'${text}'`,
  divided: (value, by) => `intDiv(${value}, ${by})`,
};

/** When all questions are asked: after the last event. */
export const AT_MS = SESSION_PERIOD.endMs;

/** As `{ last }` in a definition: without its beginning, with its end. */
export function last(dialect: Dialect, days: number, column = 'ts'): string {
  const { time } = dialect;
  return `${column} > ${time(AT_MS - days * DAY_MS)} AND ${column} <= ${time(AT_MS)}`;
}

/** As `from` and `to`: with its beginning, without its end. */
export function between(dialect: Dialect, fromMs: number, toMs: number, column = 'ts'): string {
  return `${column} >= ${dialect.time(fromMs)} AND ${column} < ${dialect.time(toMs)}`;
}

export function isName(dialect: Dialect, column: NameColumn, name: string): string {
  return `${column} = ${dialect.name(column, name)}`;
}

export function isOneOf(dialect: Dialect, column: NameColumn, names: readonly string[]): string {
  return `${column} IN (${names.map((name) => dialect.name(column, name)).join(', ')})`;
}

/** DuckDB's type of a column. */
export function enumOf(column: NameColumn): string {
  return `peer."texts of ${column}"`;
}

export const WEEK_MS = 7 * DAY_MS;
/** The first Monday after 1970 began. */
const MONDAY_MS = 4 * DAY_MS;

/** The beginning, in UTC, of the week of a time in ms. */
export function weekOf(dialect: Dialect, ms: string): string {
  return `(${dialect.divided(`${ms} - ${MONDAY_MS}`, WEEK_MS)}) * ${WEEK_MS} + ${MONDAY_MS}`;
}

/** The beginning, in UTC, of the day of a time in ms. */
export function dayOf(dialect: Dialect, ms: string): string {
  return `(${dialect.divided(ms, DAY_MS)}) * ${DAY_MS}`;
}
