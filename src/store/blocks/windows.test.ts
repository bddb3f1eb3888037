import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import { boundariesIn, finer, WINDOW_SPANS, type WindowSpan, windowOf } from './windows.ts';

const texts = (time: string, span: WindowSpan) => {
  const { startMs, endMs } = windowOf(Date.parse(time), span);
  return [new Date(startMs).toISOString().slice(0, 10), new Date(endMs).toISOString().slice(0, 10)];
};

describe('windows', () => {
  it('are calendar spans in UTC', () => {
    expect(texts('2026-11-20T23:59:59.999Z', 'day')).toEqual(['2026-11-20', '2026-11-21']);
    expect(texts('2024-02-29T10:00:00Z', 'month')).toEqual(['2024-02-01', '2024-03-01']);
    expect(texts('2026-12-31T10:00:00Z', 'quarter')).toEqual(['2026-10-01', '2027-01-01']);
    expect(texts('1969-05-31T10:00:00Z', 'quarter')).toEqual(['1969-04-01', '1969-07-01']);
    expect(texts('2026-11-20T23:59:00Z', 'dekad')).toEqual(['2026-11-11', '2026-11-21']);
    expect(texts('2026-12-31T10:00:00Z', 'dekad')).toEqual(['2026-12-21', '2027-01-01']);
    expect(texts('2026-11-11T00:00:00Z', 'pentad')).toEqual(['2026-11-11', '2026-11-16']);
    expect(texts('2024-02-29T10:00:00Z', 'pentad')).toEqual(['2024-02-26', '2024-03-01']);
    expect(texts('2026-11-20T10:00:00Z', 'year')).toEqual(['2026-01-01', '2027-01-01']);
    expect(texts('1969-05-31T10:00:00Z', 'decade')).toEqual(['1960-01-01', '1970-01-01']);
  });

  it('meet without gap or overlap, from one end of time to the other', () => {
    const random = new SeededRandom(1);
    for (const span of WINDOW_SPANS) {
      for (let i = 0; i < 500; i++) {
        const timeMs = Math.floor((random.fraction() * 2 - 1) * random.pick([2e12, 8.6e15]));
        const { startMs, endMs } = windowOf(timeMs, span);
        expect(startMs <= timeMs && timeMs < endMs).toBe(true);
        expect(windowOf(endMs - 1, span)).toEqual({ startMs, endMs });
        expect(windowOf(endMs, span).startMs).toBe(endMs);
      }
    }
  });

  it('are made of whole windows of the next finer span', () => {
    const random = new SeededRandom(2);
    for (const span of WINDOW_SPANS) {
      const fine = finer(span);
      if (fine === undefined) continue;
      const window = windowOf(Math.floor((random.fraction() * 2 - 1) * 2e12), span);
      const boundariesMs = boundariesIn(window, fine);
      expect(boundariesMs[0]).toBe(window.startMs);
      expect(boundariesMs.at(-1)).toBe(window.endMs);
      boundariesMs.slice(1).forEach((endMs, i) => {
        expect(windowOf(boundariesMs[i]!, fine)).toEqual({ startMs: boundariesMs[i], endMs });
      });
    }
  });

  it('are cut short at the ends of time', () => {
    for (const span of WINDOW_SPANS) {
      for (const timeMs of [-8.64e15, 8.64e15]) {
        const { startMs, endMs } = windowOf(timeMs, span);
        expect(startMs <= timeMs && timeMs < endMs).toBe(true);
        expect(endMs - startMs).toBeLessThanOrEqual(3653 * DAY_MS);
      }
    }
  });
});
