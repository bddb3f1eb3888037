import type { Bitset } from '../base/bitset.ts';
import { badRequest } from '../base/errors.ts';
import { ORDINALS_MAX } from '../base/limits.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** Where a page of members goes on: tablets in the account's order, within one by ordinal, all of one moment. */
export interface MembersCursor {
  readonly atMs: number;
  /** Place of the tablet in the account's order. */
  readonly tablet: number;
  /** The first ordinal not looked at yet. */
  readonly ordinal: number;
}

export function encodeMembersCursor({ atMs, tablet, ordinal }: MembersCursor): string {
  return encodeCursor([atMs, tablet, ordinal]);
}

/** The furthest a Date reaches (ECMA-262, Time Values). */
const DATE_MS_MAX = 8.64e15;

/** Throws `bad_request` at `after` for text that `encodeMembersCursor` did not make. */
export function decodeMembersCursor(text: string): MembersCursor {
  const [atMs, tablet, ordinal] = decodeCursor(text, 3, 'after') as [number, number, number];
  const isInRange = Math.abs(atMs) <= DATE_MS_MAX && tablet >= 0 && ordinal >= 0 && ordinal <= ORDINALS_MAX;
  if (!isInRange) throw badRequest('is out of range', 'after');
  return { atMs, tablet, ordinal };
}

/** One tablet's members from `fromOrdinal` on, ascending, at most `limit`; where the rest begins, if there is any. */
export function membersPage(
  members: Bitset,
  fromOrdinal: number,
  limit: number,
): { readonly ordinals: readonly number[]; readonly nextOrdinal?: number } {
  const ordinals: number[] = [];
  for (const ordinal of members) {
    if (ordinal < fromOrdinal) continue;
    if (ordinals.length === limit) return { ordinals, nextOrdinal: ordinal };
    ordinals.push(ordinal);
  }
  return { ordinals };
}
