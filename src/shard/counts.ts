import type { Counts } from './messages.ts';

/** Counts of one frame, as they are added up over its tablets and their owners. */
export type Tally = { -readonly [K in keyof Counts]: number };

export function noCounts(): Tally {
  return { accepted: 0, duplicate: 0, rejected: 0, erased: 0 };
}

export function addCounts(sum: Tally, { accepted, duplicate, rejected, erased }: Counts): void {
  sum.accepted += accepted;
  sum.duplicate += duplicate;
  sum.rejected += rejected;
  sum.erased += erased;
}
