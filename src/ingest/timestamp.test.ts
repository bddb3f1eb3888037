import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, SECOND_MS } from '../base/limits.ts';
import { eventTimeMs, parseTimeMs } from './timestamp.ts';

const RECEIVED_AT_MS = Date.UTC(2026, 10, 20, 12);

test.each([
  ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04Z', '2026-01-02T03:04:00.000Z'],
  ['2026-01-02', '2026-01-02T00:00:00.000Z'],
  ['2026-01-02 03:04:05', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05.123456+00:00', '2026-01-02T03:04:05.123Z'],
  ['2026-01-02T03:04:05.9999999Z', '2026-01-02T03:04:05.999Z'],
  ['2026-01-02T03:04:05,5Z', '2026-01-02T03:04:05.500Z'],
  ['2026-01-02T03:04:05+05:30', '2026-01-01T21:34:05.000Z'],
  ['2026-01-02T03:04:05-0800', '2026-01-02T11:04:05.000Z'],
  ['2026-01-02T03:04:05+01', '2026-01-02T02:04:05.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
])('%s is read as %s', (text, expected) => {
  expect(new Date(parseTimeMs(text)).toISOString()).toBe(expected);
});

test.each([
  '',
  'yesterday',
  '2026',
  '2026-1-2',
  '2026-13-01',
  '2026-00-10',
  '2026-02-29',
  '2026-04-31',
  '1969-12-31',
  '2026/01/02',
  '20260102T030405Z',
  '2026-01-02T',
  '2026-01-02T24:00:00Z',
  '2026-01-02T03:60Z',
  '2026-01-02T03:04:60Z',
  '2026-01-02T03:04:05.Z',
  '2026-01-02T03:04:05Zulu',
  '2026-01-02T03:04:05+1',
  '2026-01-02T03:04:05*01:00',
  '2026-01-02T03:04:05+01.00',
  '2026-01-02x03:04:05',
  'Fri, 02 Jan 2026 03:04:05 GMT',
])('%j is not read', (text) => {
  expect(parseTimeMs(text)).toBeNaN();
});

test('reads what Date writes', () => {
  const anyDate = fc.date({
    min: new Date(0),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(fc.property(anyDate, (date) => parseTimeMs(date.toISOString()) === date.getTime()));
});

test('takes the timestamp, else the corrected original one, else the time of receipt', () => {
  const timestamp = '2026-11-20T10:00:00Z';
  const originalTimestamp = '2026-11-20T09:00:00Z';
  const at = (item: object, batchSentAt?: unknown) =>
    new Date(eventTimeMs({ ...item }, batchSentAt, RECEIVED_AT_MS)).toISOString();
  expect(at({ timestamp, originalTimestamp, sentAt: originalTimestamp })).toBe('2026-11-20T10:00:00.000Z');
  // Sent 20 s after it happened, by a clock that is three hours slow.
  expect(at({ originalTimestamp, sentAt: '2026-11-20T09:00:20Z' })).toBe('2026-11-20T11:59:40.000Z');
  expect(at({ originalTimestamp }, '2026-11-20T09:00:20Z')).toBe('2026-11-20T11:59:40.000Z');
  expect(at({ originalTimestamp })).toBe('2026-11-20T09:00:00.000Z');
  expect(at({ originalTimestamp, sentAt: 'soon' })).toBe('2026-11-20T09:00:00.000Z');
  expect(at({ timestamp: null })).toBe('2026-11-20T12:00:00.000Z');
  expect(at({ timestamp: RECEIVED_AT_MS - SECOND_MS + 0.7 })).toBe('2026-11-20T11:59:59.000Z');
});

test('is at most a day ahead', () => {
  expect(eventTimeMs({ timestamp: '2030-01-01' }, undefined, RECEIVED_AT_MS)).toBe(RECEIVED_AT_MS + DAY_MS);
  const ahead = { originalTimestamp: '2026-11-20T12:00:00Z', sentAt: '1971-01-01' };
  expect(eventTimeMs(ahead, undefined, RECEIVED_AT_MS)).toBe(RECEIVED_AT_MS + DAY_MS);
});

test.each([
  ['timestamp', 'x'],
  ['timestamp', -1],
  ['timestamp', true],
  ['originalTimestamp', {}],
])('refuses a %s of %j', (field, value) => {
  expect(() => eventTimeMs({ [field]: value }, undefined, RECEIVED_AT_MS)).toThrow(
    expect.objectContaining({ code: 'bad_request', path: `$.${field}` }),
  );
});
