import { beforeAll, describe, expect, it } from 'vitest';
import { initHash } from '../base/hash.ts';
import { mergeDescriptions, Schema } from './schema.ts';
import { StateHash } from './stateHash.ts';

beforeAll(initHash);

const limits = { eventNames: 2, propertiesPerEvent: 2, traits: 2 };

describe('Schema', () => {
  it('codes names by the order of declaration, a property name once for all events', () => {
    const schema = new Schema();
    schema.declare({ events: [{ event: 'Viewed', properties: ['page', 'price'] }], traits: ['email'] });
    schema.declare({ events: [{ event: 'Bought', properties: ['price'] }], traits: ['email', 'plan'] });
    expect(schema.eventCount).toBe(2);
    expect([schema.eventCode('Viewed'), schema.eventCode('Bought'), schema.eventCode('Other')]).toEqual([
      0,
      1,
      undefined,
    ]);
    expect(schema.eventName(1)).toBe('Bought');
    expect([schema.propertyCode('page'), schema.propertyCode('price')]).toEqual([0, 1]);
    expect(schema.propertyName(1)).toBe('price');
    expect(schema.isPropertyDeclared('Bought', 'price')).toBe(true);
    expect(schema.isPropertyDeclared('Bought', 'page')).toBe(false);
    expect(schema.isPropertyDeclared('Other', 'page')).toBe(false);
    expect(schema.isTraitDeclared('plan')).toBe(true);
  });

  it('takes names in order up to each limit', () => {
    const schema = new Schema(limits);
    const full = () => [schema.hasRoomForEvent(), schema.hasRoomForProperty('a'), schema.hasRoomForTrait()];
    expect(full()).toEqual([true, true, true]);
    schema.declare({
      events: [
        { event: 'a', properties: ['p', 'q', 'r'] },
        { event: 'b', properties: ['r'] },
        { event: 'c', properties: ['s'] },
      ],
      traits: ['t', 'u', 'v'],
    });
    expect(full()).toEqual([false, false, false]);
    expect(schema.hasRoomForProperty('b')).toBe(true);
    expect(['a', 'b', 'c'].map((event) => schema.isDeclared(event))).toEqual([true, true, false]);
    expect(['p', 'q', 'r'].map((property) => schema.isPropertyDeclared('a', property))).toEqual([
      true,
      true,
      false,
    ]);
    expect(schema.propertyCode('s')).toBe(undefined);
    expect(schema.traits).toEqual(['t', 'u']);
  });

  it('describes what was seen, and merges descriptions', () => {
    const [first, second] = [new Schema(), new Schema()];
    first.declare({ events: [{ event: 'b', properties: ['p'] }], traits: ['z'] });
    second.declare({
      events: [
        { event: 'b', properties: ['p', 'o'] },
        { event: 'a', properties: [] },
      ],
      traits: ['y'],
    });
    first.note(0, 50, [[0, 'text']]);
    first.note(0, 40, []);
    second.note(0, 60, [
      [0, 7],
      [1, ['x']],
    ]);
    second.note(0, 45, [[0, true]]);
    const merged = mergeDescriptions(first.describe(), second.describe());
    expect(merged).toEqual({
      events: [
        { event: 'a', count: 0, firstSeenMs: null, lastSeenMs: null, properties: [] },
        {
          event: 'b',
          count: 4,
          firstSeenMs: 40,
          lastSeenMs: 60,
          properties: [
            { property: 'o', types: ['array'], count: 1, firstSeenMs: 60, lastSeenMs: 60 },
            {
              property: 'p',
              types: ['number', 'text', 'boolean'],
              count: 3,
              firstSeenMs: 45,
              lastSeenMs: 60,
            },
          ],
        },
      ],
      traits: ['y', 'z'],
    });
    expect(mergeDescriptions(second.describe(), first.describe())).toEqual(merged);
  });

  it('hashes names, codes and statistics', () => {
    const build = (change: (schema: Schema) => void) => {
      const schema = new Schema();
      schema.declare({ events: [{ event: 'a', properties: ['p', 'q'] }], traits: [] });
      change(schema);
      const hash = new StateHash();
      schema.hashInto(hash);
      return JSON.stringify(hash.digest());
    };
    const changes: ((schema: Schema) => void)[] = [
      () => {},
      (schema) => schema.declare({ events: [], traits: ['t'] }),
      (schema) => schema.declare({ events: [{ event: 't', properties: [] }], traits: [] }),
      (schema) => schema.declare({ events: [{ event: 'a', properties: ['t'] }], traits: [] }),
      (schema) => schema.note(0, 1, []),
      (schema) => schema.note(0, 2, []),
      (schema) => schema.note(0, 1, [[0, 1]]),
      (schema) => schema.note(0, 1, [[1, 1]]),
      (schema) => schema.note(0, 1, [[0, 'x']]),
    ];
    expect(new Set(changes.map(build)).size).toBe(changes.length);
    expect(build(changes[3]!)).toBe(build(changes[3]!));
  });
});
