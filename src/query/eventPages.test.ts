import { beforeAll, expect, test } from 'vitest';
import { initHash } from '../base/hash.ts';
import { SeededRandom } from '../base/random.ts';
import type { Value } from '../base/value.ts';
import { readTrail } from '../store/trail.ts';
import type { TabletView } from '../store/view.ts';
import { eventPages } from './eventPages.ts';
import { matchesEvent, type WantedEvents, wantedEvents } from './filter.ts';
import { newStats } from './stats.ts';
import { run, testStore } from './testStore.ts';
import { type TestTablet, testView } from './testView.ts';
import { usersOf } from './users.ts';
import { NO_VALUE, ValueIds } from './valueIds.ts';

const EVENTS = ['Viewed', 'Added', 'Ordered'];
const VALUES: readonly (Value | undefined)[] = [
  undefined,
  1,
  2.5,
  -3,
  'x',
  'y',
  '1',
  true,
  false,
  ['x', 1],
  [],
];
const PROPERTIES = ['everywhere', 'ordered', 'number'];

beforeAll(initHash);

test('pages have what trails have, however parts, pages and merges lie', () => {
  let events = 0;
  let withOrigins = 0;
  let continued = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = new SeededRandom(seed);
    const tablet = randomTablet(random);
    const view = seed % 3 === 0 ? testView(tablet) : testStore(tablet);
    if (view.events.parts().some(({ hasOrigins }) => hasOrigins)) withOrigins++;
    const kinds = Array.from({ length: 1 + random.below(4) }, () => randomKind(view, random));
    const users = run(usersOf(view, 0));
    if (seed % 4 === 1) for (const user of users) if (random.chance(0.7)) users.delete(user);
    const pageOrdinals = random.pick([1, 3, 10, 100_000]);
    const found = new Map<number, unknown[]>();
    const values = new ValueIds();
    const inEras = seed % 5 < 2;
    const options = { view, kinds, users, stats: newStats(), inEras, pageOrdinals };
    const steps = eventPages(options, (page) => {
      const ids = PROPERTIES.map(() => new Uint32Array(page.eventCount));
      const numbers = PROPERTIES.map(() => new Float64Array(page.eventCount));
      for (const [i, name] of PROPERTIES.entries()) {
        const code = view.schema.propertyCode(name);
        if (code === undefined) continue;
        page.readValues(code, values, ids[i]!);
        page.readNumbers(code, numbers[i]!);
      }
      const codes = new Uint32Array(page.eventCount);
      page.readEvents(codes);
      for (let user = 0; user < page.userCount; user++) {
        const trail = [];
        for (let i = page.starts[user]!; i < page.starts[user + 1]!; i++) {
          const read = ids.map((of) => (of[i] === NO_VALUE ? undefined : values.valueOf(of[i]!)));
          for (const [p, value] of read.entries()) {
            if (view.schema.propertyCode(PROPERTIES[p]!) === undefined) continue;
            expect(numbers[p]![i]).toBe(typeof value === 'number' ? value : Number.NaN);
          }
          const event = view.schema.eventName(codes[i]!);
          trail.push([page.timesMs[i], page.kinds[i], event, ...read]);
        }
        const ordinal = page.ordinals[user]!;
        expect(trail).not.toEqual([]);
        if (!inEras) expect(found.has(ordinal)).toBe(false);
        else if (found.has(ordinal)) continued++;
        found.set(ordinal, [...(found.get(ordinal) ?? []), ...trail]);
      }
    });
    run(steps);
    if (!inEras) expect([...found.keys()]).toEqual([...found.keys()].sort((a, b) => a - b));
    for (const user of users) {
      const expected = trailOf(view, kinds, user);
      expect(found.get(user) ?? [], `seed ${seed}, user ${user}`).toEqual(expected);
      found.delete(user);
      events += expected.length;
    }
    expect([...found]).toEqual([]);
  }
  expect(events).toBeGreaterThan(4000);
  expect(withOrigins).toBeGreaterThan(5);
  expect(continued).toBeGreaterThan(50);
});

function trailOf(view: TabletView, kinds: readonly WantedEvents[], user: number): unknown[] {
  return readTrail(view.events, [user, ...view.users.mergedInto(user)]).flatMap(({ part, row, timeMs }) => {
    const property = (name: string) => {
      const code = view.schema.propertyCode(name);
      return code === undefined ? undefined : part.valueAt(row, code);
    };
    const event = view.schema.eventName(part.eventAt(row));
    const bits = kinds.map(({ filter, fromMs, toMs }, kind) => {
      const isWanted = timeMs >= fromMs && timeMs < toMs && matchesEvent(filter, event, property);
      return isWanted ? (1 << kind) >>> 0 : 0;
    });
    const mask = bits.reduce((all, bit) => (all | bit) >>> 0, 0);
    return mask === 0 ? [] : [[timeMs, mask, event, ...PROPERTIES.map(property)]];
  });
}

function randomKind(view: TabletView, random: SeededRandom): WantedEvents {
  const events = EVENTS.filter(() => random.chance(0.5));
  const where = random.chance(0.4) ? [[{ prop: 'everywhere', test: { op: 'exists' } as const }]] : [];
  const [fromMs, toMs] = random.chance(0.5)
    ? [-Infinity, Infinity]
    : [random.below(500), random.pick([300, 3000]) + random.below(700)];
  const moment = { atMs: 0, zone: 'UTC' };
  return wantedEvents(view.schema, { events: [...events, 'Unknown'], where }, { fromMs, toMs }, moment);
}

function randomTablet(random: SeededRandom): TestTablet {
  const userCount = 1 + random.below(30);
  const users = Array.from({ length: userCount }, (_, i) => ({ known: i % 2 === 0, id: `u${i}` }));
  const merges: [number, number][] = [];
  const mergeShare = random.pick([0, 0.5]);
  for (let anonymous = 1; anonymous < userCount; anonymous += 2) {
    if (random.chance(mergeShare)) merges.push([anonymous, 2 * random.below((userCount + 1) >> 1)]);
  }
  // Now and then parts whose times lie apart, in any order.
  const apartMs = random.chance(0.6) ? 950 : 0;
  const order = random.pick([1, 3]);
  const parts = Array.from({ length: 1 + random.below(5) }, (_, part) =>
    Array.from({ length: random.below(120) }, () => {
      const event = random.pick(EVENTS);
      const properties: Record<string, Value> = { number: random.below(5) };
      const value = random.pick(VALUES);
      if (value !== undefined) properties.everywhere = value;
      if (event === 'Ordered') properties.ordered = random.pick(['a', 'b', 3]);
      return {
        ordinal: random.below(userCount),
        event,
        timeMs: ((part * order) % 5) * apartMs + random.below(random.pick([30, 900])),
        properties,
      };
    }),
  );
  return { users, merges, parts };
}
