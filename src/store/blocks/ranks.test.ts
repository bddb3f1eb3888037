import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { Chunk, encodeChunk } from '../../encoding/chunk.ts';
import { Column } from '../../encoding/column.ts';
import { Ranks } from './ranks.ts';

it('count rows before a row, and find the row with so many before it', () => {
  const random = new SeededRandom(1);
  for (const rowCount of [1, 1024, 5000]) {
    // Now and then none counts for longer than a sample.
    const codes = Uint32Array.from({ length: rowCount }, (_, row) =>
      row % 3000 > 600 ? 0 : random.below(5),
    );
    const chunkRows = 2048;
    const chunks = [];
    for (let from = 0; from < rowCount; from += chunkRows) {
      chunks.push(new Chunk(encodeChunk(codes.subarray(from, from + chunkRows), 'hot'), 0, 'test'));
    }
    const ranks = new Ranks(new Column(chunks, chunkRows), Uint8Array.of(0, 1, 0, 1, 0));
    const counting = [...codes.keys()].filter((row) => codes[row]! % 2 === 1);
    for (let i = 0; i < 300; i++) {
      // Forth from row to row, and back and forth.
      const row = i < 100 ? Math.min(i * 3, rowCount) : random.below(rowCount + 1);
      expect(ranks.rank(row)).toBe(counting.filter((each) => each < row).length);
    }
  }
});
