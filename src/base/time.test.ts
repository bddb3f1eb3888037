import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from './limits.ts';
import { SeededRandom } from './random.ts';
import { daySpan, isoTime, parseDuration, parseTime } from './time.ts';

const utc = (text: string): number => Date.parse(text);

test('durations', () => {
  expect(['90s', '15m', '6h', '30d', '2w', '0d'].map(parseDuration)).toEqual([
    90_000,
    900_000,
    6 * HOUR_MS,
    30 * DAY_MS,
    14 * DAY_MS,
    0,
  ]);
  for (const text of ['', 'd', '1', '1.5d', '-1d', '1 d', '1D', '1y', '9999999999w', '99999999999s'])
    expect(parseDuration(text), text).toBe(undefined);
});

test.each([
  ['2026-03-08T10:00:00Z', 'America/New_York', '2026-03-08T10:00:00Z'],
  ['2026-03-08T10:00:00.250Z', 'UTC', '2026-03-08T10:00:00.250Z'],
  ['2026-03-08T10:00:00.123999Z', 'UTC', '2026-03-08T10:00:00.123Z'],
  ['2026-03-08T10:00:00+02:00', 'UTC', '2026-03-08T08:00:00Z'],
  ['2026-03-08T10:00:00', 'America/New_York', '2026-03-08T14:00:00Z'],
  ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00Z'],
  ['20260308T1000Z', 'UTC', '2026-03-08T10:00:00Z'],
  ['2026-067', 'UTC', '2026-03-08T00:00:00Z'],
  ['0050-03-08T10:00:00Z', 'UTC', '0050-03-08T10:00:00Z'],
  // The clocks skip from 2 to 3.
  ['2026-03-08T02:30:00', 'America/New_York', '2026-03-08T07:30:00Z'],
  // This hour comes twice: the first.
  ['2026-11-01T01:30:00', 'America/New_York', '2026-11-01T05:30:00Z'],
  // Midnight comes twice, and not at all.
  ['2026-11-01', 'America/Havana', '2026-11-01T04:00:00Z'],
  ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
])('%s in %s is %s', (text, zone, expected) => {
  expect(parseTime(text, zone)).toBe(utc(expected));
});

test.each([
  '',
  '2026',
  '2026-03',
  '10:00',
  '2026-02-29',
  '2026-02-30T00:00:00Z',
  '2026-13-01',
  '2026-03-08T25:00:00Z',
  '2026-03-08 10:00:00',
  '2026-03-08T10:00:00Z ',
  'yesterday',
  '1767225600000',
])('%j is no time', (text) => {
  expect(parseTime(text, 'UTC')).toBe(undefined);
});

test('the short cut for text with an offset agrees with the long way', () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 2000; i++) {
    const two = (end: number): string => String(random.below(end)).padStart(2, '0');
    const fraction = random.chance(0.5) ? `.${String(random.below(1000)).padStart(3, '0')}` : '';
    const offset = random.chance(0.5) ? 'Z' : `${random.pick(['+', '-'])}${two(24)}:${two(60)}`;
    const text = `${1990 + random.below(60)}-${two(13)}-${two(32)}T${two(24)}:${two(60)}:${two(60)}${fraction}${offset}`;
    // A fourth digit of a second is below what is kept, and takes the long way.
    const longer = text.replace(/(\.\d+)?(Z|[+-]\d\d:\d\d)$/, `${fraction === '' ? '.000' : fraction}0$2`);
    expect(parseTime(text, 'UTC'), text).toBe(parseTime(longer, 'UTC'));
  }
});

test('times are written as Date writes them, whatever was written before', () => {
  const random = new SeededRandom(2);
  const edges = [
    0,
    -1,
    DAY_MS - 1,
    -DAY_MS,
    8.64e15,
    -8.64e15,
    utc('9999-12-31T23:59:59.999Z'),
    utc('0000-01-01'),
  ];
  const near = Array.from({ length: 1000 }, () => utc('2026-12-01') + random.below(3 * DAY_MS));
  const far = Array.from({ length: 1000 }, () => (random.below(2000) - 1000) * 1e12 + random.below(1e9));
  for (const timeMs of [...edges, ...near.flatMap((each, i) => [each, far[i]!]), ...near])
    expect(isoTime(timeMs), String(timeMs)).toBe(new Date(timeMs).toISOString());
  for (const timeMs of [8.64e15 + DAY_MS, Number.NaN, Infinity])
    expect(() => isoTime(timeMs)).toThrow(RangeError);
});

test('days follow each other without a gap, and have the length the clocks give them', () => {
  const hours = (date: string, zone: string): number => {
    const { fromMs, toMs } = daySpan(date, zone)!;
    return (toMs - fromMs) / HOUR_MS;
  };
  expect(hours('2026-06-01', 'Europe/Berlin')).toBe(24);
  expect(hours('2026-03-29', 'Europe/Berlin')).toBe(23);
  expect(hours('2026-10-25', 'Europe/Berlin')).toBe(25);
  expect(hours('2026-11-01', 'America/Havana')).toBe(25);
  expect(hours('2018-11-04', 'America/Sao_Paulo')).toBe(23);
  expect(daySpan('2026-12-31', 'UTC')!.toMs).toBe(utc('2027-01-01T00:00:00Z'));
  for (const date of ['2026-02-29', '2026-1-1', '2026-01-01T00:00:00Z', 'today'])
    expect(daySpan(date, 'UTC'), date).toBe(undefined);
});
