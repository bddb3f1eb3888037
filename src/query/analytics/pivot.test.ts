import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../../base/hash.ts';
import { DAY_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import type { Scalar } from '../../base/value.ts';
import { INTERVALS, intervalsOf } from '../intervals.ts';
import type { TestEvent } from '../testView.ts';
import { testView } from '../testView.ts';
import { NO_KEY, OTHER_KEY } from './breakdown.ts';
import type { PivotTable, PivotTotal } from './pivotTable.ts';
import { analyze, iso, isVisible, randomTablet, randomView, testUsers } from './testAnalysis.ts';
import { elementKeys, measureOf, type OracleEvent, type OracleKey, topKeysOf } from './testCells.ts';

beforeAll(initHash);

const EVENTS = ['A', 'B'];
/** Clocks change in the zones soon after. */
const STARTS = ['2026-03-05', '2026-03-27', '2026-10-23'];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York'];

interface Side {
  readonly json: object;
  readonly key: OracleKey;
  readonly top: number;
}

function randomSide(random: SeededRandom): Side {
  const source = random.pick(['prop', 'prop', 'profile'] as const);
  const name = random.chance(0.95)
    ? source === 'prop'
      ? random.pick(['value', 'n', 'text', 'text'])
      : 'plan'
    : 'unknown';
  const top = random.pick([50, 1, 2, 3]);
  return { json: { [source]: name, ...(top < 50 && { top }) }, key: { source, name }, top };
}

/** The shown keys of the range's events, and which of them an event of either range counts for. */
function sideOf(seen: readonly OracleEvent[], all: readonly OracleEvent[], { key, top }: Side) {
  const chosen = new Set(topKeysOf(seen, key, top).keys.filter((k) => k !== OTHER_KEY && k !== NO_KEY));
  const slotsOf = ({ properties, traits }: OracleEvent) => {
    const elements = elementKeys((key.source === 'prop' ? properties : traits)[key.name]);
    return new Set(elements.map((k) => (k === NO_KEY || chosen.has(k) ? k : OTHER_KEY)));
  };
  const isThere = (folded: Scalar) => all.some((event) => slotsOf(event).has(folded));
  return { keys: [...chosen, ...[OTHER_KEY, NO_KEY].filter(isThere)] as readonly Scalar[], slotsOf };
}

function randomMeasure(random: SeededRandom): unknown {
  if (random.chance(0.7)) return random.pick(['events', 'users']);
  return { [random.pick(['sum', 'avg', 'min', 'max'])]: random.pick(['n', 'value']) };
}

test('cells and totals are those of the contract, however tablets and parts lie', () => {
  let cells = 0;
  for (let seed = 0; seed < 50; seed++) {
    const random = new SeededRandom(seed);
    const startMs = Date.parse(random.pick(STARTS)) + random.below(DAY_MS);
    const spanMs = 5 * DAY_MS;
    const nowMs = startMs + spanMs;
    const atMs = random.chance(0.7) ? nowMs : startMs + random.below(spanMs);
    const zone = random.pick(ZONES);
    const settings = random.chance(0.3)
      ? { timezone: zone, retentionMs: Math.ceil(spanMs / 2) }
      : { timezone: zone };
    const timeOf = (r: SeededRandom) => startMs + r.below(r.pick([3600, spanMs / 1000])) * 1000;
    const tablets = Array.from({ length: 1 + random.below(3) }, () =>
      randomTablet(random, { events: EVENTS, timeOf, eventsMax: 200, usersMax: 12, settings }),
    );
    const isCompared = random.chance(0.5);
    const [a, b] = [random.below(spanMs), random.below(spanMs)].map((ms) => startMs + ms) as [number, number];
    const fromMs = isCompared || random.chance(0.5) ? Math.min(a, b) : undefined;
    const toMs = random.chance(0.5) ? Math.max(a, b) : undefined;
    const n = random.below(4);
    const where = random.chance(0.3) ? [{ prop: 'n', op: 'gte', value: n }] : undefined;
    const isWanted = ({ event, properties }: TestEvent) =>
      event === 'A' && (where === undefined || (properties.n as number) >= n);
    const rowSide = randomSide(random);
    const columnSide = isCompared || random.chance(0.7) ? randomSide(random) : undefined;
    const interval = random.pick(INTERVALS);
    const measure = randomMeasure(random);
    const params = {
      event: 'A',
      ...(where && { where }),
      rows: rowSide.json,
      columns: columnSide?.json ?? { interval },
      measure,
      ...(isCompared && { compare: 'previous' }),
      ...(fromMs !== undefined && { from: iso(fromMs) }),
      ...(toMs !== undefined && { to: iso(toMs) }),
    };

    const moment = { atMs, nowMs, zone };
    const wanted = tablets
      .flatMap((tablet) => [...testUsers(tablet).values()])
      .flatMap(({ trail, traits }, user) => trail.map((event): OracleEvent => ({ ...event, user, traits })))
      .filter((event) => isWanted(event) && isVisible(event, moment, settings));
    const within = (from: number, to: number) => wanted.filter(({ timeMs }) => timeMs >= from && timeMs < to);
    const endMs = toMs ?? atMs + 1;
    const seen = within(fromMs ?? -Infinity, endMs);
    const before = isCompared ? within(fromMs! - Math.max(0, endMs - fromMs!), fromMs!) : undefined;
    const all = [...seen, ...(before ?? [])];
    const rows = sideOf(seen, all, rowSide);
    const intervals = intervalsOf({
      interval,
      zone,
      fromMs: fromMs ?? Math.min(Infinity, ...seen.map(({ timeMs }) => timeMs)),
      toMs: endMs,
    });
    const columns =
      columnSide === undefined
        ? {
            keys: starts(intervals.startsMs.subarray(0, intervals.count)),
            slotsOf: ({ timeMs }: OracleEvent) =>
              new Set<Scalar>([iso(intervals.startsMs[intervals.indexOf(timeMs)]!)]),
          }
        : sideOf(seen, all, columnSide);

    const views = tablets.map((tablet) => randomView(tablet, random));
    const found = analyze('pivot', views, params, moment) as PivotTable;
    const totalOf = (isIn: (event: OracleEvent) => boolean): PivotTotal => ({
      value: measureOf(measure, seen.filter(isIn)),
      ...(before && { previous: measureOf(measure, before.filter(isIn)) }),
    });
    const expected = {
      rows: rows.keys,
      columns: columns.keys,
      cells: rows.keys.map((row) =>
        columns.keys.map((column) =>
          totalOf((e) => rows.slotsOf(e).has(row) && columns.slotsOf(e).has(column)),
        ),
      ),
      rowTotals: rows.keys.map((row) => totalOf((event) => rows.slotsOf(event).has(row))),
      columnTotals: columns.keys.map((column) => totalOf((event) => columns.slotsOf(event).has(column))),
      total: totalOf(() => true),
    };
    const isCounted = measure === 'events' || measure === 'users';
    const withoutScores = found.cells.map((row) =>
      row.map(({ expected, score, standsOut, ...values }) => {
        for (const one of [expected, score, standsOut]) expect(one === undefined).toBe(!isCounted);
        return values;
      }),
    );
    expect({ ...found, cells: withoutScores }, `seed ${seed}`).toEqual(expected);
    if (isCounted) expectScores(found);
    cells += found.cells.flat().length;
  }
  expect(cells).toBeGreaterThan(300);
});

function starts(timesMs: Float64Array): readonly Scalar[] {
  return Array.from(timesMs, iso);
}

/** All rows and columns with a number in them are shown, so their sums are those of what is shown. */
function expectScores({ cells }: PivotTable): void {
  const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const counts = cells.map((row) => row.map(({ value }) => value!));
  const rowSums = counts.map(sumOf);
  const columnSums = (counts[0] ?? []).map((_, column) => sumOf(counts.map((row) => row[column]!)));
  const sum = sumOf(rowSums);
  for (const [i, row] of cells.entries()) {
    for (const [j, { value, expected, score, standsOut }] of row.entries()) {
      const share = sum === 0 ? 0 : (rowSums[i]! / sum) * (columnSums[j]! / sum);
      expect(expected).toBeCloseTo(share * sum, 8);
      const deviation = Math.sqrt(share * sum * (1 - rowSums[i]! / sum) * (1 - columnSums[j]! / sum));
      expect(score).toBeCloseTo(deviation > 0 ? (value! - share * sum) / deviation : 0, 6);
      expect(standsOut).toBe(Math.abs(score!) >= 3 && expected! >= 5);
    }
  }
}

const viewOf = (counts: Readonly<Record<string, Readonly<Record<string, number>>>>) => {
  const events = Object.entries(counts).flatMap(([city, platforms]) =>
    Object.entries(platforms).flatMap(([platform, count]) =>
      Array.from({ length: count }, () => ({ city, platform })),
    ),
  );
  return testView({
    users: events.map((_, i) => ({ known: true, id: `u${i}` })),
    parts: [events.map((properties, ordinal) => ({ ordinal, event: 'A', timeMs: 1000, properties }))],
  });
};
const ASKED = { event: 'A', rows: { prop: 'city' }, columns: { prop: 'platform' }, measure: 'events' };
const MOMENT = { atMs: 5000, nowMs: 5000, zone: 'UTC' };

test('cells that stand out are marked, those of small numbers are not', () => {
  // Education and religious beliefs in Agresti, "Categorical Data Analysis", 3.3, with its adjusted residuals.
  const view = viewOf({
    less: { fundamentalist: 178, moderate: 138, liberal: 108 },
    school: { fundamentalist: 570, moderate: 648, liberal: 442 },
    bachelor: { fundamentalist: 138, moderate: 252, liberal: 252 },
  });
  const table = analyze('pivot', [view], ASKED, MOMENT) as PivotTable;
  expect(table.rows).toEqual(['school', 'bachelor', 'less']);
  expect(table.columns).toEqual(['moderate', 'fundamentalist', 'liberal']);
  expect(table.cells.map((row) => row.map(({ score }) => Number(score!.toFixed(1))))).toEqual([
    [1.3, 2.6, -4],
    [0.7, -6.8, 6.3],
    [-2.6, 4.5, -1.9],
  ]);
  const marks = table.cells.map((row) => row.map(({ standsOut }) => standsOut));
  expect(marks).toEqual([
    [false, false, true],
    [false, true, true],
    [false, true, false],
  ]);
  const few = analyze('pivot', [viewOf({ a: { x: 4 }, b: { y: 4 } })], ASKED, MOMENT) as PivotTable;
  expect(few.cells.flat().map(({ standsOut }) => standsOut)).toEqual([false, false, false, false]);
});

test('a table of nothing', () => {
  expect(analyze('pivot', [viewOf({})], { ...ASKED, measure: { avg: 'n' } }, MOMENT)).toEqual({
    ...{ rows: [], columns: [], cells: [], rowTotals: [], columnTotals: [] },
    total: { value: null },
  });
  const byDay = { ...ASKED, columns: { interval: 'day' } };
  expect(analyze('pivot', [viewOf({})], byDay, MOMENT)).toMatchObject({ columns: [], total: { value: 0 } });
});

test.each([
  [{ event: undefined }, 'event'],
  [{ event: ['A', 3] }, 'event[1]'],
  [{ where: [{ prop: 'n', op: 'is' }] }, 'where[0].op'],
  [{ rows: undefined }, 'rows'],
  [{ rows: {} }, 'rows'],
  [{ rows: { prop: '' } }, 'rows.prop'],
  [{ rows: { interval: 'day' } }, 'rows.interval'],
  [{ rows: { prop: 'a', top: 101 } }, 'rows.top'],
  [{ columns: 'platform' }, 'columns'],
  [{ columns: { interval: 'day', prop: 'a' } }, 'columns.prop'],
  [{ columns: { interval: 'year' } }, 'columns.interval'],
  [{ columns: { profile: 'a', by: 'b' } }, 'columns.by'],
  [{ measure: undefined }, 'measure'],
  [{ measure: { sum: '' } }, 'measure.sum'],
  [{ compare: 'next', from: '1970-01-01' }, 'compare'],
  [{ compare: 'previous' }, 'compare'],
  [{ compare: 'previous', from: '1970-01-01', columns: { interval: 'day' } }, 'compare'],
  [{ columns: { interval: 'hour' }, from: '1960-01-01' }, 'columns.interval'],
  [{ events: [{ event: 'A' }] }, 'events'],
])('refuses %j at %s', (wrong, path) => {
  const bad = expect.objectContaining({ code: 'bad_request', path });
  expect(() => analyze('pivot', [viewOf({})], { ...ASKED, ...wrong }, MOMENT)).toThrow(bad);
});
