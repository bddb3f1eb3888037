import { expect, test } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import type { Part } from '../../store/part.ts';
import { Intervals } from '../intervals.ts';
import { apartSpans } from './apartSpans.ts';

test('spans cover the intervals, and each has one part alone or what several parts share', () => {
  let alone = 0;
  for (let seed = 0; seed < 500; seed++) {
    const random = new SeededRandom(seed);
    const startsMs = [random.below(20)];
    while (startsMs.length < 2 + random.below(12)) startsMs.push(startsMs.at(-1)! + 1 + random.below(20));
    const parts = Array.from({ length: random.below(6) }, () => {
      const timeMinMs = random.below(150);
      return { timeMinMs, timeMaxMs: timeMinMs + random.below(40) };
    });
    const intervals = new Intervals(startsMs);
    const touching = (fromMs: number, toMs: number) =>
      parts.filter(({ timeMinMs, timeMaxMs }) => timeMinMs < toMs && timeMaxMs >= fromMs);
    const spans = apartSpans(parts as unknown as readonly Part[], intervals);
    expect(spans[0]!.fromMs).toBe(startsMs[0]);
    expect(spans.at(-1)!.toMs).toBe(startsMs.at(-1));
    expect(spans.length).toBeLessThanOrEqual(2 * parts.length + 1);
    for (const [i, { fromMs, toMs }] of spans.entries()) {
      expect(startsMs).toContain(fromMs);
      if (i > 0) expect(fromMs).toBe(spans[i - 1]!.toMs);
      const inside = startsMs.filter((startMs) => startMs >= fromMs && startMs < toMs);
      const counts = inside.map(
        (startMs) => touching(startMs, startsMs[startsMs.indexOf(startMs) + 1]!).length,
      );
      const isShared = counts.some((count) => count > 1);
      if (!isShared) expect(touching(fromMs, toMs).length).toBeLessThanOrEqual(1);
      else expect(counts).not.toContain(1);
      alone += isShared ? 0 : 1;
    }
  }
  expect(alone).toBeGreaterThan(500);
});
