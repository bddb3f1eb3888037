import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamageError } from '../../base/errors.ts';
import { SeededRandom } from '../../base/random.ts';
import { type TextList, TextListBuilder, textAt, textCount } from './localTexts.ts';
import { anyText, columnTexts, wellFormed } from './testTexts.ts';
import { encodeTextHeapSteps, type HeapEffort, TextHeap } from './textHeap.ts';

const EFFORTS: readonly HeapEffort[] = ['fast', 'small'];
const PLACE = { file: 'a test', offset: 64 };

function finished<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function listOf(texts: readonly string[]): TextList {
  const builder = new TextListBuilder();
  for (const text of texts) builder.add(text);
  return builder.list();
}

function heapOf(texts: readonly string[], effort: HeapEffort): Uint8Array {
  return finished(encodeTextHeapSteps(listOf(texts), effort));
}

function textsOf(list: TextList): string[] {
  return Array.from({ length: textCount(list) }, (_, i) => textAt(list, i));
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

describe('text heap', () => {
  it.each(EFFORTS)('gives back any list, %s', (effort) => {
    fc.assert(
      fc.property(fc.array(anyText), (texts) => {
        const kept = texts.map(wellFormed);
        const heap = new TextHeap(heapOf(texts, effort), PLACE);
        expect(heap.count).toBe(texts.length);
        expect(kept.map((_, code) => heap.text(code))).toEqual(kept);
        for (const text of [...texts, 'no such text']) {
          const first = kept.indexOf(text);
          expect(heap.find(text)).toBe(first === -1 ? undefined : first);
        }
        expect(textsOf(finished(heap.listSteps()))).toEqual(kept);
      }),
    );
  });

  it.each(EFFORTS)('reads columns of many groups in place from shared memory, %s', (effort) => {
    for (const [kind, texts] of Object.entries(columnTexts(1))) {
      const kept = texts.map(wellFormed);
      const bytes = shared(heapOf(texts, effort));
      expect(bytes.length % 8).toBe(0);
      const heap = new TextHeap(bytes, PLACE);
      expect(textsOf(finished(heap.listSteps())), kind).toEqual(kept);
      for (let code = texts.length - 1; code >= 0; code -= 37) expect(heap.text(code)).toBe(kept[code]);
      expect(heap.memoryBytes).toBeGreaterThanOrEqual(bytes.length);
    }
  });

  it('takes fewer bytes than the texts, ids and decimals included', () => {
    const { hex, decimals, subjects } = columnTexts(2);
    const share = (texts: readonly string[], effort: HeapEffort) =>
      heapOf(texts, effort).length / listOf(texts).bytes.length;
    expect(share(hex!, 'small')).toBeLessThan(0.5);
    expect(share(decimals!, 'small')).toBeLessThan(0.47);
    expect(share(decimals!, 'fast')).toBeLessThan(0.48);
    expect(share(subjects!, 'small')).toBeLessThan(share(subjects!, 'fast'));
    expect(share(subjects!, 'fast')).toBeLessThan(1);
  });

  it('asks a predicate once per text, as text and as array apart', () => {
    const texts = columnTexts(3).long!;
    const heap = new TextHeap(heapOf(texts, 'small'), PLACE);
    let askCount = 0;
    const predicate = { missing: false, test: (value: unknown) => ++askCount > 0 && Array.isArray(value) };
    for (let i = 0; i < 2; i++) {
      expect(finished(heap.tableSteps(predicate, { asArray: true }))).toEqual(
        new Uint8Array(texts.length).fill(1),
      );
      expect(finished(heap.tableSteps(predicate, { asArray: false }))).toEqual(new Uint8Array(texts.length));
      expect(heap.arrayTest(predicate)(5)).toBe(true);
    }
    expect(askCount).toBe(texts.length * 2);
  });

  it('answers DamageError, or something, whatever bytes are changed', () => {
    const random = new SeededRandom(4);
    let damageCount = 0;
    for (const texts of Object.values(columnTexts(5)).filter(({ length }) => length > 3)) {
      for (const effort of EFFORTS) {
        const intact = heapOf(texts.slice(0, 400), effort);
        for (let i = 0; i < 100; i++) {
          const bytes = shared(intact);
          // Headers decide most, so half of the changes are there.
          const at = random.below(random.chance(0.5) ? Math.min(40, bytes.length) : bytes.length);
          bytes[at]! ^= 1 << random.below(8);
          const cut = random.chance(0.1) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
          damageCount += isDamaged(cut) ? 1 : 0;
        }
      }
    }
    expect(damageCount).toBeGreaterThan(300);
  });

  it('refuses counts and sizes that would take much memory', () => {
    const intact = heapOf(['a', 'bc', ''], 'fast');
    for (const at of [0, 4, 8, 12, 16]) {
      const bytes = Uint8Array.from(intact);
      new DataView(bytes.buffer).setUint32(at, 0xfffffff0, true);
      expect(() => new TextHeap(bytes, PLACE)).toThrow(DamageError);
    }
  });
});

/** Any other error than damage fails the test. */
function isDamaged(bytes: Uint8Array): boolean {
  try {
    textsOf(finished(new TextHeap(bytes, PLACE).listSteps()));
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(DamageError);
    expect(error).toMatchObject(PLACE);
    return true;
  }
}
