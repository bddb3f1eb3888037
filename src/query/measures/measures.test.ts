import { expect, test } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { isArray, type Value } from '../../base/value.ts';
import { NO_VALUE, ValueIds } from '../valueIds.ts';
import { lastWithBoth, lastWithValue } from './lastValue.ts';
import { countNumbers, greatestNumber, leastNumber, sumNumbers } from './numbers.ts';
import { ValueCounts } from './valueCounts.ts';

const VALUES: readonly (Value | undefined)[] = [
  undefined,
  1,
  '1',
  true,
  'x',
  2.5,
  [],
  [1, 'x'],
  ['x', 'x'],
  -1,
];
const BIT = 4;

test('measures agree with plain lists of the matches', () => {
  const ids = new ValueIds();
  const counts = new ValueCounts(ids);
  for (let seed = 0; seed < 3000; seed++) {
    const random = new SeededRandom(seed);
    const size = random.below(12);
    const values = Array.from({ length: size }, () => random.pick(VALUES));
    const kinds = Uint32Array.from({ length: size }, () => random.below(8));
    const [from, to] = [random.below(3), size - random.below(3)];
    const valueIds = Uint32Array.from(values, (value) => (value === undefined ? NO_VALUE : ids.idOf(value)));
    const otherIds = Uint32Array.from(valueIds, (id) => (random.chance(0.5) ? id : NO_VALUE));
    const numbers = Float64Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN));
    const places = values.map((_, i) => i).filter((i) => i >= from && i < to && (kinds[i]! & BIT) !== 0);
    const own = places.map((i) => values[i]).filter((value) => value !== undefined);
    const ownNumbers = own.filter((value) => typeof value === 'number');
    const elements = own.flatMap((value) => (isArray(value) ? [...value] : [value]));
    const label = `seed ${seed}`;
    expect(countNumbers(numbers, kinds, BIT, from, to), label).toBe(ownNumbers.length);
    const sum = ownNumbers.reduce((total, n) => total + n, 0);
    expect(sumNumbers(numbers, kinds, BIT, from, to), label).toBe(sum);
    expect(leastNumber(numbers, kinds, BIT, from, to), label).toBe(Math.min(...ownNumbers));
    expect(greatestNumber(numbers, kinds, BIT, from, to), label).toBe(Math.max(...ownNumbers));
    expect(counts.countDistinct(valueIds, kinds, BIT, from, to), label).toBe(new Set(elements).size);
    const most = counts.mostFrequent(valueIds, kinds, BIT, from, to);
    expect(most === NO_VALUE ? undefined : ids.valueOf(most), label).toBe(mostFrequentOf(elements));
    const last = places.findLast((i) => values[i] !== undefined) ?? -1;
    expect(lastWithValue(valueIds, kinds, BIT, from, to), label).toBe(last);
    const both = places.findLast((i) => values[i] !== undefined && otherIds[i] !== NO_VALUE) ?? -1;
    expect(lastWithBoth(valueIds, otherIds, kinds, BIT, from, to), label).toBe(both);
  }
});

function mostFrequentOf(values: readonly Value[]): Value | undefined {
  const countOf = (value: Value) => values.filter((other) => other === value).length;
  const most = Math.max(0, ...values.map(countOf));
  return values.findLast((value) => countOf(value) === most);
}
