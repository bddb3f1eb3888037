import type { OperationName, Operations } from '../../../src/tablet/operations.ts';

/** One question, as each engine asks it. Every form of every engine must give the same rows. */
export interface Question {
  /** For `--only`. */
  readonly name: string;
  readonly what: string;
  readonly duckdb: RivalQuestion | LeftOut;
  readonly clickhouse: RivalQuestion | LeftOut;
  readonly muster: MusterQuestion | LeftOut;
  /** Of a segment: who is in it, compared too but not timed. */
  readonly members?: {
    readonly duckdb: (table: string) => string;
    readonly clickhouse: (table: string) => string;
    readonly definition: unknown;
  };
  /** Asked once of each of the data set's chosen users, and the times of all of them taken together. */
  readonly ofEachUser?: true;
}

/** Why an engine is not asked. */
export interface LeftOut {
  readonly leftOut: string;
}

/** Different ways to write the query, of which the fastest counts. */
export interface RivalQuestion {
  readonly forms: readonly RivalForm[];
}

export interface RivalForm {
  readonly form: string;
  /** `user` is the placeholder of a user's number, in a question of each user. */
  readonly sql: (table: string, user: string) => string;
}

export interface MusterQuestion {
  /** From asking the tablets to the reduced answer. `user` is a user's id, in a question of each user. */
  readonly ask: (muster: Muster, user: string) => Promise<Rows>;
}

/** Tablets in threads of their own, as in a server. */
export interface Muster {
  /** One part per tablet. */
  all<K extends OperationName>(operation: K, args: Operations[K]['args']): Promise<Operations[K]['part'][]>;
  /** Of the tablet in which the user lives. */
  home<K extends OperationName>(
    userId: string,
    operation: K,
    args: Operations[K]['args'],
  ): Promise<Operations[K]['part']>;
  /** Of whoever asked: what it makes of the parts. */
  steps<T>(steps: Generator<void, T>): Promise<T>;
}

/** An answer in a form that engines can be compared in. The order of rows means nothing. */
export type Rows = readonly (readonly Cell[])[];
export type Cell = string | number | null;

export function isLeftOut(engine: object): engine is LeftOut {
  return 'leftOut' in engine;
}
