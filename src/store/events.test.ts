import { beforeAll, describe, expect, it } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { initHash } from '../base/hash.ts';
import { SeededRandom } from '../base/random.ts';
import { Block } from './blocks/block.ts';
import { runBlockJob } from './blocks/runBlockJob.ts';
import { finished } from './blocks/testBlocks.ts';
import { EventStore, type EventStoreOptions, type StoreJob, type StoreJobOptions } from './events.ts';
import { expectPart, type PlainRow, plainRow, randomTable } from './oracle.ts';
import { readTrail, type TrailOptions } from './trail.ts';
import { Users } from './users.ts';

beforeAll(initHash);

function append(store: EventStore, row: PlainRow): void {
  store.append(row.ordinal, row.eventCode, row.timeMs, row.properties);
}

/** Does the next job; false when there was none. */
function writeOne(store: EventStore, options?: Partial<StoreJobOptions>): boolean {
  const steps = store.writeSteps({ ...QUIET, quiet: false, ...options });
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function nextJob(store: EventStore, quiet: boolean): StoreJob | undefined {
  return store.nextJob({ ...QUIET, quiet });
}

const QUIET: StoreJobOptions = {
  quiet: true,
  retentionMs: undefined,
  gone: 0,
  users: 100,
  goneOrdinals: () => new Uint32Array(0),
  merged: 0,
  merges: () => [],
};

/** Blocks by the start of their window. */
function blocksOf(store: EventStore): Map<number, Block[]> {
  const blocks = new Map<number, Block[]>();
  for (const part of store.parts()) {
    if (!(part instanceof Block)) continue;
    const { startMs } = part.window;
    blocks.set(startMs, [...(blocks.get(startMs) ?? []), part]);
  }
  return blocks;
}

/** Seals and compacts now and then, as a busy thread would. */
function storeOf(rows: readonly PlainRow[], random: SeededRandom, options: EventStoreOptions): EventStore {
  const store = new EventStore(options);
  for (const row of rows) {
    append(store, row);
    if (random.chance(0.05)) writeOne(store);
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
  { headRowsMax: 333, chunkRows: 256, windowRowsMax: 500 },
  { headRowsMax: 700, chunkRows: 256, windowRowsMax: 100 },
  { headRowsMax: 30, chunkRows: 256, windowRowsMax: 200 },
  { headRowsMax: 20, chunkRows: 256, windowRowsMax: 60 },
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

  it('shows rows throughout a job, and changes nothing when one is dropped', () => {
    const random = new SeededRandom(3);
    const rows = randomTable(random, { rowCount: 250, ordinals: 5, spanDays: 200 });
    const store = new EventStore({ headRowsMax: 200, chunkRows: 256 });
    for (const row of rows) append(store, row);
    const visible = () => store.parts().reduce((total, part) => total + part.rowCount, 0);
    const dropped = store.writeSteps();
    for (let i = 0; i < 5; i++) dropped.next();
    expect(blocksOf(store).size).toBe(0);
    let steps = 0;
    for (const _ of store.writeSteps()) {
      expect(visible()).toBe(250);
      steps++;
    }
    expect(steps).toBeGreaterThan(10);
    expect(blocksOf(store).size).toBe(1);
    // It comes too late.
    while (dropped.next().done !== true);
    expect(visible()).toBe(250);
    expect(writeOne(store)).toBe(false);
    expect(visible()).toBe(250);
  });

  it('says when it is behind', () => {
    const store = new EventStore({ headRowsMax: 2 });
    for (let i = 0; i < 4; i++) {
      expect(store.isBehind).toBe(false);
      store.append(0, 0, i, []);
    }
    expect(store.isBehind).toBe(true);
    writeOne(store);
    expect(store.isBehind).toBe(false);
  });

  it('cuts dense windows finer, joins sparse ones that are past, and keeps few blocks in each', () => {
    const store = new EventStore({ headRowsMax: 50, chunkRows: 256, windowRowsMax: 400 });
    const dayMs = Date.UTC(2026, 0, 2) - Date.UTC(2026, 0, 1);
    const startMs = Date.UTC(2021, 0, 1);
    let timeMs = startMs;
    let appended = 0;
    const random = new SeededRandom(5);
    /** Rows so far apart, until a date. */
    const fill = (untilMs: number, gapMs: number) => {
      for (; timeMs < untilMs; timeMs += gapMs) {
        const isLate = random.chance(0.01);
        store.append(random.below(20), 0, isLate ? startMs + random.below(timeMs - startMs + 1) : timeMs, []);
        if (++appended % 50 !== 0) continue;
        while (writeOne(store));
        for (const blocks of blocksOf(store).values()) expect(blocks.length).toBeLessThanOrEqual(4);
      }
    };
    /** Lengths in days of the windows that begin in these years. */
    const windows = (fromYear: number, toYear: number) =>
      [...blocksOf(store).values()].flatMap(([block]) => {
        const { startMs: fromMs, endMs } = block!.window;
        const year = new Date(fromMs).getUTCFullYear();
        return year < fromYear || year > toYear ? [] : [(endMs - fromMs) / dayMs];
      });
    fill(Date.UTC(2022, 0, 1), 20 * dayMs);
    store.freeze();
    while (writeOne(store));
    expect(windows(2020, 2020)).toEqual([3653]);
    fill(Date.UTC(2022, 3, 1), dayMs / 40);
    expect(Math.max(...windows(2022, 2022))).toBeLessThanOrEqual(31);
    expect(windows(2022, 2022).length).toBeGreaterThan(10);
    fill(Date.UTC(2040, 0, 1), 10 * dayMs);
    expect(windows(2024, 2029)).toEqual([366, 365, 365, 365, 366, 365]);
    expect(windows(2030, 2038).length).toBeLessThan(20);
    expect(store.rewrites).toBeLessThan(2);
  });

  it('cuts a window as soon as it shows that it will have too many rows, so that little is written at once', () => {
    const windowRowsMax = 4000;
    const store = new EventStore({ headRowsMax: windowRowsMax / 16, chunkRows: 256, windowRowsMax });
    const dayMs = Date.UTC(2026, 0, 2) - Date.UTC(2026, 0, 1);
    const random = new SeededRandom(8);
    /** At the most, of any compaction and of those that cut. */
    const mostRows = { any: 0, cut: 0 };
    /** Everything there is to write. */
    const writeAll = (quiet: boolean) => {
      for (let job = nextJob(store, quiet); job !== undefined; job = nextJob(store, quiet)) {
        if (!('head' in job.work)) {
          const { sources, windows } = job.work;
          const rows = sources.reduce((sum, { block }) => sum + block.rowCount, 0);
          mostRows.any = Math.max(mostRows.any, rows);
          if (windows.length > 1) mostRows.cut = Math.max(mostRows.cut, rows);
        }
        finished(store.adoptSteps(job, finished(runBlockJob(job.job))));
      }
    };
    // 90 rows a day: a quarter would be too much, a month is not.
    for (let i = 0; i < 90 * 365; i++) {
      store.append(random.below(20), 0, Date.UTC(2025, 0, 1) + (i * dayMs) / 90, []);
      if (store.isBehind) writeAll(false);
    }
    writeAll(true);
    expect(mostRows.cut).toBeGreaterThan(0);
    expect(mostRows.cut).toBeLessThan(windowRowsMax / 2);
    expect(mostRows.any).toBeLessThan(windowRowsMax);
    expect([...blocksOf(store).values()].map((blocks) => blocks.length)).toEqual(new Array(12).fill(1));
    expect(store.rewrites).toBeLessThanOrEqual(2);
  });

  it('gives a sealed head back once, and never one that a fork has', () => {
    const store = new EventStore({ headRowsMax: 3 });
    for (let i = 0; i < 6; i++) store.append(0, 0, i, []);
    const first = nextJob(store, false)!;
    const result = finished(runBlockJob(first.job));
    const sealed = finished(store.adoptSteps(first, result));
    expect(sealed?.rowCount).toBe(3);
    expect(finished(store.adoptSteps(first, result))).toBe(undefined);
    const fork = store.fork();
    for (const each of [store, fork]) {
      const job = nextJob(each, false)!;
      expect(finished(each.adoptSteps(job, finished(runBlockJob(job.job))))).toBe(undefined);
    }
    expect([store.rowCount, fork.rowCount]).toEqual([6, 6]);
  });

  it('is tidied when it is quiet, and then left alone', () => {
    const random = new SeededRandom(6);
    const store = new EventStore({ headRowsMax: 50, chunkRows: 256 });
    for (const row of randomTable(random, { rowCount: 140, ordinals: 9, spanDays: 20 })) append(store, row);
    while (writeOne(store));
    expect([...blocksOf(store).values()].map(({ length }) => length)).toEqual([2]);
    while (writeOne(store, { quiet: true }));
    expect([...blocksOf(store).values()].map(({ length }) => length)).toEqual([1]);
    expect(store.headRowCount).toBe(40);
    store.freezeIfWorth();
    expect(store.headRowCount).toBe(40);
    expect(store.rewrites).toBe(1);
  });

  it('forgets the rows of those who left, at once when they are many, else when it is quiet', () => {
    const gone = { gone: 1, goneOrdinals: () => Uint32Array.of(1 << 3) };
    const storeOfTwo = () => {
      const store = new EventStore({ headRowsMax: 4 });
      for (let i = 0; i < 4; i++) store.append(i % 2 === 0 ? 3 : 4, 0, i, []);
      writeOne(store);
      return store;
    };
    const many = storeOfTwo();
    expect(writeOne(many, { ...gone, users: 4 })).toBe(true);
    expect(many.rowCount).toBe(2);
    expect(many.parts().map((part) => part.trailOf(3))).toEqual([undefined, undefined]);
    const few = storeOfTwo();
    expect(writeOne(few, gone)).toBe(false);
    expect(writeOne(few, { ...gone, quiet: true })).toBe(true);
    expect(few.rowCount).toBe(2);
    expect(writeOne(few, { ...gone, quiet: true })).toBe(false);
  });

  it('drops windows that have ended, and nothing else', () => {
    const store = new EventStore({ headRowsMax: 3 });
    const retentionMs = 4 * (Date.UTC(2026, 0, 2) - Date.UTC(2026, 0, 1));
    const day = (n: number) => Date.UTC(2026, 0, n);
    for (const timeMs of [day(1), day(2) - 1, day(2), day(1)]) store.append(0, 0, timeMs, []);
    expect(store.dropBefore(day(9))).toBe(0);
    writeOne(store, { retentionMs });
    expect(store.dropBefore(day(2) - 1)).toBe(0);
    expect(store.dropBefore(day(2))).toBe(2);
    expect(store.rowCount).toBe(2);
    expect(store.parts().map((part) => part.timeMinMs)).toEqual([day(2), day(1)]);
  });

  it('forks: both go their own way from the same rows', () => {
    const random = new SeededRandom(7);
    const rows = randomTable(random, { rowCount: 300, ordinals: 9, spanDays: 20 });
    const options = { headRowsMax: 70, chunkRows: 256 };
    const store = storeOf(rows, random, options);
    const fork = store.fork();
    const late = randomTable(random, { rowCount: 100, ordinals: 9, spanDays: 20 });
    for (const row of late) {
      append(fork, row);
      if (random.chance(0.1)) writeOne(random.chance(0.5) ? store : fork);
    }
    while (writeOne(fork, { quiet: true }));
    const trailOf = (some: EventStore) => readTrail(some, [3]).map(({ part, row }) => plainRow(part, row));
    expect(trailOf(store)).toEqual(naiveTrail(rows, [3], {}));
    expect(trailOf(fork)).toEqual(naiveTrail([...rows, ...late], [3], {}));
  });

  it('accounts for its memory by part', () => {
    const random = new SeededRandom(4);
    const store = new EventStore({ headRowsMax: 500 });
    expect(store.memory().blocks).toBe(0);
    for (const row of randomTable(random, { rowCount: 500, ordinals: 5, spanDays: 1 })) append(store, row);
    const full = store.memory();
    writeOne(store);
    const sealed = store.memory();
    expect(sealed.blocks).toBeGreaterThan(0);
    expect(sealed.head).toBeLessThan(full.head);
    expect(sealed.blocks).toBeLessThan(full.head);
  });
});

const KNOWN = 4;
const INSTANTS = 12;
const DAY_MS = 86_400_000;

/** A store and its users, and all rows in order of arrival. Row n has n as its property 0. */
class MergingTablet {
  readonly #random: SeededRandom;
  readonly #users = new Users();
  readonly #rows: PlainRow[] = [];
  #store: EventStore;
  #job: Generator<void, boolean> | undefined;

  constructor(random: SeededRandom, options: EventStoreOptions) {
    this.#random = random;
    this.#store = new EventStore(options);
    for (let i = 0; i < KNOWN; i++) this.#users.ensure({ known: true, id: `u${i}` });
  }

  get store(): EventStore {
    return this.#store;
  }

  /** Of any user who is here; now and then of a merged one, as when a transfer's pieces arrive. */
  append(): void {
    const random = this.#random;
    if (random.chance(0.1)) this.#users.ensure({ known: false, id: `a${this.#rows.length}` });
    const ordinal = random.below(this.#users.count);
    if (this.#users.isGone(ordinal) || this.#store.isBehind) return;
    const timeMs = Date.UTC(2026, 0, 20) + random.below(INSTANTS) * DAY_MS * 5;
    const row: PlainRow = { ordinal, eventCode: 0, timeMs, properties: [[0, this.#rows.length]] };
    this.#rows.push(row);
    this.#users.noteEvent(ordinal, timeMs);
    append(this.#store, row);
  }

  merge(): void {
    const anonymous = this.#canonical().filter((ordinal) => !this.#users.refOf(ordinal).known);
    const known = this.#canonical().filter((ordinal) => this.#users.refOf(ordinal).known);
    if (anonymous.length > 0) this.#users.merge(this.#random.pick(anonymous), this.#random.pick(known));
  }

  /** Somebody leaves, and all merged into them; a known user comes again. */
  drop(): void {
    const ordinal = this.#random.pick(this.#canonical());
    const user = this.#users.refOf(ordinal);
    this.#users.drop(ordinal);
    if (user.known) this.#users.ensure(user);
  }

  /** Goes on with a job, to its end or not, or begins one. */
  write(): void {
    this.#job ??= this.#store.writeSteps({
      ...QUIET,
      quiet: this.#random.chance(0.5),
      users: this.#users.count,
      gone: this.#users.goneCount,
      goneOrdinals: () => this.#users.goneOrdinals(),
      merged: this.#users.merges.count,
      merges: () => this.#users.merges.list(),
    });
    const steps = this.#random.chance(0.5) ? Infinity : this.#random.below(40);
    for (let i = 0; i < steps; i++) {
      if (this.#job.next().done !== true) continue;
      this.#job = undefined;
      return;
    }
  }

  fork(): void {
    this.#store = this.#store.fork();
    this.#job = undefined;
  }

  expectAnswers(): void {
    const counts = this.#counts();
    for (const ordinal of this.#canonical()) {
      const ordinals = [ordinal, ...this.#users.mergedInto(ordinal)];
      const newestFirst = this.#random.chance(0.5);
      const trail = readTrail(this.#store, ordinals, { newestFirst });
      const expected = naiveTrail(this.#rows, ordinals, { newestFirst });
      expect(trail.map(({ part, row }) => part.valueAt(row, 0))).toEqual(
        expected.map(({ properties }) => properties[0]![1]),
      );
      expect(counts[ordinal]).toBe(expected.length);
    }
  }

  /** Rows that are stored under an ordinal that another stands for. */
  mergedRowCount(): number {
    const ordinals = this.#store
      .parts()
      .flatMap((part) => Array.from({ length: part.rowCount }, (_, row) => part.ordinalAt(row)));
    return ordinals.filter((ordinal) => this.#users.canonical[ordinal] !== ordinal).length;
  }

  /** Rows by canonical ordinal. */
  #counts(): Uint32Array {
    const counts = new Uint32Array(this.#users.count);
    for (const part of this.#store.parts()) part.countByOrdinal(Bitset.full(part.rowCount), counts);
    for (const [ordinal, count] of counts.entries()) {
      const canonical = this.#users.canonical[ordinal]!;
      if (canonical !== ordinal) counts[canonical]! += count;
    }
    return counts;
  }

  #canonical(): number[] {
    const all = Array.from({ length: this.#users.count }, (_, ordinal) => ordinal);
    return all.filter(
      (ordinal) => this.#users.canonical[ordinal] === ordinal && !this.#users.isGone(ordinal),
    );
  }
}

describe('merged users', () => {
  it.each(CUTS.slice(1))('have the same trails whenever what is compacted: %o', (options) => {
    for (let seed = 0; seed < 6; seed++) {
      const random = new SeededRandom(seed);
      const tablet = new MergingTablet(random, options);
      for (let i = 0; i < 900; i++) {
        tablet.append();
        if (random.chance(0.06)) tablet.merge();
        if (random.chance(0.004)) tablet.drop();
        if (random.chance(0.01)) tablet.store.freeze();
        if (random.chance(0.1)) tablet.write();
        if (random.chance(0.003)) tablet.fork();
        if (random.chance(0.02)) tablet.expectAnswers();
      }
      tablet.expectAnswers();
    }
  });

  it('have no rows of their own any more once the tablet is tidied', () => {
    const random = new SeededRandom(1);
    const tablet = new MergingTablet(random, { headRowsMax: 50, chunkRows: 256 });
    for (let i = 0; i < 200; i++) tablet.append();
    for (let i = 0; i < 20; i++) tablet.merge();
    tablet.store.freeze();
    expect(tablet.mergedRowCount()).toBeGreaterThan(0);
    for (let i = 0; i < 200; i++) tablet.write();
    expect(tablet.mergedRowCount()).toBe(0);
    tablet.expectAnswers();
  });
});
