import { describe, expect, it } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import { SeededRandom } from '../base/random.ts';
import { Head } from './head.ts';
import { expectPart, randomTable } from './oracle.ts';

describe('head', () => {
  it('answers like a loop over its rows, while it grows', () => {
    const random = new SeededRandom(1);
    const head = new Head();
    const rows = randomTable(random, { rowCount: 600, ordinals: 40, spanDays: 200 });
    rows.forEach((row, i) => {
      head.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
      if ([0, 255, 599].includes(i)) expectPart(head, rows.slice(0, i + 1), random);
    });
  });

  it('has snapshots that stay as they are while it grows', () => {
    const random = new SeededRandom(2);
    const head = new Head();
    const rows = randomTable(random, { rowCount: 600, ordinals: 40, spanDays: 200 });
    const snapshots: { readonly head: Head; readonly rowCount: number }[] = [];
    for (const [i, row] of rows.entries()) {
      head.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
      if (i % 37 === 0) snapshots.push({ head: head.snapshot(), rowCount: i + 1 });
    }
    for (const snapshot of snapshots) expectPart(snapshot.head, rows.slice(0, snapshot.rowCount), random);
    expectPart(head, rows, random);
  });

  it('takes properties in any order, but each once', () => {
    const head = new Head();
    head.append(0, 0, 0, [
      [5, 'b'],
      [2, 'a'],
    ]);
    expect(head.propertiesAt(0)).toEqual([
      [2, 'a'],
      [5, 'b'],
    ]);
    expect(() =>
      head.append(0, 0, 0, [
        [2, 1],
        [2, 2],
      ]),
    ).toThrow(AssertionError);
  });

  it('is full at its limit, and takes no more', () => {
    const head = new Head(2);
    head.append(0, 0, 0, []);
    expect(head.isFull).toBe(false);
    head.append(0, 0, 0, []);
    expect(head.isFull).toBe(true);
    expect(() => head.append(0, 0, 0, [])).toThrow(AssertionError);
  });

  it('is empty at first', () => {
    const head = new Head();
    expect([head.timeMinMs, head.timeMaxMs, head.rowCount]).toEqual([Infinity, -Infinity, 0]);
    expect([...head.selectEvents(undefined)]).toEqual([]);
  });
});
