import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import type { Call } from '../log/record.ts';
import type { Accepted } from './accepted.ts';
import type { CallType } from './calls.ts';
import { collect } from './collect.ts';
import { TestView } from './testView.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 12);
const MESSAGE = { userId: 'ann', messageId: 'm1' };

function send(type: CallType | 'batch' | 'import', body: unknown, view = new TestView()): Accepted {
  // Through JSON, so that nothing is tested that a request cannot hold.
  const text = JSON.stringify(body);
  return collect({
    type,
    body: JSON.parse(text),
    bytes: Buffer.byteLength(text),
    receivedAtMs: NOW_MS,
    view,
  });
}

function propertiesOf(properties: unknown, context?: unknown): unknown {
  const [call] = send('track', { ...MESSAGE, event: 'E', properties, context }).calls;
  return call?.kind === 'event' ? call.properties : undefined;
}

function operationsOf(traits: unknown): unknown {
  const [call] = send('identify', { userId: 'ann', traits }).calls;
  return call?.kind === 'traits' ? call.operations : undefined;
}

function refusal(type: CallType | 'batch' | 'import', body: unknown): unknown {
  try {
    send(type, body);
  } catch (error) {
    if (error instanceof MusterError) return error.body;
    throw error;
  }
  return undefined;
}

describe('calls', () => {
  const ann = { user: { known: true, id: 'ann' }, timeMs: NOW_MS };
  const cases: [string, CallType, object, Call[]][] = [
    [
      'track is an event',
      'track',
      { ...MESSAGE, event: 'Order Completed', properties: { total: 7 } },
      [{ kind: 'event', ...ann, messageId: 'm1', event: 'Order Completed', properties: { total: 7 } }],
    ],
    [
      'with both ids it is the known user’s and merges nothing',
      'track',
      { userId: 'ann', anonymousId: 'a1', event: 'E' },
      [{ kind: 'event', ...ann, event: 'E', properties: {} }],
    ],
    [
      'an empty userId is none, a number is text',
      'track',
      { userId: '', anonymousId: 17, event: 'E' },
      [{ kind: 'event', user: { known: false, id: '17' }, timeMs: NOW_MS, event: 'E', properties: {} }],
    ],
    [
      'page is an event with its name and category',
      'page',
      { userId: 'ann', name: 'Home', category: 'Shop', properties: { path: '/' } },
      [
        {
          kind: 'event',
          ...ann,
          event: 'Page Viewed',
          properties: { path: '/', name: 'Home', category: 'Shop' },
        },
      ],
    ],
    [
      'screen is an event',
      'screen',
      { userId: 'ann', name: null, properties: { name: 'Cart' } },
      [{ kind: 'event', ...ann, event: 'Screen Viewed', properties: { name: 'Cart' } }],
    ],
    [
      'identify names the user, even without traits',
      'identify',
      { ...MESSAGE, traits: [] },
      [{ kind: 'traits', ...ann, messageId: 'm1', operations: [] }],
    ],
    [
      'identify with both ids merges',
      'identify',
      { ...MESSAGE, anonymousId: 'a1', traits: { plan: 'pro' } },
      [
        {
          kind: 'traits',
          ...ann,
          messageId: 'm1',
          operations: [{ op: 'set', trait: 'plan', value: 'pro' }],
        },
        { kind: 'alias', of: 'identify', anonymousId: 'a1', userId: 'ann', timeMs: NOW_MS },
      ],
    ],
    [
      'identify takes the traits of its context only for want of its own',
      'identify',
      { userId: 'ann', context: { traits: { visits: { $inc: 1 } } } },
      [{ kind: 'traits', ...ann, operations: [{ op: 'increment', trait: 'visits', by: 1 }] }],
    ],
    [
      'group is traits',
      'group',
      { userId: 'ann', groupId: 42, traits: { name: 'Acme', address: { city: 'Bonn' } } },
      [
        {
          kind: 'traits',
          ...ann,
          operations: [
            { op: 'set', trait: 'group_name', value: 'Acme' },
            { op: 'set', trait: 'group_address.city', value: 'Bonn' },
            { op: 'set', trait: 'group_id', value: '42' },
          ],
        },
      ],
    ],
    [
      'alias merges',
      'alias',
      { ...MESSAGE, previousId: 'a1' },
      [{ kind: 'alias', of: 'alias', anonymousId: 'a1', userId: 'ann', timeMs: NOW_MS, messageId: 'm1' }],
    ],
  ];
  test.each(cases)('%s', (_, type, body, calls) => {
    expect(send(type, body)).toMatchObject({ items: 1, letters: [], droppedValues: 0 });
    expect(send(type, body).calls).toEqual(calls);
  });

  test('texts come out well-formed', () => {
    const [call] = send('track', {
      userId: 'u\uD800',
      messageId: '\uDC00m',
      event: 'E\uD800',
      properties: { 'p\uD800': '\uD800 v', emoji: '🙂' },
    }).calls;
    expect(call).toMatchObject({
      user: { id: 'u\uFFFD' },
      messageId: '\uFFFDm',
      event: 'E\uFFFD',
      properties: { 'p\uFFFD': '\uFFFD v', emoji: '🙂' },
    });
  });

  test.each([
    ['track', { event: 'E' }, '$.userId'],
    ['track', { userId: {}, event: 'E' }, '$.userId'],
    ['track', { userId: 'é'.repeat(129), event: 'E' }, '$.userId'],
    ['track', { userId: 'ann' }, '$.event'],
    ['track', { userId: 'ann', event: '' }, '$.event'],
    ['track', { userId: 'ann', event: 'x'.repeat(201) }, '$.event'],
    ['track', { userId: 'ann', event: 7 }, '$.event'],
    ['track', { userId: 'ann', event: 'E', messageId: 'm'.repeat(101) }, '$.messageId'],
    ['track', { userId: 'ann', event: 'E', timestamp: 'noon' }, '$.timestamp'],
    ['track', { userId: 'ann', event: 'E', properties: 'none' }, '$.properties'],
    ['track', { userId: 'ann', event: 'E', properties: [1] }, '$.properties'],
    ['track', { userId: 'ann', event: 'E', context: 1 }, '$.context'],
    ['track', { userId: 'ann', event: 'E', properties: { text: 'x'.repeat(33_000) } }, '$'],
    ['track', [], '$'],
    ['group', { userId: 'ann' }, '$.groupId'],
    ['alias', { previousId: 'a1' }, '$.userId'],
    ['alias', { userId: 'ann' }, '$.previousId'],
    ['alias', { userId: 'ann', previousId: 'ann' }, '$.previousId'],
  ] as const)('a single %s of %.80j is refused at %3$s', (type, body, path) => {
    expect(refusal(type, body)).toMatchObject({ code: 'bad_request', path });
  });
});

describe('properties', () => {
  test('are flattened; nulls are left out', () => {
    const nested = { a: { b: { c: 1 }, d: null }, list: ['x', null, 2, true], empty: [], none: null };
    expect(propertiesOf(nested)).toEqual({ 'a.b.c': 1, list: ['x', 2, true], empty: [] });
  });

  test('an array of objects is kept as JSON text', () => {
    expect(propertiesOf({ items: [{ sku: 'a' }, [1], null] })).toEqual({ items: '[{"sku":"a"},[1],null]' });
  });

  test('names of Object.prototype are names like others, and __proto__ is dropped', () => {
    const body = JSON.parse(
      '{"userId":"ann","event":"E","properties":{"__proto__":{"a":1},"__proto__":"x","constructor":1,"toString":"y"}}',
    );
    const accepted = collect({ type: 'track', body, bytes: 1, receivedAtMs: NOW_MS, view: new TestView() });
    expect(accepted).toMatchObject({ droppedValues: 1 });
    expect(accepted.calls[0]).toHaveProperty('properties', { constructor: 1, toString: 'y' });
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });

  test('what is over a limit is dropped and counted, the event kept', () => {
    const { calls, droppedValues } = send('track', {
      userId: 'ann',
      event: 'E',
      properties: {
        ok: 'é'.repeat(512),
        long: 'é'.repeat(513),
        many: Array(101).fill(1),
        full: Array(100).fill(1),
        objects: [{ text: 'x'.repeat(1024) }],
        ['n'.repeat(201)]: 1,
        '': 1,
      },
    });
    expect(calls).toMatchObject([{ properties: { ok: 'é'.repeat(512), full: Array(100).fill(1) } }]);
    expect(Object.keys((calls[0] as { properties: object }).properties)).toEqual(['ok', 'full']);
    expect(droppedValues).toBe(5);
  });

  test('a number that is no finite double is dropped', () => {
    const body = JSON.parse('{"userId":"ann","event":"E","properties":{"a":1e999,"b":[1,-1e999],"c":-0}}');
    const accepted = collect({ type: 'track', body, bytes: 1, receivedAtMs: NOW_MS, view: new TestView() });
    expect(accepted).toMatchObject({ droppedValues: 2, calls: [{ properties: { c: -0 } }] });
  });

  test('of the context, only the listed fields are kept', () => {
    const context = {
      ip: '203.0.113.7',
      userAgent: 'x',
      locale: 'de-DE',
      timezone: 'Europe/Berlin',
      library: { name: 'lib', version: '1' },
      device: { id: 'd', type: 'ios', token: 't' },
      os: { name: 'iOS', version: '19' },
      app: { name: 'Shop', version: '2.1' },
      campaign: { name: 'spring', source: 'mail', extra: { a: 1 } },
      page: { path: '/p', referrer: 'https://r', title: 't', url: 'https://u' },
      traits: { email: 'a@b' },
    };
    expect(propertiesOf({ a: 1 }, context)).toEqual({
      a: 1,
      '$context.locale': 'de-DE',
      '$context.timezone': 'Europe/Berlin',
      '$context.library.name': 'lib',
      '$context.device.type': 'ios',
      '$context.os.name': 'iOS',
      '$context.os.version': '19',
      '$context.app.version': '2.1',
      '$context.campaign.name': 'spring',
      '$context.campaign.source': 'mail',
      '$context.campaign.extra.a': 1,
      '$context.page.path': '/p',
      '$context.page.referrer': 'https://r',
    });
  });
});

describe('trait operations', () => {
  test.each([
    [{ a: 1 }, [{ op: 'set', trait: 'a', value: 1 }]],
    [{ a: [1, null] }, [{ op: 'set', trait: 'a', value: [1] }]],
    [{ a: null }, [{ op: 'unset', trait: 'a' }]],
    [
      { a: { b: null, c: 'x' } },
      [
        { op: 'unset', trait: 'a.b' },
        { op: 'set', trait: 'a.c', value: 'x' },
      ],
    ],
    [{ a: { $add: ['x', 1] } }, [{ op: 'add', trait: 'a', elements: ['x', 1] }]],
    [{ a: { $remove: ['x'] } }, [{ op: 'remove', trait: 'a', elements: ['x'] }]],
    [{ a: { b: { $inc: -2.5 } } }, [{ op: 'increment', trait: 'a.b', by: -2.5 }]],
    [{ a: { $setOnce: 'x' } }, [{ op: 'setOnce', trait: 'a', value: 'x' }]],
    [{ a: {} }, []],
  ])('%j', (traits, operations) => {
    expect(operationsOf(traits)).toEqual(operations);
  });

  test.each([
    [{ a: { $inc: '1' } }, '$.traits.a'],
    [{ a: { $inc: 1, $add: [1] } }, '$.traits.a'],
    [{ a: { $inc: 1, b: 1 } }, '$.traits.a'],
    [{ a: { b: { $set: 1 } } }, '$.traits.a.b'],
    [{ a: { $add: 'x' } }, '$.traits.a'],
    [{ a: { $remove: [{}] } }, '$.traits.a'],
    [{ a: { $add: [null] } }, '$.traits.a'],
    [{ a: { $setOnce: null } }, '$.traits.a'],
    [{ a: { $setOnce: {} } }, '$.traits.a'],
  ])('%j is refused at %s', (traits, path) => {
    expect(refusal('identify', { userId: 'ann', traits })).toMatchObject({ code: 'bad_request', path });
  });

  test('values over a limit are dropped and counted', () => {
    const traits = { a: 'x'.repeat(1025), b: { $add: ['x'.repeat(1025)] }, c: { $setOnce: 1 } };
    const { calls, droppedValues } = send('identify', { userId: 'ann', traits });
    expect(calls).toMatchObject([{ operations: [{ op: 'setOnce', trait: 'c', value: 1 }] }]);
    expect(droppedValues).toBe(2);
  });
});

describe('the account’s limits', () => {
  const track = (event: string, properties: object = {}) => ({
    type: 'track',
    userId: 'ann',
    event,
    properties,
  });

  test('new names are declared once', () => {
    const view = new TestView();
    const batch = [
      track('A', { x: 1 }),
      track('A', { x: 1, y: 2 }),
      track('B'),
      { type: 'identify', userId: 'u', traits: { t: 1 } },
    ];
    const { declare } = send('batch', { batch }, view);
    expect(declare).toEqual({
      kind: 'declare',
      atMs: NOW_MS,
      events: [
        { event: 'A', properties: ['x', 'y'] },
        { event: 'B', properties: [] },
      ],
      traits: ['t'],
    });
    view.apply(declare);
    expect(send('batch', { batch }, view).declare).toBeUndefined();
    const more = send('batch', { batch: [track('B', { z: 1 })] }, view).declare;
    expect(more).toMatchObject({ events: [{ event: 'B', properties: ['z'] }], traits: [] });
  });

  test('an event name past the limit makes a letter, also of a single call', () => {
    const view = new TestView({ events: 2 });
    const accepted = send('batch', { batch: ['A', 'B', 'C', 'A', 'D'].map((event) => track(event)) }, view);
    expect(accepted.items).toBe(3);
    expect(accepted.declare?.events.map(({ event }) => event)).toEqual(['A', 'B']);
    expect(accepted.letters.map(({ reason }) => reason)).toEqual([
      'too_many_event_names',
      'too_many_event_names',
    ]);
    view.apply(accepted.declare);
    expect(send('track', track('C'), view)).toMatchObject({
      items: 0,
      letters: [{ reason: 'too_many_event_names' }],
    });
  });

  test('a property or trait past the limit is dropped', () => {
    const view = new TestView({ properties: 2, traits: 1 });
    const identify = { type: 'identify', userId: 'ann', traits: { a: 1, b: 2 } };
    const accepted = send(
      'batch',
      { batch: [track('A', { x: 1, y: 2, z: 3 }), track('B', { z: 3 }), identify] },
      view,
    );
    expect(accepted).toMatchObject({ items: 3, droppedValues: 2 });
    expect(accepted.calls).toMatchObject([
      { properties: { x: 1, y: 2 } },
      { properties: { z: 3 } },
      { operations: [{ trait: 'a' }] },
    ]);
    expect(accepted.declare?.traits).toEqual(['a']);
  });

  test('an item that is refused declares nothing', () => {
    const bad = [
      { ...track('A', { x: 1 }), timestamp: 'x' },
      { type: 'identify', userId: 'u', traits: { a: 1, b: { $inc: 'x' } } },
    ];
    expect(send('batch', { batch: bad }).declare).toBeUndefined();
  });

  test('events past the retention make letters; traits do not', () => {
    const view = new TestView({ retentionMs: DAY_MS });
    const timestamp = new Date(NOW_MS - DAY_MS).toISOString();
    const old = { ...track('A'), timestamp };
    const young = { ...track('A'), timestamp: new Date(NOW_MS - DAY_MS + 1).toISOString() };
    const accepted = send(
      'batch',
      { batch: [old, young, { type: 'identify', userId: 'u', timestamp }] },
      view,
    );
    expect(accepted).toMatchObject({ items: 2, letters: [{ reason: 'too_old', receivedAtMs: NOW_MS }] });
    expect(JSON.parse(accepted.letters[0]!.item)).toEqual(old);
    expect(send('track', old, view)).toMatchObject({ items: 0, letters: [{ reason: 'too_old' }] });
  });
});

describe('batches', () => {
  const good = { type: 'track', userId: 'ann', event: 'E' };

  test('a bad item becomes a letter, the others are accepted', () => {
    const large = { ...good, properties: { text: 'é'.repeat(20_000) } };
    const bad = [
      { ...good, event: null },
      { ...good, type: 'boo' },
      7,
      null,
      large,
      { userId: 'ann', event: 'E' },
    ];
    const { items, letters } = send('batch', { batch: [good, ...bad, good] });
    expect(items).toBe(2);
    expect(letters.map(({ path }) => path)).toEqual(['$.event', '$.type', '$', '$', '$', '$.type']);
    expect(letters[0]).toEqual({
      reason: 'must be text of 1 to 200 bytes',
      path: '$.event',
      item: '{"type":"track","userId":"ann","event":null}',
      receivedAtMs: NOW_MS,
    });
    expect(letters[4]).toMatchObject({ reason: 'is over 32768 bytes' });
    expect(Buffer.byteLength(letters[4]!.item)).toBeLessThanOrEqual(32_768);
  });

  test('what is said once holds for every item that does not say otherwise', () => {
    const { calls } = send('batch', {
      batch: [
        {
          ...good,
          context: { os: { version: '1' }, locale: null },
          originalTimestamp: '2026-11-20T10:00:00Z',
        },
        good,
      ],
      context: { os: { name: 'iOS', version: '2' }, locale: 'de', ip: 'x' },
      sentAt: '2026-11-20T11:00:00Z',
      integrations: { All: false },
    });
    expect(calls).toEqual([
      expect.objectContaining({
        timeMs: NOW_MS - HOUR_MS,
        properties: { '$context.os.name': 'iOS', '$context.os.version': '1' },
      }),
      expect.objectContaining({
        timeMs: NOW_MS,
        properties: { '$context.os.name': 'iOS', '$context.os.version': '2', '$context.locale': 'de' },
      }),
    ]);
  });

  test('a line of an import without a type is a track, and its progress is passed on', () => {
    const id = 'ab'.repeat(32);
    const { calls, progress } = send('import', {
      batch: [{ userId: 'ann', event: 'E' }],
      import: { id, from: 1, to: 2, finished: true },
    });
    expect(calls).toMatchObject([{ kind: 'event', event: 'E' }]);
    expect(progress).toEqual({ kind: 'import', atMs: NOW_MS, id, from: 1, to: 2, finished: true });
  });

  test.each([
    ['batch', {}, '$.batch'],
    ['batch', { batch: {} }, '$.batch'],
    ['batch', { batch: Array(2501).fill(0) }, '$.batch'],
    ['batch', { batch: [], pad: 'x'.repeat(512_000) }, '$'],
    ['batch', { batch: [], context: 'x' }, '$.context'],
    ['batch', { batch: Array(2500).fill(0), context: { campaign: { a: 'x'.repeat(2200) } } }, '$.context'],
    ['batch', { batch: Array(2500).fill(0), context: { campaign: { a: 'é'.repeat(1100) } } }, '$.context'],
    ['import', { batch: [], pad: 'x'.repeat(4 << 20) }, '$'],
    ['import', { batch: [], import: { id: 'x' } }, '$.import.id'],
    ['import', { batch: [], import: { id: 'a'.repeat(64), from: 0 } }, '$.import.from'],
    ['import', { batch: [], import: { id: 'a'.repeat(64), from: 3, to: 2 } }, '$.import.to'],
    ['import', { batch: [], import: { id: 'a'.repeat(64), from: 3, to: 3 } }, '$.import.finished'],
  ] as const)('a %s of %.60j is refused at %s', (type, body, path) => {
    expect(refusal(type, body)).toMatchObject({ code: 'bad_request', path });
  });

  test('an import may be larger than a batch', () => {
    expect(send('import', { batch: [good], pad: 'x'.repeat(512_000) }).items).toBe(1);
  });
});

describe('whatever arrives', () => {
  const word = fc.constantFrom(
    ...['__proto__', 'constructor', 'toJSON', 'a', '$inc', '$add', 'traits', 'campaign', 'os', '', 'x\uD800'],
  );
  const leaf = fc.oneof(fc.jsonValue({ maxDepth: 1 }), word, fc.constantFrom(1e308, -0, '2026-11-20', 'ann'));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(word, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  const item = fc.record(
    {
      type: fc.constantFrom('track', 'identify', 'page', 'screen', 'group', 'alias', 'boo'),
      userId: fc.oneof(fc.constant('ann'), leaf),
      anonymousId: leaf,
      previousId: leaf,
      groupId: leaf,
      event: fc.oneof(word, leaf),
      messageId: leaf,
      timestamp: leaf,
      properties: tree,
      traits: tree,
      context: tree,
      name: tree,
    },
    { requiredKeys: ['type'] },
  );

  test('every item is accepted or a letter, and every text and name is fit', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(item, tree), { maxLength: 5 }), (batch) => {
        const view = new TestView({ events: 3, properties: 3, traits: 3, retentionMs: DAY_MS });
        const accepted = send('batch', { batch }, view);
        expect(accepted.items + accepted.letters.length).toBe(batch.length);
        expect(accepted.calls.length).toBeGreaterThanOrEqual(accepted.items);
        // JSON writes a lone surrogate as its escape.
        expect(JSON.stringify(accepted.calls)).not.toMatch(/(?<!\\)\\ud[89a-f]/);
        view.apply(accepted.declare);
        for (const call of accepted.calls) expectDeclared(call, view);
      }),
      { numRuns: 2000 },
    );
  });

  test('a single call is accepted, a letter or refused', () => {
    fc.assert(
      fc.property(item, (body) => {
        const refused = refusal(body.type === 'boo' ? 'batch' : body.type, body);
        if (refused !== undefined)
          expect(refused).toMatchObject({ code: 'bad_request', path: expect.any(String) });
      }),
      { numRuns: 1000 },
    );
  });

  function expectDeclared(call: Call, view: TestView): void {
    if (call.kind === 'event') {
      expect(view.isDeclared(call.event)).toBe(true);
      for (const name of Object.keys(call.properties)) {
        expect(view.isPropertyDeclared(call.event, name)).toBe(true);
      }
    }
    if (call.kind === 'traits') {
      for (const { trait } of call.operations) expect(view.isTraitDeclared(trait)).toBe(true);
    }
  }
});
