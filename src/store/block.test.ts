import { afterEach, describe, expect, it } from 'vitest';
import { DamageError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { useKernels } from '../encoding/kernels/kernels.ts';
import { plainKernels } from '../encoding/kernels/plain.ts';
import { Block } from './block.ts';
import { TextDictionary } from './dictionary.ts';
import { Head } from './head.ts';
import { expectPart, type PlainRow, plainRow, randomTable, type TableShape } from './oracle.ts';
import { sealSteps } from './seal.ts';

const WINDOW = { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2027, 0, 1) };

function seal(rows: readonly PlainRow[], dictionary: TextDictionary, chunkRows = 256): Uint8Array {
  const head = new Head(dictionary);
  for (const row of rows) head.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
  const steps = sealSteps(head, Uint32Array.from(rows.keys()), WINDOW, chunkRows);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

const sorted = (rows: readonly PlainRow[]) =>
  rows.toSorted((a, b) => a.ordinal - b.ordinal || a.timeMs - b.timeMs);

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
      const block = Block.open(seal(rows, dictionary, shape.chunkRows), dictionary, 'test');
      useKernels(seed === 3 ? plainKernels : undefined);
      expectPart(block, sorted(rows), random);
    }
  });

  it('counts more users than it takes at a time', () => {
    const random = new SeededRandom(4);
    const rows = randomTable(random, { rowCount: 20_000, ordinals: 9000, spanDays: 30 });
    const dictionary = new TextDictionary();
    const block = Block.open(seal(rows, dictionary, 65_536), dictionary, 'test');
    const counts = new Uint32Array(27_000);
    block.countByUser(block.selectEvents([1]), counts, Uint32Array.from(counts.keys()));
    const expected = new Uint32Array(27_000);
    for (const row of rows) if (row.eventCode === 1) expected[row.ordinal]!++;
    expect(counts).toEqual(expected);
  });

  it('is the same bytes for the same rows, wherever they lie', () => {
    const rows = randomTable(new SeededRandom(5), { rowCount: 300, ordinals: 20, spanDays: 30 });
    const dictionary = new TextDictionary();
    const bytes = seal(rows, dictionary);
    expect(seal(rows, dictionary)).toEqual(bytes);
    const elsewhere = new Uint8Array(bytes.length + 3);
    elsewhere.set(bytes, 3);
    const block = Block.open(elsewhere.subarray(3), dictionary, 'test');
    expect(plainRow(block, 299)).toEqual(sorted(rows)[299]);
    expect(block.window).toEqual(WINDOW);
    expect(block.memoryBytes).toBeGreaterThanOrEqual(bytes.length);
  });

  it('refuses a dictionary that lacks its texts', () => {
    const rows = randomTable(new SeededRandom(6), { rowCount: 300, ordinals: 20, spanDays: 30 });
    const bytes = seal(rows, new TextDictionary());
    expect(() => Block.open(bytes, new TextDictionary(), 'test')).toThrow(DamageError);
  });

  it('is refused, or gives the right answers, after any damage', () => {
    const random = new SeededRandom(7);
    const rows = randomTable(random, { rowCount: 40, ordinals: 5, spanDays: 30 });
    const expected = sorted(rows);
    const dictionary = new TextDictionary();
    const bytes = seal(rows, dictionary);
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      const damaged = mutated(bytes, random);
      try {
        const block = Block.open(damaged, dictionary, 'test');
        // Only a byte that carries nothing was changed.
        for (let row = 0; row < rows.length; row++) expect(plainRow(block, row)).toEqual(expected[row]);
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(15_000);
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
