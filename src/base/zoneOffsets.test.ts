import { IANAZone } from 'luxon';
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from './limits.ts';
import { SeededRandom } from './random.ts';
import { parseTime } from './time.ts';
import { ZoneOffsets } from './zoneOffsets.ts';

const ZONES = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'America/Havana', 'Asia/Kathmandu'],
  ...['Australia/Lord_Howe', 'Pacific/Apia', 'Africa/Casablanca', 'Africa/Cairo', 'America/Caracas'],
];

test.each(ZONES)('offsets and local times of %s are those of luxon', (zone) => {
  const random = new SeededRandom(ZONES.indexOf(zone));
  for (let i = 0; i < 4; i++) {
    const fromMs =
      Date.UTC(1950 + random.below(80), random.below(12), random.below(28)) + random.below(DAY_MS);
    const toMs = fromMs + (10 + random.below(900)) * DAY_MS;
    const offsets = new ZoneOffsets(zone, fromMs - 2 * DAY_MS, toMs + 2 * DAY_MS);
    const luxon = IANAZone.create(zone);
    for (let j = 0; j < 40; j++) {
      const timeMs = fromMs + random.below(toMs - fromMs);
      expect(offsets.at(timeMs), new Date(timeMs).toISOString()).toBe(
        Math.round(luxon.offset(timeMs) * 60_000),
      );
      const local = new Date(timeMs).toISOString().slice(0, -1);
      expect(offsets.timeOf(timeMs), local).toBe(parseTime(local, zone));
    }
  }
});

test.each([
  // The clocks skip from 2 to 3.
  ['2026-03-08T02:30:00', 'America/New_York', '2026-03-08T07:30:00Z'],
  // This hour comes twice: the first.
  ['2026-11-01T01:30:00', 'America/New_York', '2026-11-01T05:30:00Z'],
  // Midnight comes twice, and not at all.
  ['2026-11-01T00:00:00', 'America/Havana', '2026-11-01T04:00:00Z'],
  ['2018-11-04T00:00:00', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
  // The whole day was skipped.
  ['2011-12-30T00:00:00', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['1880-01-01T00:00:00', 'America/New_York', '1880-01-01T04:56:02Z'],
])('%s in %s is %s', (local, zone, expected) => {
  const localMs = Date.parse(`${local}Z`);
  const offsets = new ZoneOffsets(zone, localMs - 2 * DAY_MS, localMs + 2 * DAY_MS);
  expect(new Date(offsets.timeOf(localMs)).toISOString()).toBe(new Date(expected).toISOString());
});

test('a change is found to the second', () => {
  const changeMs = Date.parse('2026-03-29T01:00:00Z');
  const offsets = new ZoneOffsets('Europe/Berlin', changeMs - 3.3 * DAY_MS, changeMs + 90 * DAY_MS);
  expect([offsets.at(changeMs - 1), offsets.at(changeMs)]).toEqual([HOUR_MS, 2 * HOUR_MS]);
});
