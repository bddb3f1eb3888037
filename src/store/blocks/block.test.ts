import { afterEach, describe, expect, it } from 'vitest';
import { DamageError } from '../../base/errors.ts';
import { SeededRandom } from '../../base/random.ts';
import { Chunk } from '../../encoding/chunk.ts';
import { useKernels } from '../../encoding/kernels/chosen.ts';
import { plainKernels } from '../../encoding/kernels/plain.ts';
import { expectPart, plainRow, randomTable, type TableShape } from '../oracle.ts';
import { TextDictionary } from '../texts/dictionary.ts';
import { Block } from './block.ts';
import { readBlock } from './blockDirectory.ts';
import { headerChecksum, VERSION } from './blockFormat.ts';
import { compact, mergePages, type PlainMerge, seal, sorted, sortedMerged, YEAR } from './testBlocks.ts';

/** A long run by hand sets it to a million. */
const MUTATIONS = Number(process.env.MUSTER_MUTATIONS ?? 10_000);

afterEach(() => useKernels());

describe('block', () => {
  const shapes: (TableShape & { readonly chunkRows?: number })[] = [
    { rowCount: 1, ordinals: 1, spanDays: 1 },
    { rowCount: 33, ordinals: 1, spanDays: 10 },
    { rowCount: 500, ordinals: 400, spanDays: 300 },
    { rowCount: 512, ordinals: 9, spanDays: 1 },
    { rowCount: 1500, ordinals: 50, spanDays: 300 },
    { rowCount: 1500, ordinals: 50, spanDays: 300, chunkRows: 65_536 },
  ];
  it.each(shapes)('answers like a loop over its sorted rows: %o', (shape) => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = new SeededRandom(seed);
      const rows = randomTable(random, shape);
      const dictionary = new TextDictionary();
      const [block] = seal(rows, dictionary, { chunkRows: shape.chunkRows ?? 256 });
      useKernels(seed === 3 ? plainKernels : undefined);
      expectPart(block!, sorted(rows), random);
    }
  });

  it('counts more users than it takes at a time', () => {
    const random = new SeededRandom(4);
    const rows = randomTable(random, { rowCount: 20_000, ordinals: 9000, spanDays: 30 });
    const dictionary = new TextDictionary();
    const [block] = seal(rows, dictionary, { chunkRows: 65_536 });
    const counts = new Uint32Array(27_000);
    block!.countByOrdinal(block!.selectEvents([1]), counts);
    const expected = new Uint32Array(27_000);
    for (const row of rows) if (row.eventCode === 1) expected[row.ordinal]!++;
    expect(counts).toEqual(expected);
  });

  it('is the same bytes for the same rows, wherever they lie', () => {
    const rows = randomTable(new SeededRandom(5), { rowCount: 300, ordinals: 20, spanDays: 30 });
    const dictionary = new TextDictionary();
    const { bytes } = seal(rows, dictionary)[0]!;
    expect(seal(rows, dictionary)[0]!.bytes).toEqual(bytes);
    const elsewhere = new Uint8Array(bytes.length + 3);
    elsewhere.set(bytes, 3);
    const block = Block.open(elsewhere.subarray(3), dictionary, 'test');
    expect(plainRow(block, 299)).toEqual(sorted(rows)[299]);
    expect(block.window).toEqual(YEAR);
    expect(block.memoryBytes).toBeGreaterThanOrEqual(bytes.length);
  });

  it('refuses a dictionary that lacks its texts', () => {
    const rows = randomTable(new SeededRandom(6), { rowCount: 600, ordinals: 20, spanDays: 30 });
    const { bytes } = seal(rows, new TextDictionary())[0]!;
    expect(() => Block.open(bytes, new TextDictionary(), 'test')).toThrow(DamageError);
  });

  it(
    'is refused, or gives the right answers, after any damage',
    () => {
      const random = new SeededRandom(7);
      const rows = randomTable(random, { rowCount: 60, ordinals: 5, spanDays: 30 });
      const dictionary = new TextDictionary();
      const [sealed] = seal(rows, dictionary, { ownTextsOnly: true });
      const merges: readonly PlainMerge[] = [
        [3, 0, 1],
        [6, 0, 2],
        [9, 12, 1],
      ];
      const kinds = [
        { block: sealed!, expected: sorted(rows) },
        { block: compact([sealed!], dictionary)[0]!, expected: sorted(rows) },
        {
          block: compact([sealed!], dictionary, { merges: mergePages(merges) })[0]!,
          expected: sortedMerged(rows, merges),
        },
      ];
      let refused = 0;
      for (let i = 0; i < MUTATIONS; i++) {
        const { block: whole, expected } = kinds[i % kinds.length]!;
        const damaged = mutated(whole.bytes, random);
        try {
          const block = Block.open(damaged, dictionary, 'test');
          // What was written over was the same.
          for (let row = 0; row < rows.length; row++) expect(plainRow(block, row)).toEqual(expected[row]);
        } catch (error) {
          if (!(error instanceof DamageError)) throw error;
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(MUTATIONS * 0.9);
    },
    60_000 + MUTATIONS,
  );

  it('is refused when a chunk lies where another belongs', () => {
    const timesMs = [...Array(64).keys()].map((i) => YEAR.startMs + 1000 * i);
    const rows = timesMs.map((timeMs) => ({ ordinal: 0, eventCode: 1, timeMs, properties: [] }));
    const dictionary = new TextDictionary();
    const [{ bytes }] = seal(rows, dictionary, { chunkRows: 32 }) as [Block];
    const { offset, byteLength } = readBlock(bytes, 'test').times;
    const half = byteLength / 2;
    expect(new Chunk(bytes, offset, 'test', { trusted: true }).byteLength).toBe(half);
    const swapped = bytes.slice();
    swapped.copyWithin(offset, offset + half, offset + byteLength);
    expect(() => Block.open(swapped, dictionary, 'test')).toThrow(DamageError);
    swapped.set(bytes.subarray(offset, offset + half), offset + half);
    expect(() => Block.open(swapped, dictionary, 'test')).toThrow(DamageError);
  });

  it('is refused when it says that it is of another version', () => {
    const dictionary = new TextDictionary();
    const rows = randomTable(new SeededRandom(9), { rowCount: 60, ordinals: 5, spanDays: 30 });
    const [{ bytes }] = seal(rows, dictionary) as [Block];
    for (let version = 0; version < 7; version++) {
      const other = bytes.slice();
      other[8] = version;
      if (version !== VERSION) expect(() => Block.open(other, dictionary, 'test')).toThrow(DamageError);
    }
  });

  it('is refused, or can be read, when its directory lies under a checksum that fits', () => {
    const random = new SeededRandom(8);
    const rows = randomTable(random, { rowCount: 60, ordinals: 5, spanDays: 30 });
    const dictionary = new TextDictionary();
    const [sealed] = seal(rows, dictionary);
    const { bytes } = compact([sealed!], dictionary, { merges: mergePages([[3, 0, 1]]) })[0]!;
    const directoryEnd = readBlock(bytes, 'test').directoryBytes;
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const forged = bytes.slice();
      for (let n = random.below(3); n >= 0; n--) {
        forged[16 + random.below(directoryEnd - 16)]! ^= 1 + random.below(255);
      }
      new DataView(forged.buffer).setUint32(12, headerChecksum(forged, directoryEnd), true);
      try {
        const block = Block.open(forged, dictionary, 'test');
        for (let row = 0; row < block.rowCount; row++) plainRow(block, row);
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(2000);
  });
});

/** One to four bytes changed, a piece cut off or added, or a stretch copied elsewhere. */
function mutated(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const kind = random.below(10);
  if (kind === 0) return bytes.slice(0, random.below(bytes.length));
  if (kind === 1) return new Uint8Array(Buffer.concat([bytes, random.bytes(1 + random.below(16))]));
  const copy = bytes.slice();
  if (kind === 2) {
    const from = random.below(bytes.length);
    copy.copyWithin(random.below(bytes.length), from, from + 1 + random.below(64));
  } else {
    for (let n = random.below(4); n >= 0; n--) copy[random.below(copy.length)]! ^= 1 + random.below(255);
  }
  return copy;
}
