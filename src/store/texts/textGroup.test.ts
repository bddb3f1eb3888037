import { describe, expect, it } from 'vitest';
import { OPEN_TEXTS_BYTES_MAX } from '../../base/limits.ts';
import { TextListBuilder } from './localTexts.ts';
import { CODEC, groupEnd, groupText, LAYOUT, openGroup, openGroupsBytes, packGroup } from './textGroup.ts';

const PLACE = { file: 'a test', offset: 0 };

function packed(texts: readonly string[], codec: typeof CODEC.lz4 | typeof CODEC.brotli = CODEC.lz4) {
  const list = new TextListBuilder();
  for (const text of texts) list.add(text);
  return packGroup(list.list(), { from: 0, to: texts.length, firstCode: 0 }, codec);
}

describe('text group', () => {
  it('is laid out by what its texts are alike in', () => {
    const wide = 'x'.repeat(70_000);
    const layouts: [string[], number, number][] = [
      [['12', '7', '0'], LAYOUT.decimals, 1],
      [['12', '07'], LAYOUT.fixed, 2],
      [['é', 'ab'], LAYOUT.fixed, 2],
      [['a', 'bc'], LAYOUT.ended, 0],
      [['', ''], LAYOUT.ended, 0],
      [[wide, wide], LAYOUT.ended, 0],
    ];
    for (const [texts, layout, width] of layouts) {
      const group = packed(texts);
      expect(group).toMatchObject({ layout, width, count: texts.length });
      expect(texts.map((_, i) => groupText(openGroup(group, PLACE), i))).toEqual(texts);
    }
  });

  it('holds no more memory than its bytes, and is stored when that is smaller', () => {
    for (const codec of [CODEC.lz4, CODEC.brotli] as const) {
      const compressed = packed(Array(100).fill('the same words'), codec);
      expect(compressed.codec).toBe(codec);
      expect(packed(['a'], codec).codec).toBe(CODEC.stored);
      for (const { packed: bytes } of [compressed, packed(['a'], codec)]) {
        expect(bytes.buffer.byteLength).toBe(bytes.length);
      }
    }
  });

  it('ends with the text that fills it', () => {
    const list = new TextListBuilder();
    for (const text of ['abc', 'd', 'efghij', '', 'k'.repeat(100), 'l']) list.add(text);
    const ends: number[] = [];
    for (let from = 0; from < 6; from = ends.at(-1)!) ends.push(groupEnd(list.list(), from, 8));
    expect(ends).toEqual([3, 5, 6]);
  });

  it('is kept open within the limit of a thread, the last used always', () => {
    const groups = Array.from({ length: 12 }, (_, i) => packed([`${i}`, 'x'.repeat(1_000_000)]));
    for (const [i, group] of [...groups, ...groups].entries()) {
      expect(groupText(openGroup(group, PLACE), 0)).toBe(String(i % 12));
      expect(openGroupsBytes()).toBeLessThanOrEqual(OPEN_TEXTS_BYTES_MAX);
      expect(openGroup(group, PLACE)).toBe(openGroup(group, PLACE));
    }
    expect(openGroupsBytes()).toBeGreaterThan(OPEN_TEXTS_BYTES_MAX / 2);
  });
});
