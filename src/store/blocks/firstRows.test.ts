import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { Chunk, encodeChunk } from '../../encoding/chunk.ts';
import { Column } from '../../encoding/column.ts';
import { FirstRows } from './firstRows.ts';

it.each([
  ['as bits', 0.3, 4096],
  ['as bits, in chunks that samples do not fit', 0.3, 96],
  ['of users with thousands of rows', 0.0004, 4096],
  ['of users with a row each', 1, 4096],
])('find the rows of users, and users of rows: %s', (_, share, chunkRows) => {
  const random = new SeededRandom(1);
  for (const rowCount of [1, 511, 512, 513, 70_000]) {
    const firsts = Uint32Array.from({ length: rowCount }, (_, row) =>
      row === 0 || random.chance(share) ? 1 : 0,
    );
    const chunks = [];
    for (let from = 0; from < rowCount; from += chunkRows) {
      chunks.push(new Chunk(encodeChunk(firsts.subarray(from, from + chunkRows), 'hot'), 0, 'test'));
    }
    const found = new FirstRows(new Column(chunks, chunkRows));
    const starts = [...firsts.keys()].filter((row) => firsts[row] === 1);
    for (let i = 0; i < 500; i++) {
      const user = random.below(starts.length);
      const [start, end] = [starts[user]!, starts[user + 1] ?? rowCount];
      expect(found.rowsOf(user)).toEqual({ start, end });
      expect(found.userOf(start + random.below(end - start))).toBe(user);
    }
  }
});
