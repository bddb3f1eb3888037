import { expect } from 'vitest';
import { Bitset } from '../base/bitset.ts';
import { DAY_MS } from '../base/limits.ts';
import type { SeededRandom } from '../base/random.ts';
import { isArray, type Value } from '../base/value.ts';
import type { Part, ValuePredicate } from './part.ts';

/** For tests only: tables of plain rows, and what a part must answer about them. */
export interface PlainRow {
  readonly ordinal: number;
  readonly eventCode: number;
  readonly timeMs: number;
  /** In ascending order of property code. */
  readonly properties: readonly (readonly [number, Value])[];
}

export interface TableShape {
  readonly rowCount: number;
  readonly ordinals: number;
  readonly spanDays: number;
}

export const EVENT_CODES = [0, 1, 2, 9, 700];
/**
 * Property 0 is nearly always there; 1 has mixed types; 2, 3 and 8 belong to some events; 4 mostly determines 5, and
 * always 6; 50 is rare.
 */
export const PROPERTY_CODES = [0, 1, 2, 3, 4, 5, 6, 8, 50, 77];
const START_MS = Date.UTC(2026, 0, 20);

export function randomTable(random: SeededRandom, { rowCount, ordinals, spanDays }: TableShape): PlainRow[] {
  return Array.from({ length: rowCount }, () => {
    const eventCode = EVENT_CODES[Math.floor(random.fraction() ** 2 * EVENT_CODES.length)]!;
    return {
      ordinal: random.below(ordinals) * 3,
      eventCode,
      // Few instants, so that many rows share one.
      timeMs: START_MS + Math.floor(random.below(spanDays * 8) * (DAY_MS / 8)),
      properties: randomProperties(random, eventCode),
    };
  });
}

function randomProperties(random: SeededRandom, eventCode: number): readonly (readonly [number, Value])[] {
  const properties: [number, Value][] = [];
  if (random.chance(0.98)) properties.push([0, `text ${random.below(5)}`]);
  if (random.chance(0.6)) properties.push([1, randomValue(random)]);
  if (eventCode === 1) properties.push([2, random.below(3)]);
  if (eventCode < 3 && random.chance(0.5)) properties.push([3, random.chance(0.3)]);
  if (eventCode < 9) {
    const product = random.below(9);
    properties.push([4, `product ${product}`]);
    if (random.chance(0.98)) properties.push([5, random.chance(0.98) ? `name ${product % 5}` : 'mistaken']);
    properties.push([6, product * 1.5]);
  }
  if (eventCode === 9) properties.push([8, random.pick([['a', 'b'], ['a'], [1, 'a', true], []])]);
  if (random.chance(0.01)) properties.push([50, randomValue(random)]);
  return properties;
}

function randomValue(random: SeededRandom): Value {
  return random.pick<Value>([
    random.below(3),
    -0,
    1e300,
    2.55,
    -random.fraction(),
    Number.MAX_SAFE_INTEGER,
    random.chance(0.5),
    '',
    'a',
    '2.55',
    'ünï 🙂',
    ['a', -1.5, false],
    [],
  ]);
}

export const PREDICATES: readonly ValuePredicate[] = [
  equal('text 1', 'a', 'unheard of'),
  equal(2.55),
  equal(0, true),
  equal(false),
  { missing: false, test: () => true },
  { missing: true, test: () => false },
  { missing: true, test: (value) => value !== 'a' },
  { missing: false, test: (value) => typeof value === 'number' && value > 1 },
  {
    missing: false,
    test: (value) => typeof value === 'number' && value >= 0 && value < 2.55,
    range: { from: 0, to: 2.55 },
  },
  { missing: false, test: (value) => typeof value === 'string' && value.includes('t') },
  { missing: false, test: (value) => isArray(value) && value.includes('a') },
];

function equal(...scalars: (string | number | boolean)[]): ValuePredicate {
  const matches = (value: Value) => scalars.some((scalar) => scalar === value);
  return {
    missing: false,
    test: (value) => (isArray(value) ? value.some(matches) : matches(value)),
    equalTo: scalars,
  };
}

/** Every method of the part answers what a loop over `rows`, its rows in its order, answers. */
export function expectPart(part: Part, rows: readonly PlainRow[], random: SeededRandom): void {
  expect(part.rowCount).toBe(rows.length);
  expect(part.timeMinMs).toBe(Math.min(...rows.map((row) => row.timeMs)));
  expect(part.timeMaxMs).toBe(Math.max(...rows.map((row) => row.timeMs)));
  expectRows(part, rows);
  expectSelections(part, rows, random);
  expectCounts(part, rows, random);
}

function expectRows(part: Part, rows: readonly PlainRow[]): void {
  expect(rows.map((_, i) => plainRow(part, i))).toEqual(rows);
  for (const code of PROPERTY_CODES) {
    const expected = rows.map(({ properties }) => properties.find(([each]) => each === code)?.[1]);
    expect(rows.map((_, i) => part.valueAt(i, code))).toEqual(expected);
  }
  const rowsOf = new Map<number, number[]>();
  rows.forEach(({ ordinal }, i) => {
    rowsOf.set(ordinal, [...(rowsOf.get(ordinal) ?? []), i]);
  });
  for (const [ordinal, own] of rowsOf) {
    const expected = own.sort((a, b) => rows[a]!.timeMs - rows[b]!.timeMs);
    const trail = part.trailOf(ordinal)!;
    expect(Array.from(trail.rows)).toEqual(expected);
    expect(Array.from(trail.timesMs)).toEqual(expected.map((i) => rows[i]!.timeMs));
    expect(part.trailOf(ordinal + 1)).toBeUndefined();
  }
}

export function plainRow(part: Part, row: number): PlainRow {
  return {
    ordinal: part.ordinalAt(row),
    eventCode: part.eventAt(row),
    timeMs: part.timeAt(row),
    properties: part.propertiesAt(row),
  };
}

function expectSelections(part: Part, rows: readonly PlainRow[], random: SeededRandom): void {
  const matching = (test: (row: PlainRow) => boolean) => [...rows.keys()].filter((i) => test(rows[i]!));
  for (const codes of [undefined, [], [0], [1, 700], [9, 12345]]) {
    const expected = matching((row) => codes === undefined || codes.includes(row.eventCode));
    expect([...part.selectEvents(codes)]).toEqual(expected);
  }
  for (const code of [...EVENT_CODES, 12345]) {
    if (rows.some((row) => row.eventCode === code)) expect(part.mayHaveEvent(code)).toBe(true);
  }
  const instant = () => random.pick(rows).timeMs + random.pick([0, 0, 1]);
  for (const [from, to] of [
    [instant(), instant()],
    [Number.NEGATIVE_INFINITY, instant()],
    [instant(), Infinity],
  ] as const) {
    const some = randomRows(part, random);
    const expected = matching((row) => row.timeMs >= from && row.timeMs < to).filter((i) => some.has(i));
    part.andTime(some, from, to);
    expect([...some]).toEqual(expected);
  }
  for (const predicate of PREDICATES) {
    for (const code of PROPERTY_CODES) {
      const some = randomRows(part, random);
      const expected = matching((row) => {
        const value = row.properties.find(([each]) => each === code)?.[1];
        return value === undefined ? predicate.missing : predicate.test(value);
      }).filter((i) => some.has(i));
      part.andProperty(some, code, predicate);
      expect([...some], `property ${code}`).toEqual(expected);
    }
  }
}

function expectCounts(part: Part, rows: readonly PlainRow[], random: SeededRandom): void {
  const size = Math.max(...rows.map((row) => row.ordinal)) + 1;
  const some = randomRows(part, random);
  const expected = new Uint32Array(size).fill(3);
  some.forEach((i) => {
    expected[rows[i]!.ordinal]!++;
  });
  const counts = new Uint32Array(size).fill(3);
  part.countByOrdinal(some, counts);
  expect(counts).toEqual(expected);
}

function randomRows(part: Part, random: SeededRandom): Bitset {
  const rows = new Bitset(part.rowCount);
  for (let row = 0; row < part.rowCount; row++) if (random.chance(0.7)) rows.add(row);
  return rows;
}
