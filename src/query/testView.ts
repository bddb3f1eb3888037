import { Bitset } from '../base/bitset.ts';
import { isArray, type Value } from '../base/value.ts';
import { MASK_WORDS } from '../encoding/kernels/tally.ts';
import type { UserRef } from '../log/record.ts';
import type { Part, RowCursor, ValuePredicate } from '../store/part.ts';
import type { AccountSettings, TabletView } from '../store/view.ts';

/** A tablet for tests of queries: rows in plain arrays, every question answered by looking at all of them. */

export interface TestEvent {
  readonly ordinal: number;
  readonly event: string;
  readonly timeMs: number;
  readonly properties: Readonly<Record<string, Value>>;
}

export interface TestTablet {
  /** By ordinal. */
  readonly users: readonly UserRef[];
  /** [anonymous, known] ordinals. */
  readonly merges?: readonly (readonly [number, number])[];
  /** By canonical ordinal. */
  readonly traits?: ReadonlyMap<number, Readonly<Record<string, Value>>>;
  /** Canonical ordinals of users who were deleted when all had happened. */
  readonly deleted?: ReadonlySet<number>;
  /** In order of arrival, cut into parts: all sealed but the last, which is a head. */
  readonly parts: readonly (readonly TestEvent[])[];
  readonly settings?: AccountSettings;
  readonly saved?: Readonly<Record<string, unknown>>;
}

export function testView(tablet: TestTablet): TabletView {
  const { users, merges = [], traits = new Map(), deleted = new Set(), parts, saved = {} } = tablet;
  const canonical = Uint32Array.from(users, (_, ordinal) => ordinal);
  for (const [source, target] of merges) {
    canonical.forEach((own, ordinal) => {
      if (own === source) canonical[ordinal] = target;
    });
  }
  const isGone = [...canonical].map((own) => deleted.has(own));
  isGone.forEach((gone, ordinal) => {
    if (gone) canonical[ordinal] = ordinal;
  });
  const rows = parts.flat();
  const latestMs = users.map(() => Number.NEGATIVE_INFINITY);
  for (const { ordinal, timeMs } of rows) {
    const user = canonical[ordinal]!;
    if (isGone[user]) continue;
    latestMs[user] = Math.max(latestMs[user]!, timeMs);
  }
  const withEvents = new Bitset(users.length);
  latestMs.forEach((timeMs, ordinal) => {
    if (timeMs !== Number.NEGATIVE_INFINITY) withEvents.add(ordinal);
  });
  const merged = new Bitset(users.length);
  canonical.forEach((own, ordinal) => {
    if (own !== ordinal) merged.add(ordinal);
  });
  const eventNames = [...new Set(rows.map(({ event }) => event))];
  const propertyNames = [...new Set(rows.flatMap(({ properties }) => Object.keys(properties)))];
  const traitsOf = (ordinal: number): Readonly<Record<string, Value>> =>
    deleted.has(ordinal) ? {} : (traits.get(ordinal) ?? {});
  const views = parts.map((part, i) =>
    testPart(i < parts.length - 1 ? sealed(part) : part, eventNames, propertyNames),
  );
  return {
    users: {
      count: users.length,
      canonical,
      withEvents: withEvents.words,
      merged: merged.words,
      find: ({ known, id }) => {
        const ordinal = users.findIndex((user) => user.known === known && user.id === id);
        return ordinal === -1 || isGone[ordinal] ? -1 : canonical[ordinal]!;
      },
      refOf: (ordinal) => users[ordinal]!,
      mergedInto: (ordinal) =>
        merges
          .map(([source]) => source)
          .filter((source) => source !== ordinal && canonical[source] === ordinal),
      isGone: (ordinal) => isGone[ordinal]!,
      latestEventMs: (ordinal) => latestMs[ordinal]!,
    },
    schema: {
      eventCount: eventNames.length,
      eventCode: (event) => codeOf(eventNames, event),
      eventName: (code) => eventNames[code]!,
      propertyCode: (property) => codeOf(propertyNames, property),
      propertyName: (code) => propertyNames[code]!,
      isTraitDeclared: (trait) => [...traits.values()].some((own) => Object.hasOwn(own, trait)),
    },
    profiles: {
      get: (ordinal, trait) => traitsOf(ordinal)[trait],
      all: traitsOf,
      has: (ordinal) => Object.keys(traitsOf(ordinal)).length > 0,
      get withTraits() {
        const found = new Bitset(users.length);
        for (const ordinal of traits.keys())
          if (Object.keys(traitsOf(ordinal)).length > 0) found.add(ordinal);
        return found.words;
      },
      *selectSteps(trait, predicate, size) {
        const found = new Bitset(size);
        for (let ordinal = 0; ordinal < size; ordinal++) {
          if (passes(predicate, traitsOf(ordinal)[trait])) found.add(ordinal);
        }
        return found;
      },
    },
    events: { parts: () => views, rowCount: rows.length },
    settings: tablet.settings ?? { timezone: 'UTC' },
    clockMs: Math.max(0, ...rows.map(({ timeMs }) => timeMs)),
    savedSegment: (name) => saved[name],
  };
}

/** By ordinal, then time, then arrival: sorting is stable. */
function sealed(rows: readonly TestEvent[]): readonly TestEvent[] {
  return [...rows].sort((a, b) => a.ordinal - b.ordinal || a.timeMs - b.timeMs);
}

function testPart(
  rows: readonly TestEvent[],
  eventNames: readonly string[],
  propertyNames: readonly string[],
): Part {
  const keep = (selected: Bitset, test: (row: TestEvent) => boolean): void => {
    rows.forEach((row, i) => {
      if (!test(row)) selected.delete(i);
    });
  };
  const times = rows.map(({ timeMs }) => timeMs);
  return {
    rowCount: rows.length,
    timeMinMs: Math.min(Infinity, ...times),
    timeMaxMs: Math.max(-Infinity, ...times),
    mayHaveEvent: (code) => rows.some(({ event }) => event === eventNames[code]),
    selectEvents: (codes) => {
      const selected = Bitset.full(rows.length);
      if (codes !== undefined) keep(selected, ({ event }) => codes.includes(eventNames.indexOf(event)));
      return selected;
    },
    andTime: (selected, fromMs, toMs) => keep(selected, ({ timeMs }) => timeMs >= fromMs && timeMs < toMs),
    andProperty: (selected, code, predicate) =>
      keep(selected, ({ properties }) => passes(predicate, properties[propertyNames[code]!])),
    mayHaveArrays: (code) => rows.some(({ properties }) => isArray(properties[propertyNames[code]!])),
    andUsers: (selected, ordinals) => keep(selected, ({ ordinal }) => ordinals.has(ordinal)),
    countByOrdinal: (selected, counts) =>
      selected.forEach((row) => {
        counts[rows[row]!.ordinal]!++;
      }),
    *tallySteps(wanted, tally) {
      for (const { event, ordinal, properties, timeMs } of rows) {
        const value = properties[propertyNames[wanted.propertyCode]!];
        const ofEvent = wanted.eventMasks.get(eventNames.indexOf(event));
        if (value === undefined || ofEvent === undefined || !wanted.predicate.test(value)) continue;
        const span = wanted.timeBounds.filter((bound) => bound <= timeMs).length;
        const ofTime = wanted.timeMasks.subarray(MASK_WORDS * span);
        const ofValue = wanted.maskOfValue(value);
        tally.add(
          ordinal,
          ofEvent.map((word, w) => word & ofTime[w]! & ofValue[w]!),
        );
      }
    },
    *rowsByUserSteps(selected, kinds) {
      const sorted = [...selected].sort(
        (a, b) => rows[a]!.ordinal - rows[b]!.ordinal || rows[a]!.timeMs - rows[b]!.timeMs,
      );
      return testCursor(rows, sorted, kinds);
    },
    cellReader(code) {
      const name = propertyNames[code]!;
      const values = rows.map(({ properties }) => properties[name]);
      if (values.every((value) => value === undefined)) return undefined;
      return {
        codeEnd: 2 + rows.length,
        missingCode: 0,
        numberCode: 1,
        read: (wanted, count, codes, numbers) => {
          for (let i = 0; i < count; i++) {
            const value = values[wanted[i]!];
            const isNumber = typeof value === 'number';
            numbers[i] = isNumber ? value : Number.NaN;
            codes[i] = value === undefined ? 0 : isNumber ? 1 : 2 + wanted[i]!;
          }
        },
        valueOf: (code) => values[code - 2]!,
        sharedCodeOf: () => -1,
      };
    },
    hasOrigins: false,
    originAt: () => 0,
    trailOf(ordinal) {
      const own = rows.flatMap((row, i) => (row.ordinal === ordinal ? [i] : []));
      own.sort((a, b) => rows[a]!.timeMs - rows[b]!.timeMs);
      return own.length === 0 ? undefined : { rows: own, timesMs: own.map((row) => rows[row]!.timeMs) };
    },
    eventAt: (row) => eventNames.indexOf(rows[row]!.event),
    readEvents: (wanted, target) => {
      for (const [i, row] of wanted.entries()) target[i] = eventNames.indexOf(rows[row]!.event);
    },
    timeAt: (row) => rows[row]!.timeMs,
    ordinalAt: (row) => rows[row]!.ordinal,
    valueAt: (row, code) => rows[row]!.properties[propertyNames[code]!],
    propertiesAt: (row) =>
      Object.entries(rows[row]!.properties)
        .map(([name, value]) => [propertyNames.indexOf(name), value] as const)
        .sort(([a], [b]) => a - b),
  };
}

/** In threes. */
function testCursor(
  rows: readonly TestEvent[],
  order: readonly number[],
  kinds: readonly (Bitset | undefined)[],
): RowCursor {
  let read = 0;
  return {
    readInto: (batch, at) => {
      const piece = order.slice(read, read + 3);
      read += piece.length;
      piece.forEach((row, i) => {
        batch.rows[at + i] = row;
        if (batch.ordinals !== undefined) batch.ordinals[at + i] = rows[row]!.ordinal;
        if (batch.timesMs !== undefined) batch.timesMs[at + i] = rows[row]!.timeMs;
        batch.kinds[at + i] = kinds.reduce((mask, kind, k) => (kind?.has(row) ? mask | (1 << k) : mask), 0);
      });
      return piece.length;
    },
  };
}

function passes(predicate: ValuePredicate, value: Value | undefined): boolean {
  return value === undefined ? predicate.missing : predicate.test(value);
}

function codeOf(names: readonly string[], name: string): number | undefined {
  const code = names.indexOf(name);
  return code === -1 ? undefined : code;
}
