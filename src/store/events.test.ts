import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../base/random.ts';
import { EventStore, type EventStoreOptions } from './events.ts';
import { expectPart, type PlainRow, plainRow, randomTable } from './oracle.ts';
import { readTrail, type TrailOptions } from './trail.ts';

function append(store: EventStore, row: PlainRow): void {
  store.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
}

function sealOne(store: EventStore): void {
  for (const _ of store.sealSteps());
}

/** Seals now and then, as a busy thread would. */
function storeOf(rows: readonly PlainRow[], random: SeededRandom, options: EventStoreOptions): EventStore {
  const store = new EventStore(options);
  for (const row of rows) {
    append(store, row);
    if (store.hasFrozen && random.chance(0.02)) sealOne(store);
  }
  return store;
}

/** The trail by definition: a stable sort of the rows in order of arrival. */
function naiveTrail(
  rows: readonly PlainRow[],
  ordinals: readonly number[],
  options: TrailOptions & { readonly limit?: number },
): PlainRow[] {
  const { fromMs = -Infinity, toMs = Infinity, newestFirst = false, limit } = options;
  const rank = (row: PlainRow) =>
    row.ordinal === ordinals[0] ? ordinals.length : ordinals.indexOf(row.ordinal);
  const trail = rows
    .filter((row) => ordinals.includes(row.ordinal) && row.timeMs >= fromMs && row.timeMs < toMs)
    .sort((a, b) => a.timeMs - b.timeMs || rank(a) - rank(b));
  if (newestFirst) trail.reverse();
  return trail.slice(0, limit);
}

const CUTS: EventStoreOptions[] = [
  {},
  { headRowsMax: 100, chunkRows: 256 },
  { headRowsMax: 333, chunkRows: 256, span: 'month' },
  { headRowsMax: 700, chunkRows: 256, span: 'week' },
  { headRowsMax: 50, chunkRows: 256, span: 'day' },
];

describe('event store', () => {
  it.each(CUTS)('gives the same trails however rows are cut: %o', (options) => {
    const random = new SeededRandom(1);
    const rows = randomTable(random, { rowCount: 1500, ordinals: 12, spanDays: 40 });
    const store = storeOf(rows, random, options);
    expect(store.rowCount).toBe(rows.length);
    for (let i = 0; i < 40; i++) {
      const ordinals = [0, 3, 6, 9, 12].filter(() => random.chance(0.6));
      const chosen: TrailOptions = {
        newestFirst: random.chance(0.5),
        ...(random.chance(0.5) ? { limit: random.below(30) } : {}),
        ...(random.chance(0.3) ? { fromMs: random.pick(rows).timeMs } : {}),
        ...(random.chance(0.3) ? { toMs: random.pick(rows).timeMs } : {}),
      };
      const trail = readTrail(store, ordinals, chosen).map(({ part, row, timeMs }) => {
        expect(part.timeAt(row)).toBe(timeMs);
        return plainRow(part, row);
      });
      expect(trail).toEqual(naiveTrail(rows, ordinals, chosen));
    }
  });

  it('keeps every row, in parts that answer like loops over theirs', () => {
    const random = new SeededRandom(2);
    const rows = randomTable(random, { rowCount: 900, ordinals: 30, spanDays: 200 });
    const store = storeOf(rows, random, { headRowsMax: 200, chunkRows: 256 });
    const kept: PlainRow[] = [];
    for (const part of store.parts()) {
      const own = Array.from({ length: part.rowCount }, (_, row) => plainRow(part, row));
      if (own.length > 0) expectPart(part, own, random);
      kept.push(...own);
    }
    const asText = (some: readonly PlainRow[]) => some.map((row) => JSON.stringify(row)).sort();
    expect(asText(kept)).toEqual(asText(rows));
  });

  it('shows rows throughout a seal, and changes nothing when one is abandoned', () => {
    const random = new SeededRandom(3);
    const rows = randomTable(random, { rowCount: 250, ordinals: 5, spanDays: 200 });
    const store = new EventStore({ headRowsMax: 200, chunkRows: 256 });
    for (const row of rows) append(store, row);
    const visible = () => store.parts().reduce((total, part) => total + part.rowCount, 0);
    const abandoned = store.sealSteps();
    for (let i = 0; i < 5; i++) abandoned.next();
    const before = store.parts();
    expect(before.length).toBe(2);
    let steps = 0;
    for (const _ of store.sealSteps()) {
      expect(visible()).toBe(250);
      steps++;
    }
    expect(steps).toBeGreaterThan(10);
    expect(store.hasFrozen).toBe(false);
    expect(store.parts().length).toBeGreaterThan(2);
    while (abandoned.next().done !== true);
    expect(visible()).toBe(250);
    sealOne(store);
    expect(visible()).toBe(250);
  });

  it('orders blocks by window and, in each, by sealing', () => {
    const store = new EventStore({ headRowsMax: 2, span: 'day' });
    const day = (n: number) => Date.UTC(2026, 0, n);
    for (const [ordinal, timeMs] of [
      [0, day(2)],
      [1, day(1)],
      [2, day(1)],
      [3, day(2)],
      [4, day(1)],
    ] as const) {
      store.append(ordinal, 0, timeMs, []);
      if (store.hasFrozen) sealOne(store);
    }
    expect(store.parts().map((part) => part.ordinalAt(0))).toEqual([1, 2, 0, 3, 4]);
  });

  it('drops windows that have ended, and nothing else', () => {
    const store = new EventStore({ headRowsMax: 3, span: 'day' });
    const day = (n: number) => Date.UTC(2026, 0, n);
    for (const timeMs of [day(1), day(2) - 1, day(2), day(1)]) store.append(0, 0, timeMs, []);
    expect(store.dropBefore(day(9))).toBe(0);
    sealOne(store);
    expect(store.dropBefore(day(2) - 1)).toBe(0);
    expect(store.dropBefore(day(2))).toBe(2);
    expect(store.rowCount).toBe(2);
    expect(store.parts().map((part) => part.timeMinMs)).toEqual([day(2), day(1)]);
  });

  it('accounts for its memory by part', () => {
    const random = new SeededRandom(4);
    const store = new EventStore({ headRowsMax: 500 });
    expect(store.memory().blocks).toBe(0);
    for (const row of randomTable(random, { rowCount: 500, ordinals: 5, spanDays: 1 })) append(store, row);
    const full = store.memory();
    sealOne(store);
    const sealed = store.memory();
    expect(sealed.blocks).toBeGreaterThan(0);
    expect(sealed.head).toBeLessThan(full.head);
    expect(sealed.blocks).toBeLessThan(full.head);
    expect(sealed.dictionary).toBe(full.dictionary);
  });
});
