import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import type { Scalar } from '../../base/value.ts';
import { TraitHeap } from './traitHeap.ts';
import { HEAP_REFS_FROM } from './traitRefs.ts';

it('gives back what was added while others come and go, in about the room that is needed', () => {
  const random = new SeededRandom(2);
  const heap = new TraitHeap();
  const values = new Map<number, string | readonly Scalar[]>();
  const move = (chunk: number) => {
    for (const [ref, value] of [...values]) {
      if (ref >>> 16 !== chunk) continue;
      values.delete(ref);
      values.set(heap.move(ref), value);
    }
  };
  let bytesMost = 0;
  for (let i = 0; i < 30_000; i++) {
    const text = `${random.pick(['', 'é', 'я'])}${random.uint32()}${'x'.repeat(random.pick([0, 0, 40, 50, 60, 128]))}`;
    const value = random.chance(0.1) ? [text, i] : text;
    const ref = heap.add(value);
    expect(ref).toBeGreaterThanOrEqual(HEAP_REFS_FROM);
    values.set(ref, value);
    if (values.size <= 3000) continue;
    const [freed] = values.keys() as Iterable<number> as [number];
    values.delete(freed);
    const emptied = heap.free(freed);
    if (emptied !== undefined) move(emptied);
    bytesMost = Math.max(bytesMost, heap.memoryBytes);
  }
  const read = heap.reader();
  for (const [ref, value] of values) {
    expect(heap.get(ref)).toEqual(value);
    expect(read(ref)).toEqual(value);
  }
  expect(bytesMost).toBeLessThan(3000 * 65 * 2.5);
});

it('holds a value larger than a chunk', () => {
  const heap = new TraitHeap();
  const large = Array.from({ length: 100 }, (_, i) => `${i}`.repeat(900));
  const refs = [heap.add('before'), heap.add(large), heap.add('after')];
  expect(refs.map((ref) => heap.get(ref))).toEqual(['before', large, 'after']);
});

it('compares bytes', () => {
  const heap = new TraitHeap();
  for (const text of ['', 'a', 'straße', 'x'.repeat(62), 'x'.repeat(63), 'x'.repeat(64)]) {
    const ref = heap.add(text);
    expect(heap.equals(ref, Buffer.from(text))).toBe(true);
    for (const other of ['b', `${text}x`, text.slice(1) + text.slice(0, 1)]) {
      expect(heap.equals(ref, Buffer.from(other)), `${text} and ${other}`).toBe(other === text);
    }
  }
});
