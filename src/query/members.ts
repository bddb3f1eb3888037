import { type Bitset, ctz32 } from '../base/bitset.ts';
import { badRequest } from '../base/errors.ts';
import { ORDINALS_MAX, TABLET_BITS_MAX } from '../base/limits.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** Where a page of members goes on, all of one moment: tablets in the order of their prefixes, in each by ordinal. */
export interface MembersCursor {
  readonly atMs: number;
  /**
   * The tablet to go on with comes last. When tablets split between two pages, those before it are what it was a part
   * of, the largest first: their other parts, which keep the ordinals, go on where that one was.
   */
  readonly places: readonly MembersPlace[];
}

export interface MembersPlace {
  /** Prefix bits. */
  readonly tablet: string;
  /** The first one not looked at yet. */
  readonly ordinal: number;
}

/** What is left to read of these tablets, in order; undefined when the cursor knows of a split that they do not. */
export function placesLeft(
  tablets: readonly string[],
  places: readonly MembersPlace[],
): readonly MembersPlace[] | undefined {
  const first = places.at(-1)?.tablet ?? '';
  if (tablets.some((tablet) => first.startsWith(tablet) && tablet !== first)) return undefined;
  return tablets
    .filter((tablet) => tablet.startsWith(first) || tablet > first)
    .map((tablet) => {
      const begun = places.findLast((place) => tablet.startsWith(place.tablet));
      return { tablet, ordinal: begun?.ordinal ?? 0 };
    });
}

/** The places of a cursor that goes on at `next`, `places` being those of the one before. */
export function placesFrom(places: readonly MembersPlace[], next: MembersPlace): readonly MembersPlace[] {
  const around = places.filter(({ tablet }) => next.tablet.startsWith(tablet) && tablet !== next.tablet);
  return [...around, next];
}

export function encodeMembersCursor({ atMs, places }: MembersCursor): string {
  // A leading 1 keeps the zeros that a prefix begins with.
  return encodeCursor([
    atMs,
    ...places.flatMap(({ tablet, ordinal }) => [Number.parseInt(`1${tablet}`, 2), ordinal]),
  ]);
}

/** Further than any moment that can be asked for: those have years of four digits. */
const AT_MS_MAX = 3e14;

/** Throws `bad_request` at `after` for text that `encodeMembersCursor` did not make. */
export function decodeMembersCursor(text: string): MembersCursor {
  const [atMs, ...numbers] = decodeCursor(text, (length) => length >= 3 && length % 2 === 1, 'after');
  const places: MembersPlace[] = [];
  let isInRange = Math.abs(atMs!) <= AT_MS_MAX;
  for (let i = 0; i < numbers.length; i += 2) {
    const [prefix, ordinal] = [numbers[i]!, numbers[i + 1]!];
    isInRange &&=
      prefix >= 1 && prefix < 2 ** (TABLET_BITS_MAX + 1) && ordinal >= 0 && ordinal <= ORDINALS_MAX;
    const tablet = prefix.toString(2).slice(1);
    isInRange &&= places.every((around) => tablet.startsWith(around.tablet) && tablet !== around.tablet);
    places.push({ tablet, ordinal });
  }
  if (!isInRange) throw badRequest('is out of range', 'after');
  return { atMs: atMs!, places };
}

/** One tablet's members from `fromOrdinal` on, ascending, at most `limit`; where the rest begins, if there is any. */
export function membersPage(
  members: Bitset,
  fromOrdinal: number,
  limit: number,
): { readonly ordinals: readonly number[]; readonly nextOrdinal?: number } {
  const ordinals: number[] = [];
  for (let w = fromOrdinal >>> 5; w < members.words.length; w++) {
    for (let word = members.words[w]!; word !== 0; word &= word - 1) {
      const ordinal = (w << 5) + ctz32(word);
      if (ordinal < fromOrdinal) continue;
      if (ordinals.length === limit) return { ordinals, nextOrdinal: ordinal };
      ordinals.push(ordinal);
    }
  }
  return { ordinals };
}
