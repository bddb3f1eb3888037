import { expect, test } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import type { TraitOperation } from '../../log/record.ts';
import type { ValuePredicate } from '../part.ts';
import { Profiles } from './profiles.ts';

/** So many that a page is selected in several steps. */
const USERS = 20_000;
const TRAITS = ['plan', 'email', 'visits', 'tags'];

const PREDICATES: readonly ValuePredicate[] = [
  { missing: false, test: (value) => value === 'gold', equalTo: ['gold'] },
  { missing: true, test: (value) => value !== 'gold' },
  { missing: false, test: (value) => typeof value === 'string' && value.includes('7') },
  { missing: false, test: (value) => typeof value === 'number' && value < 3, range: { from: -1e9, to: 3 } },
];

test.each([1, 2, 3])('answers as at first while traits change between any two steps (seed %i)', (seed) => {
  const random = new SeededRandom(seed);
  const profiles = new Profiles();
  const change = () => {
    const ordinal = random.below(USERS);
    if (random.chance(0.02)) profiles.drop(ordinal);
    else profiles.apply(ordinal, randomOperation(random), random.below(1e6));
  };
  for (let i = 0; i < 60_000; i++) change();
  for (let round = 0; round < 12; round++) {
    const trait = random.pick(TRAITS);
    const predicate = random.pick(PREDICATES);
    const asked = Array.from({ length: 50 }, () => random.below(USERS));
    const seen = (view: Pick<Profiles, 'all' | 'has' | 'get'>) =>
      asked.map((ordinal) => [view.all(ordinal), view.has(ordinal), view.get(ordinal, trait)]);
    const expected = [...profiles.select(trait, predicate, USERS)];
    const expectedSeen = seen(profiles);
    const snapshot = profiles.snapshot();
    const steps = snapshot.selectSteps(trait, predicate, USERS);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) {
        expect([...value]).toEqual(expected);
        break;
      }
      for (let n = random.below(40); n > 0; n--) change();
    }
    for (const ordinal of asked) profiles.drop(ordinal);
    expect(seen(snapshot)).toEqual(expectedSeen);
    expect(snapshot.keptCount).toBeGreaterThan(0);
    snapshot.close();
  }
});

function randomOperation(random: SeededRandom): TraitOperation {
  const trait = random.pick(TRAITS);
  switch (trait) {
    case 'plan':
      return { op: 'set', trait, value: random.pick(['gold', 'silver', 'free']) };
    case 'email':
      return { op: 'set', trait, value: `user${random.below(1e6)}@example.com` };
    case 'visits':
      return { op: 'increment', trait, by: 1 };
    default:
      return { op: 'add', trait, elements: [random.pick(['a', 'b', 'c7'])] };
  }
}
