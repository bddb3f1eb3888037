import { expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { SeededRandom } from '../base/random.ts';
import { run } from './testStore.ts';
import { type TestEvent, type TestTablet, testView } from './testView.ts';
import { type TimelineRequest, timelinePage, readTimeline as timelineSteps } from './timeline.ts';

const readTimeline = (...args: Parameters<typeof timelineSteps>) =>
  timelinePage(structuredClone(run(timelineSteps(...args))));

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const NOW_MS = START_MS + 10;
const [ANONYMOUS, KNOWN, OTHER] = [0, 1, 2];

/** Few moments, so that most events share theirs; `place` tells them apart in order of arrival. */
function randomTablet(seed: number): TestTablet {
  const random = new SeededRandom(seed);
  const places = Array.from({ length: 60 }, (_, place) => place);
  const events = places.map((place) => ({
    ordinal: random.pick([ANONYMOUS, KNOWN, KNOWN, OTHER]),
    event: random.pick(['Viewed', 'Added']),
    timeMs: START_MS + random.below(8),
    properties: { place },
  }));
  return {
    users: [
      { known: false, id: 'a' },
      { known: true, id: 'k' },
      { known: true, id: 'o' },
    ],
    merges: [[ANONYMOUS, KNOWN]],
    parts: [events.slice(0, 25), events.slice(25, 40), events.slice(40)],
  };
}

/** What all pages together must hold: latest time first, then the known user's before merged ones, then arrival. */
function expectedPlaces(tablet: TestTablet, names: readonly string[] = ['Viewed', 'Added']): unknown[] {
  return tablet.parts
    .flat()
    .filter(({ ordinal, event }) => ordinal !== OTHER && names.includes(event))
    .map((event, arrival) => ({ ...event, arrival }))
    .sort((a, b) => b.timeMs - a.timeMs || b.ordinal - a.ordinal || b.arrival - a.arrival)
    .map(({ properties }) => properties.place);
}

function allPlaces(tablet: TestTablet, request: Partial<TimelineRequest> & { limit: number }): unknown[] {
  const view = testView(tablet);
  const places: unknown[] = [];
  let next: { before?: string } | undefined = {};
  while (next !== undefined) {
    const page = readTimeline(view, KNOWN, { atMs: NOW_MS, nowMs: NOW_MS, ...request, ...next });
    expect(page.events.length).toBeLessThanOrEqual(request.limit);
    places.push(...page.events.map(({ properties }) => properties.place));
    next = page.next === undefined ? undefined : { before: page.next };
  }
  return places;
}

test('pages of any size hold every event once, newest first', () => {
  for (let seed = 0; seed < 10; seed++) {
    const tablet = randomTablet(seed);
    for (const limit of [1, 2, 7, 44, 100]) {
      expect(allPlaces(tablet, { limit }), `seed ${seed}, limit ${limit}`).toEqual(expectedPlaces(tablet));
      expect(allPlaces(tablet, { limit, events: ['Added', 'Never Seen'] })).toEqual(
        expectedPlaces(tablet, ['Added']),
      );
    }
  }
});

test('events that arrive between two pages, at the time where the first one ended, do not disturb the second', () => {
  const at = (place: number): TestEvent => ({
    ordinal: KNOWN,
    event: 'Viewed',
    timeMs: START_MS,
    properties: { place },
  });
  const users = randomTablet(0).users;
  const request = { limit: 2, atMs: NOW_MS, nowMs: NOW_MS };
  const first = readTimeline(testView({ users, parts: [[at(0), at(1), at(2), at(3)]] }), KNOWN, request);
  const later = testView({ users, parts: [[at(0), at(1), at(2), at(3)], [at(4)]] });
  const second = readTimeline(later, KNOWN, { ...request, before: first.next! });
  expect([...first.events, ...second.events].map(({ properties }) => properties.place)).toEqual([3, 2, 1, 0]);
  expect(second.next).toBe(undefined);
});

test('shows what is retained and not after `at`, from `before` on back', () => {
  const users = [{ known: true, id: 'k' }];
  const events = [0, 1, 2, 3].map((i) => ({
    ordinal: 0,
    event: 'Viewed',
    timeMs: START_MS + i,
    properties: { i },
  }));
  const view = testView({ users, parts: [events], settings: { timezone: 'UTC', retentionMs: 10 } });
  const seen = (request: Partial<TimelineRequest>) =>
    readTimeline(view, 0, { limit: 9, atMs: NOW_MS, nowMs: NOW_MS, ...request }).events.map(
      ({ properties }) => properties.i,
    );
  // At now, the first is exactly as old as the retention.
  expect(seen({})).toEqual([3, 2, 1]);
  expect(seen({ atMs: START_MS + 2 })).toEqual([2, 1]);
  expect(seen({ atMs: START_MS + 2, before: '2027-01-01' })).toEqual([2, 1]);
  expect(seen({ before: '2026-01-01T00:00:00.003Z' })).toEqual([2, 1]);
  expect(readTimeline(view, 0, { limit: 1, atMs: NOW_MS, nowMs: NOW_MS }).events).toEqual([
    { event: 'Viewed', time: '2026-01-01T00:00:00.003Z', properties: { i: 3 } },
  ]);
});

test('a timeline longer than one read is read to its end', () => {
  const events = Array.from({ length: 2500 }, (_, place) => ({
    ordinal: KNOWN,
    event: place % 1000 === 1 ? 'Added' : 'Viewed',
    timeMs: START_MS - Math.floor(place / 7),
    properties: { place },
  }));
  const tablet = { users: randomTablet(0).users, parts: [events] };
  expect(allPlaces(tablet, { limit: 1, events: ['Added'] })).toEqual([1, 1001, 2001]);
  expect(allPlaces(tablet, { limit: 999 })).toEqual(expectedPlaces(tablet));
});

test.each(['', 'x', 'W10', 'WzEsMl0=', 'WzEsLTFd', 'WyIxIiwyXQ'])(
  '%j is no place in a timeline',
  (before) => {
    const view = testView(randomTablet(0));
    expect(() => readTimeline(view, KNOWN, { limit: 1, atMs: NOW_MS, nowMs: NOW_MS, before })).toThrow(
      expect.objectContaining({ constructor: MusterError, code: 'bad_request', path: 'before' }),
    );
  },
);
