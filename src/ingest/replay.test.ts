import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import type { DeadLetter } from '../log/record.ts';
import { collect } from './collect.ts';
import { replayItem } from './replay.ts';
import { TestView } from './testView.ts';

const RECEIVED_AT_MS = Date.UTC(2026, 10, 20, 12);
const NOW_MS = RECEIVED_AT_MS + 5 * DAY_MS;
const FULL = new TestView({ events: 0 });
const ITEM = { userId: 'ann', event: 'E', messageId: 'm1', originalTimestamp: '2026-11-20T10:00:00Z' };

function lettersOf(type: 'batch' | 'track' | 'screen', body: unknown): readonly DeadLetter[] {
  return collect({ type, body, bytes: 1, receivedAtMs: RECEIVED_AT_MS, view: FULL }).letters;
}

test('an item is collected as of its first receipt, with what its batch said', () => {
  const batch = [{ ...ITEM, type: 'track' }];
  const body = { batch, context: { os: { name: 'iOS' } }, sentAt: '2026-11-20T11:00:00Z' };
  const [letter] = lettersOf('batch', body);
  const timeMs = RECEIVED_AT_MS - HOUR_MS;
  expect(replayItem(letter!, NOW_MS, new TestView())).toMatchObject({
    receivedAtMs: NOW_MS,
    items: 1,
    calls: [{ event: 'E', messageId: 'm1', timeMs, properties: { '$context.os.name': 'iOS' } }],
    declare: { atMs: NOW_MS },
    letters: [],
  });
});

test('a single call keeps the type of its endpoint', () => {
  const [letter] = lettersOf('screen', { userId: 'ann' });
  expect(replayItem(letter!, NOW_MS, new TestView()).calls).toMatchObject([{ event: 'Screen Viewed' }]);
});

test('what is refused again stays a letter, of its first receipt', () => {
  const [letter] = lettersOf('track', ITEM);
  expect(replayItem(letter!, NOW_MS, FULL)).toMatchObject({ items: 0, letters: [letter] });
  expect(replayItem(letter!, NOW_MS, new TestView({ retentionMs: DAY_MS }))).toMatchObject({
    letters: [{ reason: 'too_old', receivedAtMs: RECEIVED_AT_MS }],
  });
});

test('so does what is not well made or was cut', () => {
  const large = { ...ITEM, type: 'track', properties: { text: 'x'.repeat(40_000) } };
  const letters = lettersOf('batch', { batch: [large, { type: 'track' }, []] });
  expect(letters).toHaveLength(3);
  for (const letter of letters) {
    expect(replayItem(letter, NOW_MS, new TestView())).toMatchObject({ calls: [], letters: [letter] });
  }
});
