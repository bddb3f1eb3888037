import { DAY_MS } from '../src/base/limits.ts';
import type { SeededRandom } from '../src/base/random.ts';
import type { Scalar, Value } from '../src/base/value.ts';
import type { Definition, EventFilter, PropertyTest } from '../src/client/types.ts';
import type { OracleEvent } from '../src/query/oracle.ts';
import type { NaiveFile } from './naive.ts';

/**
 * Segments of many kinds whose names, values and times are those of an event or a user of the file, drawn by chance: so
 * they ask for something that is there, in any file.
 */
export function drawSegments(
  file: NaiveFile,
  random: SeededRandom,
  atMs: number,
): Record<string, Definition> {
  const { users } = file;
  const anEvent = () => random.pick(file.events);
  const aName = () => anEvent().event;
  const day = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 10);
  const spanDays = Math.max(1, Math.round((atMs - file.events[0]!.timeMs) / DAY_MS));
  const someDays = () => `${1 + random.below(spanDays)}d`;

  /** Of an event that has a property of this kind, the event's name and a test made of the value. */
  const filter = (
    isWanted: (value: Value) => boolean,
    test: (value: Value, other: Value) => Omit<PropertyTest, 'prop'>,
  ): EventFilter => {
    for (let tries = 0; tries < 1000; tries++) {
      const event = anEvent();
      const found = propertyOf(event, random, isWanted);
      if (found === undefined) continue;
      const other = file.events.findLast(
        ({ properties }) => properties[found.name] !== undefined && isWanted(properties[found.name]!),
      )!.properties[found.name]!;
      return {
        event: event.event,
        where: [{ prop: found.name, ...test(found.value, other) } as PropertyTest],
      };
    }
    return { event: aName() };
  };

  const profile = (): Definition => {
    for (let tries = 0; tries < 1000; tries++) {
      const [found] = Object.entries(random.pick(users).traits);
      if (found !== undefined)
        return { profile: found[0], op: random.pick(['eq', 'neq']), value: found[1] as Scalar };
    }
    return { profile: 'plan', op: 'notExists' };
  };

  /** An event's name with a property of this kind that it has, and the value. */
  const measured = (isWanted: (value: Value) => boolean) => {
    for (let tries = 0; tries < 1000; tries++) {
      const event = anEvent();
      const found = propertyOf(event, random, isWanted);
      if (found !== undefined) return { event: event.event, prop: found.name, value: found.value as Scalar };
    }
    return { event: aName(), prop: 'none', value: 0 };
  };
  const total = measured(isNumber);
  const number = measured(isNumber);
  const text = measured(isText);
  const latest = measured(isText);
  const often = measured(isText);
  const times = 1 + random.below(5);

  const [first, second] = [anEvent().timeMs, anEvent().timeMs].sort((a, b) => a - b) as [number, number];
  const { event, where } = filter(isText, (value) => ({
    op: 'startsWith',
    value: String(value).slice(0, 3),
  }));
  return {
    'text equals': { ...filter(isText, (value) => ({ op: 'eq', value: value as string })) },
    'number, at least n': {
      ...filter(isNumber, (value) => ({ op: random.pick(['gte', 'lt']), value: value as number })),
      count: { gte: 1 + random.below(5) },
    },
    'from, to': {
      event: aName(),
      within: { from: new Date(first).toISOString(), to: new Date(second + 1).toISOString() },
      count: { gte: 2 },
    },
    last: { event: aName(), within: { last: someDays() } },
    'on one day, or a relative span': {
      or: [
        { event: aName(), within: { on: day(first) } },
        {
          event: aName(),
          within: { from: `-${someDays()}`, to: `-${1 + random.below(3)}d` },
          count: { gte: 3 },
        },
      ],
    },
    'and, not': {
      and: [
        { event: aName(), count: { gte: 2 } },
        { not: { event: aName(), within: { last: someDays() } } },
        { not: filter(isText, (value) => ({ op: 'eq', value: value as string })) },
      ],
    },
    'profile, or': { or: [profile(), { event: aName(), count: { between: [2, 4] } }] },
    'several names': {
      event: [...new Set([aName(), aName(), aName()])],
      within: { last: someDays() },
      count: { lte: 3 },
    },
    'contains, starts with': {
      event: [...new Set([event, aName()].flat())],
      where: [
        {
          or: [
            ...((where ?? []) as PropertyTest[]),
            {
              prop: propertyOf(anEvent(), random, isText)?.name ?? 'none',
              op: 'contains',
              value: String(propertyOf(anEvent(), random, isText)?.value ?? 'a').slice(1, 4),
            },
          ],
        },
      ],
    },
    sum: {
      event: total.event,
      within: { last: someDays() },
      sum: { prop: total.prop, gte: Number(total.value) * times },
    },
    'average, least, greatest': {
      or: (['avg', 'min', 'max'] as const).map((measure) => ({
        event: number.event,
        within: { last: someDays() },
        [measure]: { prop: number.prop, gt: Number(number.value) },
      })),
    },
    'different values, days': {
      and: [
        { event: text.event, distinct: { prop: text.prop, gte: times } },
        { event: text.event, days: { between: [1, 1 + times] } },
      ],
    },
    'first, last': {
      or: [
        { event: aName(), first: { last: someDays() } },
        {
          event: aName(),
          last: { from: new Date(first).toISOString(), to: new Date(second + 1).toISOString() },
        },
      ],
    },
    'latest value, most frequent': {
      or: [
        { event: latest.event, lastValue: { prop: latest.prop, op: 'eq', value: latest.value } },
        { event: often.event, mostFrequent: { prop: often.prop, value: often.value } },
      ],
    },
    sequence: {
      sequence: [{ event: aName() }, { event: aName(), within: random.pick(['1m', '1h', '1d', '30d']) }],
      window: '60d',
      within: { last: someDays() },
    },
    matches: filter(isText, (value) => ({
      op: 'matches',
      value: `^${String(value)
        .slice(0, 2)
        .replace(/[^a-zA-Z0-9]/g, '.')}.*[aeiou0-5]$`,
    })),
    'in, between, exists, sample': {
      and: [
        {
          or: [
            filter(isText, (value, other) => ({ op: 'in', value: [value as string, other as string] })),
            filter(isNumber, (value, other) => ({
              op: 'between',
              value: [value as number, other as number].sort((a, b) => a - b),
            })),
            filter(
              () => true,
              () => ({ op: random.pick(['exists', 'notExists']) }),
            ),
          ],
        },
        { sample: { percent: 1 + random.below(100), salt: String(random.below(10)) } },
      ],
    },
  };
}

function propertyOf(
  { properties }: OracleEvent,
  random: SeededRandom,
  isWanted: (value: Value) => boolean,
): { readonly name: string; readonly value: Value } | undefined {
  const wanted = Object.entries(properties).filter(([, value]) => isWanted(value));
  if (wanted.length === 0) return undefined;
  const [name, value] = random.pick(wanted);
  return { name, value };
}

const isText = (value: Value) => typeof value === 'string' && value !== '';
const isNumber = (value: Value) => typeof value === 'number';
