import { expect, test } from 'vitest';
import { DECLARED, PERIOD, segmentCall, syntheticCalls } from './synthetic.ts';

const OPTIONS = { seed: 7, events: 5000, users: 300 };
const calls = [...syntheticCalls(OPTIONS)];
const events = calls.filter((call) => call.kind === 'event');

test('a seed gives the same calls again, another seed others', () => {
  expect([...syntheticCalls(OPTIONS)]).toEqual(calls);
  expect([...syntheticCalls({ ...OPTIONS, seed: 8 })]).not.toEqual(calls);
});

test('as many events as asked for, in the order of time, within the period', () => {
  expect(events).toHaveLength(OPTIONS.events);
  const times = calls.map(({ timeMs }) => timeMs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times[0]).toBe(PERIOD.startMs);
  expect(times.at(-1)).toBeLessThan(PERIOD.endMs);
});

test('every user is identified once, before their first event', () => {
  const identified = new Set<string>();
  for (const { kind, user } of calls) {
    if (kind === 'event') expect(identified).toContain(user.id);
    else {
      expect(identified).not.toContain(user.id);
      identified.add(user.id);
    }
  }
  expect(identified.size).toBeGreaterThan(OPTIONS.users / 2);
});

test('every name is declared, and every event name occurs', () => {
  const declared = new Map(DECLARED.events.map(({ event, properties }) => [event, properties]));
  for (const { event, properties } of events) expect(Object.keys(properties)).toEqual(declared.get(event));
  expect(new Set(events.map(({ event }) => event)).size).toBe(declared.size);
});

test('as an SDK sends it', () => {
  const [identify, track] = calls.map(segmentCall);
  expect(identify).toMatchObject({ type: 'identify', timestamp: '2025-01-01T00:00:00.000Z' });
  expect(Object.keys(identify!.traits as object)).toEqual(DECLARED.traits);
  expect(track).toMatchObject({ type: 'track', event: 'Session Started', userId: identify!.userId });
});
