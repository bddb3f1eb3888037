import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARRAY_VALUES_MAX, TRAIT_INCREMENTS_MAX } from '../../base/limits.ts';
import { isArray, type Scalar, type Value } from '../../base/value.ts';
import type { TraitOperation } from '../../log/record.ts';
import { applyOperation, hasValue, merged, NO_STATE, type TraitState, traitValue } from './traitState.ts';

type Operation =
  | { readonly op: 'set' | 'setOnce'; readonly value: Value }
  | { readonly op: 'unset' }
  | { readonly op: 'increment'; readonly by: number }
  | { readonly op: 'add' | 'remove'; readonly elements: readonly Scalar[] };

interface Dated {
  readonly timeMs: number;
  readonly operation: Operation;
}

const at = (timeMs: number, operation: Operation): Dated => ({ timeMs, operation });

function stateAfter(arrivals: readonly Dated[], drops = { droppedValues: 0 }): TraitState {
  return arrivals.reduce(
    (state, { timeMs, operation }) =>
      applyOperation(state, { ...operation, trait: 't' } as TraitOperation, timeMs, drops),
    NO_STATE,
  );
}

const valueAfter = (...arrivals: readonly Dated[]) => traitValue(stateAfter(arrivals));

/** The rules of TraitState, said once more over all operations at once. */
function oracle(arrivals: readonly Dated[]): Value | undefined {
  const inTime = arrivals.map((dated, arrival) => ({ ...dated, arrival }));
  inTime.sort((a, b) => a.timeMs - b.timeMs || a.arrival - b.arrival);
  const last = inTime.findLastIndex(({ operation }) => operation.op === 'set' || operation.op === 'unset');
  const starting = last === -1 ? inTime.find(({ operation }) => operation.op === 'setOnce') : inTime[last];
  const start = starting && 'value' in starting.operation ? starting.operation.value : undefined;
  const newer = inTime.slice(last + 1).map(({ operation }) => operation);

  const increments = newer.filter((operation) => operation.op === 'increment');
  if (typeof start === 'number' || (start === undefined && increments.length > 0)) {
    return increments.reduce((sum, { by }) => sum + by, start ?? 0);
  }
  if (start !== undefined && !isArray(start)) return start;
  let elements = [...(start ?? [])];
  const lastOf = new Map<Scalar, 'add' | 'remove'>();
  for (const operation of newer) {
    if (operation.op !== 'add' && operation.op !== 'remove') continue;
    for (const element of operation.elements) {
      lastOf.delete(element);
      lastOf.set(element, operation.op);
    }
  }
  elements = elements.filter((element) => lastOf.get(element) !== 'remove');
  for (const [element, op] of lastOf) {
    if (op === 'add' && !elements.includes(element)) elements.push(element);
  }
  return start === undefined && elements.length === 0 ? undefined : elements;
}

const scalar = fc.constantFrom<Scalar>('a', 'b', 'c', 1, true);
const elements = fc.uniqueArray(scalar, { maxLength: 3 });
const value = fc.oneof(scalar, fc.constantFrom<Value>(10, 20), elements);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constantFrom('set', 'setOnce'), value }),
  fc.constant<Operation>({ op: 'unset' }),
  fc.record({ op: fc.constant('increment'), by: fc.integer({ min: -5, max: 5 }) }),
  fc.record({ op: fc.constantFrom('add', 'remove'), elements }),
);
const history = (times: fc.Arbitrary<number>) =>
  fc.array(fc.record({ timeMs: times, operation }), { maxLength: 14 });

describe('TraitState', () => {
  it('gives the value that the rules give, in any order of arrival, with equal times too', () => {
    fc.assert(
      fc.property(history(fc.integer({ min: 1, max: 8 })), (arrivals) => {
        const state = stateAfter(arrivals);
        expect(traitValue(state)).toEqual(oracle(arrivals));
        expect(hasValue(state)).toBe(traitValue(state) !== undefined);
      }),
      { numRuns: 3000, seed: 1 },
    );
  });

  it('is one and the same state in any order of arrival when the times differ', () => {
    const shuffled = fc
      .uniqueArray(fc.record({ timeMs: fc.nat(1000), operation }), {
        maxLength: 14,
        selector: ({ timeMs }) => timeMs,
      })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(stateAfter(one)).toEqual(stateAfter(other));
      }),
      { numRuns: 2000, seed: 2 },
    );
  });

  it('survives JSON', () => {
    fc.assert(
      fc.property(history(fc.nat(20)), (arrivals) => {
        const state = stateAfter(arrivals);
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  it.each<[string, Value | undefined, Dated[]]>([
    ['the later set wins', 'new', [at(2, { op: 'set', value: 'new' }), at(1, { op: 'set', value: 'old' })]],
    [
      'at equal times the later arrival',
      'b',
      [at(1, { op: 'set', value: 'a' }), at(1, { op: 'set', value: 'b' })],
    ],
    [
      'a late set counts newer increments only',
      13,
      [
        at(5, { op: 'increment', by: 3 }),
        at(1, { op: 'increment', by: 100 }),
        at(3, { op: 'set', value: 10 }),
      ],
    ],
    ['increments begin at 0', 2, [at(1, { op: 'increment', by: 2 })]],
    [
      'an unset trait counts again from 0',
      2,
      [at(1, { op: 'set', value: 9 }), at(3, { op: 'increment', by: 2 }), at(2, { op: 'unset' })],
    ],
    [
      'the earliest setOnce wins',
      'first',
      [at(2, { op: 'setOnce', value: 'second' }), at(1, { op: 'setOnce', value: 'first' })],
    ],
    [
      'a set beats an earlier and a later setOnce',
      's',
      [
        at(3, { op: 'setOnce', value: 'x' }),
        at(2, { op: 'set', value: 's' }),
        at(1, { op: 'setOnce', value: 'y' }),
      ],
    ],
    [
      'an emptied set that was set is an empty array',
      [],
      [at(1, { op: 'set', value: ['a'] }), at(2, { op: 'remove', elements: ['a'] })],
    ],
    [
      'an emptied set that was only added to is no value',
      undefined,
      [at(1, { op: 'add', elements: ['a'] }), at(2, { op: 'remove', elements: ['a'] })],
    ],
    ['text is not counted on', 'x', [at(1, { op: 'set', value: 'x' }), at(2, { op: 'increment', by: 1 })]],
    [
      'until a number replaces it',
      6,
      [at(1, { op: 'set', value: 'x' }), at(3, { op: 'increment', by: 1 }), at(2, { op: 'set', value: 5 })],
    ],
  ])('%s', (_, expected, arrivals) => {
    expect(valueAfter(...arrivals)).toEqual(expected);
    expect(oracle(arrivals)).toEqual(expected);
  });

  it('keeps a bounded number of increments and loses none of their sum', () => {
    const many = Array.from({ length: 1000 }, (_, i) => at(i + 1, { op: 'increment', by: 1 }));
    const state = stateAfter(many);
    expect(state.increments.length).toBe(TRAIT_INCREMENTS_MAX);
    expect(traitValue(state)).toBe(1000);
    const late = at(1000 - TRAIT_INCREMENTS_MAX + 2, { op: 'set', value: 0 });
    expect(traitValue(stateAfter([...many, late]))).toBe(TRAIT_INCREMENTS_MAX - 2);
  });

  it('stays finite', () => {
    const huge = at(1, { op: 'increment', by: Number.MAX_VALUE });
    expect(valueAfter(huge, huge, huge)).toBe(Number.MAX_VALUE);
  });

  it('drops and counts what is added to a full array, and takes it when there is room again', () => {
    const drops = { droppedValues: 0 };
    const full = Array.from({ length: ARRAY_VALUES_MAX }, (_, i) => `e${i}`);
    const operations = [
      at(1, { op: 'set', value: full.slice(0, 50) }),
      at(2, { op: 'add', elements: full }),
      at(3, { op: 'add', elements: ['x', 'y'] }),
      at(4, { op: 'remove', elements: ['e0', 'e99'] }),
      at(5, { op: 'add', elements: ['y', 'e0', 'z'] }),
    ];
    expect(traitValue(stateAfter(operations.slice(0, 3), drops))).toEqual(full);
    expect(drops.droppedValues).toBe(2);
    const array = traitValue(stateAfter(operations)) as readonly Scalar[];
    expect(array.length).toBe(ARRAY_VALUES_MAX);
    expect(['y', 'e0', 'z', 'e99'].map((element) => array.includes(element))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('keeps a bounded number of removals', () => {
    const removals = Array.from({ length: 500 }, (_, i) => at(i, { op: 'remove', elements: [i] }));
    expect(stateAfter(removals).elements.length).toBe(ARRAY_VALUES_MAX);
  });
});

describe('merged', () => {
  const drops = { droppedValues: 0 };
  const mergedValue = (known: readonly Dated[], anonymous: readonly Dated[]) =>
    traitValue(merged(stateAfter(known), stateAfter(anonymous), drops));

  it.each<[string, Value | undefined, Dated[], Dated[]]>([
    ['the known value wins', 'k', [at(1, { op: 'set', value: 'k' })], [at(9, { op: 'set', value: 'a' })]],
    ['so does a known unset', undefined, [at(1, { op: 'unset' })], [at(9, { op: 'set', value: 'a' })]],
    ['and a known setOnce', 'k', [at(5, { op: 'setOnce', value: 'k' })], [at(1, { op: 'set', value: 'a' })]],
    ['increments add up', 5, [at(1, { op: 'increment', by: 2 })], [at(2, { op: 'increment', by: 3 })]],
    [
      'also those older than the known set',
      103,
      [at(5, { op: 'set', value: 100 })],
      [at(2, { op: 'increment', by: 3 })],
    ],
    [
      'and those on what the anonymous user had set',
      18,
      [at(1, { op: 'increment', by: 3 })],
      [at(7, { op: 'set', value: 10 }), at(8, { op: 'increment', by: 5 })],
    ],
    ['sets unite', ['k', 'a'], [at(5, { op: 'set', value: ['k'] })], [at(1, { op: 'add', elements: ['a'] })]],
    [
      'except for what the known user has removed',
      ['b'],
      [at(1, { op: 'remove', elements: ['a'] })],
      [at(5, { op: 'add', elements: ['a', 'b'] })],
    ],
    ['or has', ['a'], [at(1, { op: 'set', value: ['a'] })], [at(5, { op: 'remove', elements: ['a'] })]],
    [
      'arrays that were set do not unite',
      ['k'],
      [at(1, { op: 'set', value: ['k'] })],
      [at(5, { op: 'set', value: ['a'] })],
    ],
  ])('%s', (_, expected, known, anonymous) => {
    expect(mergedValue(known, anonymous)).toEqual(expected);
  });

  it('leaves a state that goes on as any other', () => {
    const state = merged(
      stateAfter([at(5, { op: 'set', value: 100 })]),
      stateAfter([at(2, { op: 'increment', by: 3 })]),
      drops,
    );
    const later = (timeMs: number, operation: TraitOperation) =>
      traitValue(applyOperation(state, operation, timeMs, drops));
    expect(later(4, { op: 'increment', trait: 't', by: 1 })).toBe(103);
    expect(later(6, { op: 'increment', trait: 't', by: 1 })).toBe(104);
    expect(later(6, { op: 'set', trait: 't', value: 1 })).toBe(1);
  });
});
