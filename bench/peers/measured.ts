import type { Answers } from './answers.ts';

/** One single copy of a set's events in one rival. */
export interface Measured {
  readonly rival: string;
  /** `usual`: types and codecs as written down unseen; `tuned`: the smallest of several that were measured. */
  readonly forms: 'usual' | 'tuned';
  /** The order of the rows, and what else was chosen for all columns at once. */
  readonly layout: string;
  readonly bytes: number;
  readonly answers: Answers;
  /** What was chosen by measuring; none where nothing was. */
  readonly columns: readonly MeasuredColumn[];
}

export interface MeasuredColumn {
  readonly column: string;
  readonly form: string;
  readonly bytes: number;
}

/** The layouts: events of one name together, or of one user. */
export const ORDERS = ['event, user_id, ts', 'user_id, ts'] as const;
export type Order = (typeof ORDERS)[number];
