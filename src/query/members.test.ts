import { expect, test } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { SeededRandom } from '../base/random.ts';
import { encodeCursor } from './cursor.ts';
import {
  decodeMembersCursor,
  encodeMembersCursor,
  type MembersPlace,
  membersPage,
  placesFrom,
  placesLeft,
} from './members.ts';

test('a cursor says what was put into it', () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 100; i++) {
    const bits = random.uint32().toString(2).padStart(32, '0');
    const places = [0, 1 + random.below(16), 17 + random.below(16)]
      .slice(random.below(3))
      .map((length) => ({ tablet: bits.slice(0, length), ordinal: random.below(1 << 24) }));
    const cursor = { atMs: random.uint32() * 1000, places };
    expect(decodeMembersCursor(encodeMembersCursor(cursor))).toEqual(cursor);
  }
});

test.each([
  '',
  'garbage',
  '2026-01-01',
  `${encodeCursor([1, 2, 3])}=`,
  encodeCursor([1, 2]),
  encodeCursor([1, 2, 3, 4]),
  encodeCursor([1, 2, 3, 3, 4]),
  encodeCursor([1, 2 ** 33, 0]),
  encodeCursor([8.64e15, 2, 3]),
  encodeCursor([-8.64e15, 2, 3]),
  encodeCursor([1, -1, 0]),
  encodeCursor([1, 0, -1]),
  encodeCursor([1, 0, 2 ** 25]),
  encodeCursor([9e15, 0, 0]),
  encodeCursor([1, 0, 0.5]),
])('%j is no cursor', (text) => {
  expect(() => decodeMembersCursor(text)).toThrow(
    expect.objectContaining({ code: 'bad_request', path: 'after' }),
  );
});

test('pages hold every member once, and the last one says that it is', () => {
  const members = new Bitset(500);
  for (let i = 0; i < 500; i += 1 + (i % 7)) members.add(i);
  for (const limit of [1, 10, members.count(), 1000]) {
    const ordinals: number[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const page = membersPage(members, from, limit);
      ordinals.push(...page.ordinals);
      from = page.nextOrdinal;
    }
    expect(ordinals).toEqual([...members]);
  }
});

test('pages go on where they were when tablets split between them', () => {
  const random = new SeededRandom(3);
  for (let run = 0; run < 200; run++) {
    // Users as [bits of the hash, ordinal]; a tablet holds those whose hash begins with its prefix.
    const users = Array.from(
      { length: 30 },
      (_, ordinal) => [random.below(16).toString(2).padStart(4, '0'), ordinal] as const,
    );
    let tablets = ['0', '1'];
    let places: readonly MembersPlace[] = [];
    const seen: number[] = [];
    for (;;) {
      const left = placesLeft(tablets, places)!;
      const rest = left.flatMap((place) =>
        users
          .filter(([hash, ordinal]) => hash.startsWith(place.tablet) && ordinal >= place.ordinal)
          .map(([, ordinal]) => ({ tablet: place.tablet, ordinal })),
      );
      const page = rest.slice(0, 1 + random.below(4));
      seen.push(...page.map(({ ordinal }) => ordinal));
      const next = rest[page.length];
      if (next === undefined) break;
      places = decodeMembersCursor(encodeMembersCursor({ atMs: 0, places: placesFrom(places, next) })).places;
      const parent = random.pick(tablets);
      if (parent.length < 4 && random.chance(0.3)) {
        tablets = [...tablets.filter((tablet) => tablet !== parent), `${parent}0`, `${parent}1`].sort();
      }
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(users.map(([, ordinal]) => ordinal));
  }
});

test('a cursor that knows of a split waits for who does not', () => {
  expect(placesLeft(['0', '1'], [{ tablet: '01', ordinal: 3 }])).toBeUndefined();
});
