import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { expectPart, type PlainRow, plainRow, randomTable } from '../oracle.ts';
import { TextDictionary } from '../texts/dictionary.ts';
import type { Block } from './block.ts';
import { compact, mergePages, type PlainMerge, seal, sorted, sortedMerged } from './testBlocks.ts';

/** Cut into heads at random, in order of arrival. */
function sealedInPieces(
  rows: readonly PlainRow[],
  dictionary: TextDictionary,
  random: SeededRandom,
  ownTextsOnly = false,
): readonly Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < rows.length; ) {
    const to = Math.min(rows.length, from + 1 + random.below(rows.length));
    blocks.push(...seal(rows.slice(from, to), dictionary, { ownTextsOnly }));
    from = to;
  }
  return blocks;
}

const rowsOf = (block: Block) => Array.from({ length: block.rowCount }, (_, row) => plainRow(block, row));

describe('compact', () => {
  it('keeps the rows of any blocks, however they were cut, and answers like a loop over them', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = new SeededRandom(seed);
      const dictionary = new TextDictionary();
      const rows = randomTable(random, { rowCount: 700, ordinals: 30, spanDays: 300 });
      const once = compact(sealedInPieces(rows, dictionary, random), dictionary);
      expect(once).toHaveLength(1);
      expectPart(once[0]!, sorted(rows), random);
      const more = randomTable(random, { rowCount: 300, ordinals: 40, spanDays: 300 });
      const pieces = sealedInPieces(more, dictionary, random, seed % 2 === 0);
      const twice = compact([...once, ...pieces], dictionary, { ownTextsOnly: seed % 3 === 0 });
      expectPart(twice[0]!, sorted([...rows, ...more]), random);
    }
  });

  it('cuts rows at the boundaries, and leaves users out who are gone', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const random = new SeededRandom(seed);
      const dictionary = new TextDictionary();
      const rows = randomTable(random, { rowCount: 500, ordinals: 70, spanDays: 300 });
      const gone = Uint32Array.of(random.uint32(), 0, random.uint32());
      const stays = ({ ordinal }: PlainRow) => ((gone[ordinal >>> 5]! >>> (ordinal & 31)) & 1) === 0;
      const boundariesMs = [0, 1, 3, 9].map((month) => Date.UTC(2026, month, 1));
      boundariesMs.push(Date.UTC(2027, 0, 1));
      const blocks = compact(sealedInPieces(rows, dictionary, random), dictionary, {
        boundariesMs,
        goneOrdinals: gone,
      });
      expect(blocks.length).toBeGreaterThan(2);
      for (const block of blocks) {
        const { startMs, endMs } = block.window;
        const expected = rows.filter((row) => stays(row) && row.timeMs >= startMs && row.timeMs < endMs);
        expect(rowsOf(block)).toEqual(sorted(expected));
      }
      expect(blocks.reduce((total, block) => total + block.rowCount, 0)).toBe(rows.filter(stays).length);
    }
  });

  it('gives rows of merged users to whom these were merged into, those of one time by the order of the merges', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = new SeededRandom(seed);
      const dictionary = new TextDictionary();
      const merges: PlainMerge[] = [
        [30, 6, 1],
        [3, 60, 1],
        [9, 6, 2],
        [0, 6, 3],
      ];
      const rows = randomTable(random, { rowCount: 700, ordinals: 30, spanDays: 30 });
      const once = compact(sealedInPieces(rows, dictionary, random), dictionary, {
        merges: mergePages(merges),
      });
      expectPart(once[0]!, sortedMerged(rows, merges), random);
      // What comes later finds its place among them, rows of who was merged long ago as well.
      merges.push([33, 6, 4], [36, 39, 1]);
      const more = randomTable(random, { rowCount: 300, ordinals: 40, spanDays: 30 });
      const twice = compact([...once, ...sealedInPieces(more, dictionary, random)], dictionary, {
        merges: mergePages(merges),
      });
      expectPart(twice[0]!, sortedMerged([...rows, ...more], merges), random);
      const trail = twice[0]!.trailOf(6)!;
      const origins = Array.from(trail.origins!, (origin) => origin || Infinity);
      const [times, places] = [trail.timesMs, [...origins.keys()].slice(1)];
      const inOrder = places.every((i) => times[i - 1]! < times[i]! || origins[i - 1]! <= origins[i]!);
      expect(inOrder).toBe(true);
      expect(twice[0]!.trailOf(12)!.origins!.every((origin) => origin === 0)).toBe(true);
    }
  });

  it('gives no block when nobody is left', () => {
    const dictionary = new TextDictionary();
    const rows = randomTable(new SeededRandom(1), { rowCount: 50, ordinals: 3, spanDays: 3 });
    const goneOrdinals = Uint32Array.of(0xffffffff);
    expect(compact(seal(rows, dictionary), dictionary, { goneOrdinals })).toEqual([]);
  });

  it('is the same bytes for the same blocks', () => {
    const random = new SeededRandom(3);
    const dictionary = new TextDictionary();
    const rows = randomTable(random, { rowCount: 400, ordinals: 30, spanDays: 300 });
    const blocks = sealedInPieces(rows, dictionary, random);
    expect(compact(blocks, dictionary)[0]!.bytes).toEqual(compact(blocks, dictionary)[0]!.bytes);
  });
});
