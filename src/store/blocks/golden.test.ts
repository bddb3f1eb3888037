import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Value } from '../../base/value.ts';
import { type PlainRow, plainRow } from '../oracle.ts';
import { TextDictionary } from '../texts/dictionary.ts';
import { Block } from './block.ts';
import { compact, mergePages, type PlainMerge, seal, sorted, sortedMerged } from './testBlocks.ts';

/**
 * Blocks as every version wrote them must be read by every later one. A new version adds its files to those of the old
 * ones: MUSTER_WRITE_GOLDEN=5 npx vitest run src/store/blocks/golden.test.ts
 */
const FILES = [1, 2, 3, 5].flatMap((version) => [
  { version, name: 'sealed' },
  { version, name: 'compacted' },
]);
/** In the blocks that were compacted by versions that know of them. */
const MERGES: readonly PlainMerge[] = [
  [7, 0, 1],
  [14, 0, 2],
  [70, 21, 1],
];
const WRITTEN = process.env.MUSTER_WRITE_GOLDEN;

function fileOf(version: number | string, name: string): string {
  return fileURLToPath(new URL(`golden/version${version}.${name}`, import.meta.url));
}

/** Must stay as they are: they are what the files hold. */
function goldenRows(): readonly PlainRow[] {
  let state = 1;
  const below = (end: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % end;
  };
  return Array.from({ length: 600 }, (_, i) => {
    const product = below(20);
    const properties: [number, Value][] = [[3, `product ${product}`]];
    if (below(50) > 0) properties.push([4, `name ${product >> 1}`]);
    if (product < 15) properties.push([5, product * 1.25]);
    if (i % 3 === 0) properties.push([6, ['text', ['a', i % 4], true, false, -0, 1e300][below(6)]!]);
    properties.push([7, i % 2 === 0 ? `ünique ${i}` : i]);
    if (i % 5 === 0) properties.push([70, [below(3), 'x', true]]);
    return {
      ordinal: below(40) * 7,
      eventCode: [2, 3, 500][i % 3 === 0 ? 0 : below(3)]!,
      timeMs: Date.UTC(2026, 2, 1) + Math.floor(i / 4) * 60_000 + below(2),
      properties,
    };
  });
}

function write(version: string): void {
  const dictionary = new TextDictionary();
  const rows = goldenRows();
  const sealed = seal(rows, dictionary, { sharedProperties: [3, 4, 70] })[0]!;
  const halves = [rows.slice(0, 300), rows.slice(300)].map(
    (half) => seal(half, dictionary, { sharedProperties: [3, 4, 70] })[0]!,
  );
  writeFileSync(fileOf(version, 'sealed'), sealed.bytes);
  const merges = mergePages(MERGES);
  writeFileSync(fileOf(version, 'compacted'), compact(halves, dictionary, { merges })[0]!.bytes);
  const texts = Array.from({ length: dictionary.count }, (_, code) => dictionary.text(code));
  writeFileSync(fileOf(version, 'dictionary.json'), `${JSON.stringify(texts)}\n`);
}

if (WRITTEN !== undefined) write(WRITTEN);

describe('golden blocks', () => {
  it.each(FILES)('are read: $name of version $version', ({ version, name }) => {
    const dictionary = new TextDictionary();
    const texts = JSON.parse(readFileSync(fileOf(version, 'dictionary.json'), 'utf8')) as string[];
    for (const text of texts) dictionary.add(text);
    const block = Block.open(new Uint8Array(readFileSync(fileOf(version, name))), dictionary, name);
    const rows = Array.from({ length: block.rowCount }, (_, row) => plainRow(block, row));
    const isMerged = version >= 3 && name === 'compacted';
    expect(rows).toEqual(isMerged ? sortedMerged(goldenRows(), MERGES) : sorted(goldenRows()));
  });
});
