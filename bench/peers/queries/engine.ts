import type { Question, Rows } from './question.ts';

/** A store with the sessions in it, alone in its process. */
export interface Engine {
  readonly name: EngineName;
  /** Every layout and form the question is to be asked in; the reason instead where it is not asked. */
  ways(question: Question): readonly Way[] | string;
  /** The numbers of the users in the question's segment, in any order; undefined where it is none. */
  members(question: Question): Promise<readonly number[]> | undefined;
  close(): Promise<void>;
}

export const ENGINES = ['Muster', 'DuckDB', 'ClickHouse'] as const;
export type EngineName = (typeof ENGINES)[number];

export interface Way {
  readonly layout: string;
  readonly form: string;
  /** `user`: a number, in a question of each user. */
  readonly ask: (user: number) => Promise<Rows>;
  /** Goes to the thread that has the answer and back, for nothing; undefined where the engine has no such threads. */
  readonly askNothing?: (user: number) => Promise<void>;
}

/** Both orders of rows that a rival is loaded in: the table's name, and how it is sorted. */
export const TABLES = [
  { table: 'by_event', order: 'event, user_id, ts' },
  { table: 'by_user', order: 'user_id, ts' },
] as const;

/** The first column, of a query that lists users. */
export function firstNumbers(rows: Rows): readonly number[] {
  return rows.map(([first]) => Number(first));
}
