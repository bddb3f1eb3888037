import { expect, test } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { SeededRandom } from '../base/random.ts';
import { encodeCursor } from './cursor.ts';
import { decodeMembersCursor, encodeMembersCursor, membersPage } from './members.ts';

test('a cursor says what was put into it', () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 100; i++) {
    const cursor = { atMs: random.uint32() * 1000, tablet: random.below(64), ordinal: random.below(1 << 24) };
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
