import { beforeAll, expect, it } from 'vitest';
import { initHash } from '../base/hash.ts';
import { SeededRandom } from '../base/random.ts';
import { isArray } from '../base/value.ts';
import { randomTablet, randomView, testUsers } from './analytics/testAnalysis.ts';
import { usersWithEnoughSteps } from './enoughEvents.ts';
import { selectPartsSteps } from './eventPages.ts';
import { wantedEvents } from './filter.ts';
import { newStats } from './stats.ts';
import { run } from './testStore.ts';
import { usersOf } from './users.ts';

beforeAll(initHash);

it('leaves out users with too few events, but nobody who may have an array', () => {
  let leftOut = 0;
  for (let seed = 0; seed < 200; seed++) {
    const random = new SeededRandom(seed);
    const timeOf = (r: SeededRandom) => r.below(1000) * 1000;
    const tablet = randomTablet(random, { events: ['A', 'B'], timeOf, eventsMax: 120, usersMax: 40 });
    const view = randomView(tablet, random);
    const users = run(usersOf(view, 1e9));
    for (const user of users) if (random.chance(0.1)) users.delete(user);
    const span = { fromMs: 0, toMs: 1e9 };
    const moment = { atMs: 1e9, nowMs: 1e9, zone: 'UTC' };
    const kinds = [wantedEvents(view.schema, { events: ['A'], where: [] }, span, moment)];
    const selections = run(selectPartsSteps({ view, kinds, users, stats: newStats() }));
    const least = 2 + random.below(4);
    const name = random.pick(['text', 'value']);
    const found = run(usersWithEnoughSteps(view, selections, users, view.schema.propertyCode(name), least));
    for (const [user, { trail }] of testUsers(tablet)) {
      if (!users.has(user)) expect(found.has(user)).toBe(false);
      else {
        const own = trail.filter(({ event }) => event === 'A');
        const hasArray = own.some(({ properties }) => isArray(properties[name] ?? 0));
        if (own.length >= least || hasArray) expect(found.has(user)).toBe(true);
        else if (!found.has(user)) leftOut++;
      }
    }
  }
  expect(leftOut).toBeGreaterThan(100);
});
