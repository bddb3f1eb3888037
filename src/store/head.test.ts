import { describe, expect, it } from 'vitest';
import { AssertionError } from '../base/assert.ts';
import { SeededRandom } from '../base/random.ts';
import { arraysOf, type SealJob, sendableSteps } from './blocks/blockJob.ts';
import { finished, run, seal, YEAR } from './blocks/testBlocks.ts';
import { Head } from './head.ts';
import { expectPart, randomTable } from './oracle.ts';
import { TextDictionary } from './texts/dictionary.ts';

const JOB = {
  boundariesMs: [YEAR.startMs, YEAR.endMs],
  chunkRows: 256,
  ownTextsOnly: false,
  sharedProperties: [],
};

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

  it('accounts for the bytes of its arrays, which are free when it is released', () => {
    const rows = randomTable(new SeededRandom(2), { rowCount: 40_000, ordinals: 9, spanDays: 200 });
    const head = new Head();
    for (const row of rows) head.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
    const { memoryBytes } = head;
    expect(memoryBytes).toBeGreaterThan(4e6);
    const before = process.memoryUsage().arrayBuffers;
    finished(head.releaseSteps());
    const freedBytes = before - process.memoryUsage().arrayBuffers;
    // What is smaller than 64 KiB, and is no array, is left to the collector.
    expect(freedBytes).toBeGreaterThan(memoryBytes - 2e5);
  });

  it('gives rows to send that are its own, and a seal of them comes to the same', () => {
    const rows = randomTable(new SeededRandom(3), { rowCount: 700, ordinals: 40, spanDays: 200 });
    const head = new Head();
    for (const row of rows) head.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
    const job: SealJob = { kind: 'seal', head: head.rows(), ...JOB };
    const sent = finished(sendableSteps(job)) as SealJob;
    expect(sent).toEqual(job);
    const buffers = new Set(arraysOf(job).map(({ buffer }) => buffer));
    for (const { buffer } of arraysOf(sent)) {
      expect(buffers.has(buffer)).toBe(false);
      buffers.add(buffer);
    }
    const dictionary = new TextDictionary();
    const [block] = seal(rows, dictionary);
    expect(run(sent, new TextDictionary()).map(({ bytes }) => bytes)).toEqual([block!.bytes]);
  });

  it('is not released while a fork has it', () => {
    const head = new Head();
    head.share();
    expect(() => finished(head.releaseSteps())).toThrow(AssertionError);
  });

  it('is empty at first', () => {
    const head = new Head();
    expect([head.timeMinMs, head.timeMaxMs, head.rowCount]).toEqual([Infinity, -Infinity, 0]);
    expect([...head.selectEvents(undefined)]).toEqual([]);
  });
});
