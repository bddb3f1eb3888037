import { beforeAll, describe, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { HOUR_MS, MINUTE_MS } from '../base/limits.ts';
import { SeededRandom } from '../base/random.ts';
import type { OutcomeRecord } from '../log/record.ts';
import { messageIdOf } from './message.ts';
import type { Intent } from './outbox.ts';
import { TestTablet } from './testTablet.ts';

beforeAll(initHash);

const DELAYED = {
  trigger: {
    event: 'Go',
    delay: '1h',
    unless: { event: 'Stop', where: [{ prop: 'n', op: 'gt', value: 1 }] },
  },
};

function outcome(intent: Intent, result: OutcomeRecord['result'], atMs = 0): OutcomeRecord {
  return { kind: 'outcome', atMs, messageId: intent.messageId, user: intent.user, result };
}

function idsOf(intents: readonly Intent[]): string[] {
  return intents.map(({ messageId }) => messageId);
}

describe('event triggers', () => {
  test('an event intends one message, under an id of its own', () => {
    const tablet = new TestTablet();
    tablet.save({});
    tablet.event(3, 'Go', '7.0', { n: 1 });
    tablet.event(3, 'Other', '7.1');
    const [intent, ...more] = tablet.outbox.takeDue();
    expect(more).toEqual([]);
    expect(intent).toMatchObject({
      messageId: messageIdOf('shop', 'c', { known: true, id: 'u3' }, '7.0'),
      campaign: 'c',
      destination: 'https://example.com',
      event: { name: 'Go', timeMs: 0, properties: { n: 1 } },
      attempts: 0,
    });
    expect(intent!.messageId).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(tablet.outbox.takeDue()).toEqual([]);
  });

  test('the same occurrence does so once, another one again', () => {
    const tablet = new TestTablet();
    tablet.save({});
    tablet.event(0, 'Go', '1.0');
    tablet.event(0, 'Go', '1.0');
    tablet.event(0, 'Go', '1.1');
    expect(tablet.outbox.takeDue()).toHaveLength(2);
    expect(tablet.outbox.statsOf('c')).toMatchObject({ intended: 2, pending: 2 });
  });

  test('where decides, each campaign for itself', () => {
    const tablet = new TestTablet();
    tablet.save({
      name: 'small',
      trigger: { event: ['Go', 'Run'], where: [{ prop: 'n', op: 'lt', value: 10 }] },
    });
    tablet.save({ name: 'none', trigger: { event: 'Go', where: [{ prop: 'n', op: 'notExists' }] } });
    tablet.event(0, 'Go', '1', { n: 5 });
    tablet.event(0, 'Run', '2', { n: 50 });
    tablet.event(0, 'Go', '3');
    expect(tablet.outbox.takeDue().map(({ campaign }) => campaign)).toEqual(['small', 'none']);
  });

  test('a delay is waited for, and unless takes the message back', () => {
    const tablet = new TestTablet();
    tablet.save(DELAYED);
    tablet.event(0, 'Go', '1');
    tablet.event(1, 'Go', '2');
    tablet.event(2, 'Go', '3');
    tablet.advance(HOUR_MS - 1);
    expect(tablet.outbox.takeDue()).toEqual([]);
    tablet.event(0, 'Stop', '4', { n: 1 });
    tablet.event(1, 'Stop', '5', { n: 2 });
    expect(tablet.outbox.nextDeadlineMs()).toBeLessThanOrEqual(HOUR_MS);
    tablet.advance(HOUR_MS);
    tablet.event(2, 'Stop', '6', { n: 2 });
    expect(tablet.outbox.takeDue().map(({ user }) => user.id)).toEqual(['u0', 'u2']);
    expect(tablet.outbox.statsOf('c')).toMatchObject({ intended: 3, cancelled: 1, pending: 2 });
    expect(tablet.outbox.nextDeadlineMs()).toBeUndefined();
  });

  test('an event that happened before the trigger does not take back', () => {
    const tablet = new TestTablet();
    tablet.save({ trigger: { event: 'Go', delay: '1h', unless: { event: 'Stop' } } });
    tablet.advance(5000);
    tablet.event(0, 'Go', '1');
    const late = { event: 'Stop', timeMs: 4999, properties: {} };
    tablet.outbox.onEvent({ ordinal: 0, call: late, occurrence: '2', valueOf: () => undefined }, 5000);
    expect(tablet.outbox.statsOf('c')).toMatchObject({ cancelled: 0, pending: 1 });
  });
});

test('segment triggers: the named change of the named segment', () => {
  const tablet = new TestTablet();
  tablet.save({ trigger: { segment: 'lapsed', on: 'enter' } });
  const change = { segment: 'lapsed', ordinal: 4, change: 'enter', atMs: 10 } as const;
  tablet.outbox.onChange(change, 10);
  tablet.outbox.onChange({ ...change, change: 'exit' }, 10);
  tablet.outbox.onChange({ ...change, segment: 'other' }, 10);
  tablet.outbox.onChange({ ...change, atMs: 20 }, 20);
  expect(tablet.outbox.takeDue().map(({ user, event }) => [user.id, event])).toEqual([
    ['u4', undefined],
    ['u4', undefined],
  ]);
});

describe('outcomes', () => {
  test.each([
    [{ kind: 'sent' }, 'Message Sent', {}],
    [
      { kind: 'failed', reason: 'http_404: gone: away' },
      'Message Failed',
      { reason: 'http_404', detail: 'gone: away' },
    ],
    [{ kind: 'skipped', reason: 'expired' }, 'Message Skipped', { reason: 'expired' }],
  ] as const)('%o ends the message, once', (result, event, properties) => {
    const tablet = new TestTablet();
    tablet.save({});
    tablet.event(5, 'Go', '1');
    const [intent] = tablet.outbox.takeDue();
    tablet.outcome(outcome(intent!, result));
    tablet.outcome(outcome(intent!, result));
    expect(tablet.outcomes).toEqual([
      {
        ordinal: 5,
        event,
        properties: { campaign: 'c', channel: 'webhook', messageId: intent!.messageId, ...properties },
      },
    ]);
    expect(tablet.outbox.pendingAfterReplay()).toEqual([]);
    expect(tablet.outbox.statsOf('c')).toMatchObject({ intended: 1, [result.kind]: 1, pending: 0 });
  });

  test('a retry is due at its time, as the next attempt', () => {
    const tablet = new TestTablet();
    tablet.save({});
    tablet.event(0, 'Go', '1');
    const [intent] = tablet.outbox.takeDue();
    const retry = { kind: 'retry', reason: 'http_503', notBeforeMs: 500 } as const;
    tablet.outcome(outcome(intent!, retry, 100));
    tablet.outcome(outcome(intent!, retry, 100));
    expect(tablet.outbox.admit(intent!, 0)).toBeUndefined();
    tablet.advance(499);
    expect(tablet.outbox.takeDue()).toEqual([]);
    tablet.advance(500);
    expect(tablet.outbox.takeDue()).toEqual([intent]);
    expect(intent!.attempts).toBe(1);
    expect(tablet.outbox.admit(intent!, 1)).toMatchObject({ ordinal: 0, campaign: { name: 'c' } });
  });
});

describe('campaigns that change', () => {
  test('a paused one intends nothing, and what is due waits', () => {
    const tablet = new TestTablet();
    tablet.save({});
    tablet.event(0, 'Go', '1');
    tablet.event(1, 'Go', '2');
    const [taken] = tablet.outbox.takeDue().slice(0, 1);
    tablet.event(2, 'Go', '3');
    tablet.save({}, 'paused');
    tablet.event(3, 'Go', '4');
    expect(tablet.outbox.takeDue()).toEqual([]);
    expect(tablet.outbox.admit(taken!, 0)).toBeUndefined();
    expect(tablet.outbox.pendingAfterReplay()).toEqual([]);
    tablet.save({});
    expect(tablet.outbox.takeDue().map(({ user }) => user.id)).toEqual(['u0', 'u1', 'u2']);
  });

  test('messages of a removed one are handed out without it, even when another takes its name', () => {
    const tablet = new TestTablet();
    tablet.save({});
    tablet.event(0, 'Go', '1');
    tablet.outbox.setCampaign('c', null);
    tablet.event(0, 'Go', '2');
    tablet.save({});
    const [intent, ...more] = tablet.outbox.takeDue();
    expect(more).toEqual([]);
    expect(tablet.outbox.admit(intent!, 0)).toEqual({ ordinal: 0, campaign: undefined });
    expect(tablet.outbox.statsOf('c')).toMatchObject({ intended: 0 });
  });

  test('messages are sent as the campaign stands', () => {
    const tablet = new TestTablet();
    tablet.save({});
    tablet.event(0, 'Go', '1');
    tablet.save({ message: { url: 'https://other.example/x', body: 'new' } });
    expect(tablet.outbox.takeDue()).toMatchObject([{ destination: 'https://other.example' }]);
  });
});

test('a full outbox skips at once', () => {
  const tablet = new TestTablet({ intentsMax: 2 });
  tablet.save({});
  for (const occurrence of ['1', '2', '3']) tablet.event(0, 'Go', occurrence);
  expect(tablet.outcomes).toMatchObject([
    { ordinal: 0, event: 'Message Skipped', properties: { reason: 'outbox_full' } },
  ]);
  expect(tablet.outbox.statsOf('c')).toEqual({
    intended: 3,
    sent: 0,
    failed: 0,
    skipped: 1,
    cancelled: 0,
    pending: 2,
  });
});

test('a suppressed address is known until it is allowed again', () => {
  const { outbox } = new TestTablet();
  outbox.setSuppression('webhook:https://a', { atMs: 1 });
  expect([outbox.isSuppressed('webhook:https://a'), outbox.isSuppressed('webhook:https://b')]).toEqual([
    true,
    false,
  ]);
  outbox.setSuppression('webhook:https://a', null);
  expect(outbox.isSuppressed('webhook:https://a')).toBe(false);
});

describe('merges', () => {
  test('within the tablet messages go with the user, under their ids', () => {
    const tablet = new TestTablet();
    tablet.save(DELAYED);
    tablet.event(1, 'Go', '1');
    tablet.event(2, 'Go', '2');
    tablet.outbox.onMerge(1, 2);
    tablet.event(2, 'Stop', '3', { n: 9 });
    expect(tablet.outbox.statsOf('c')).toMatchObject({ cancelled: 2, pending: 0 });
  });

  test('to another tablet: whatever state they are in, as JSON', () => {
    const source = new TestTablet();
    const target = new TestTablet();
    for (const tablet of [source, target]) tablet.save(DELAYED);
    for (const tablet of [source, target]) tablet.save({ name: 'now' });
    source.event(1, 'Go', '1');
    const [due] = source.outbox.takeDue();
    source.event(1, 'Go', '2');
    const [retried] = source.outbox.takeDue();
    source.outcome(outcome(retried!, { kind: 'retry', reason: 'http_500', notBeforeMs: MINUTE_MS }));
    const before = idsOf(source.outbox.pendingAfterReplay());

    target.outbox.adopt(7, JSON.parse(JSON.stringify(source.outbox.extract(1))));
    expect(source.outbox.extract(1)).toBeUndefined();
    expect(source.outbox.pendingAfterReplay()).toEqual([]);
    expect(source.outbox.admit(due!, 0)).toBeUndefined();
    expect(source.outbox.statsOf('now')).toMatchObject({ intended: 0, pending: 0 });
    expect(idsOf(target.outbox.takeDue())).toEqual(before);
    target.advance(MINUTE_MS);
    expect(target.outbox.takeDue()).toMatchObject([
      { messageId: retried!.messageId, attempts: 1, user: { id: 'u7' } },
    ]);
    target.advance(HOUR_MS);
    expect(target.outbox.takeDue()).toHaveLength(2);
    expect(target.outbox.statsOf('now')).toMatchObject({ intended: 2, pending: 2 });
    // What the source had under way ends in the target.
    target.outcome(outcome(due!, { kind: 'sent' }));
    expect(target.outcomes).toMatchObject([{ ordinal: 7, event: 'Message Sent' }]);
  });
});

/** Plays a random history; what is sent when depends on `owner`, all else on `seed`. */
function play(seed: number, owner: (tablet: TestTablet) => void): TestTablet {
  const random = new SeededRandom(seed);
  const tablet = new TestTablet();
  tablet.save({});
  tablet.save({ name: 'late', ...DELAYED });
  tablet.save({ name: 'entered', trigger: { segment: 's', on: 'enter' } });
  const open = new Map<string, Intent>();
  for (let step = 0; step < 300; step++) {
    tablet.advance(tablet.clockMs + random.below(5 * MINUTE_MS));
    const ordinal = random.below(10);
    switch (random.below(8)) {
      case 0:
        tablet.outbox.onChange(
          { segment: 's', ordinal, change: 'enter', atMs: tablet.clockMs },
          tablet.clockMs,
        );
        break;
      case 1:
        tablet.event(ordinal, 'Stop', `${step}`, { n: 2 });
        break;
      case 2:
        tablet.save({ name: 'late', ...DELAYED }, random.chance(0.5) ? 'paused' : 'active');
        break;
      case 3:
      case 4: {
        for (const intent of tablet.outbox.pendingAfterReplay()) open.set(intent.messageId, intent);
        const intent = [...open.values()][random.below(open.size || 1)];
        if (intent === undefined) break;
        const notBeforeMs = tablet.clockMs + random.below(HOUR_MS);
        const result = random.chance(0.5)
          ? ({ kind: 'sent' } as const)
          : ({ kind: 'retry', reason: 'x', notBeforeMs } as const);
        tablet.outcome(outcome(intent, result, tablet.clockMs));
        break;
      }
      default:
        tablet.event(ordinal, 'Go', `${step}`, { n: step });
    }
    owner(tablet);
  }
  return tablet;
}

test.each([1, 2, 3, 4, 5])(
  'the same records give the same state, whatever the owner took (seed %i)',
  (seed) => {
    const taker = play(seed, (tablet) => void tablet.outbox.takeDue());
    const idle = play(seed, () => {});
    expect(taker.hash()).toBe(idle.hash());
    expect(taker.hash()).not.toBe(play(seed + 100, () => {}).hash());
    for (const name of ['c', 'late', 'entered']) {
      expect(taker.outbox.statsOf(name)).toEqual(idle.outbox.statsOf(name));
    }
  },
);

test.each([1, 2, 3])('every occurrence ends exactly once (seed %i)', (seed) => {
  const tablet = play(seed, () => {});
  for (const name of ['c', 'late', 'entered']) tablet.save({ ...(name === 'late' ? DELAYED : {}), name });
  for (let round = 0; round < 50; round++) {
    tablet.advance(tablet.clockMs + HOUR_MS);
    const due = round === 0 ? tablet.outbox.pendingAfterReplay() : tablet.outbox.takeDue();
    for (const intent of due) tablet.outcome(outcome(intent, { kind: 'sent' }, tablet.clockMs));
  }
  const ended = tablet.outcomes.map(({ properties }) => properties.messageId);
  expect(new Set(ended).size).toBe(ended.length);
  let sent = 0;
  for (const name of ['c', 'late', 'entered']) {
    const stats = tablet.outbox.statsOf(name);
    expect(stats.pending).toBe(0);
    expect(stats.intended).toBe(stats.sent + stats.cancelled);
    sent += stats.sent;
  }
  expect(ended).toHaveLength(sent);
  expect(sent).toBeGreaterThan(50);
});
