import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from './chosen.ts';
import { COUNTED_WORDS, NO_COHORT } from './kernels.ts';
import { plainKernels } from './plain.ts';

const ROUNDS = 100;
const random = new SeededRandom(1);

/** In the kernels' memory, and elsewhere: the same has to come of all. */
const lent = new SpareArrays();
const WAYS = [
  { kernels: kernels(), words: (of: ArrayLike<number>) => filled(lent.words(of.length), of) },
  { kernels: kernels(), words: (of: ArrayLike<number>) => Uint32Array.from(of) },
  { kernels: plainKernels, words: (of: ArrayLike<number>) => Uint32Array.from(of) },
];
const NUMBERS = [
  (of: ArrayLike<number>) => filled(lent.numbers(of.length), of),
  (of: ArrayLike<number>) => Float64Array.from(of),
  (of: ArrayLike<number>) => Float64Array.from(of),
];

function filled<T extends Uint32Array | Float64Array>(target: T, values: ArrayLike<number>): T {
  target.set(values);
  return target;
}

/** What each way makes of it must be what is expected. */
function check(rounds: number, make: () => { run: (way: number) => unknown; expected: unknown }): void {
  for (let round = 0; round < rounds; round++) {
    const { run, expected } = make();
    for (const way of WAYS.keys()) expect(run(way), `round ${round}, way ${way}`).toEqual(expected);
    lent.giveBackAll();
  }
}

function list(count: number, below: number): number[] {
  return Array.from({ length: count }, () => random.below(below));
}

it('the first way is in the memory of the kernels', () => {
  expect(kernels().name).toBe('simd');
  expect(lent.words(1).buffer).toBe(kernels().near.buffer);
});

it('addUsers counts the selected rows of each user', () => {
  check(ROUNDS, () => {
    const wordCount = random.chance(0.1) ? COUNTED_WORDS : random.below(60);
    const density = random.pick([0.02, 0.3, 0.9]);
    const bits = () =>
      Uint32Array.from({ length: wordCount }, () => {
        let word = 0;
        for (let bit = 0; bit < 32; bit++) if (random.chance(density)) word |= 1 << bit;
        return word;
      });
    const [rows, firsts] = [bits(), bits()];
    const has = (words: Uint32Array, row: number) => ((words[row >>> 5]! >>> (row & 31)) & 1) === 1;
    const owners = [0];
    for (let row = 0; row < 32 * wordCount; row++) if (has(firsts, row)) owners.push(row);
    const ordinals = owners.map((_, i) => 3 * i + random.below(3));
    const before = list(3 * owners.length, 10);
    const counts = [...before];
    for (let row = 0, user = 0; row < 32 * wordCount; row++) {
      if (has(firsts, row)) user++;
      if (has(rows, row)) counts[ordinals[user]!]!++;
    }
    const run = (way: number) => {
      const found = WAYS[way]!.words(before);
      WAYS[way]!.kernels.addUsers(rows, firsts, WAYS[way]!.words(ordinals), found);
      return [...found];
    };
    return { run, expected: counts };
  });
});

it('scale, lookUp, take and addSizes', () => {
  check(ROUNDS, () => {
    const numbers = list(random.below(140), 100);
    const [base, unit] = [random.below(2 ** 32), random.below(1000)];
    const first = 7;
    const table = list(100, 50);
    const run = (way: number) => {
      const { kernels, words } = WAYS[way]!;
      const whole = words([...numbers, 1]);
      kernels.scale(whole, numbers.length, base, unit);
      const doubles = NUMBERS[way]!([...numbers, 1]);
      kernels.scale(doubles, numbers.length, base - 0.5, unit);
      const looked = words(numbers.map((number) => number + first));
      kernels.lookUp(looked, first, words(table));
      const counts = words(list(50, 1));
      kernels.addSizes(looked, words(numbers), counts);
      const [taken, takenDoubles] = [words(numbers), NUMBERS[way]!(numbers)];
      kernels.take(words(table), words(numbers), taken);
      kernels.take(NUMBERS[way]!(table), words(numbers), takenDoubles);
      return [[...whole], [...doubles], [...looked], [...counts], [...taken], [...takenDoubles]];
    };
    const looked = numbers.map((number) => table[number]!);
    const expected = [
      [...numbers.map((number) => Number(BigInt.asUintN(32, BigInt(base) + BigInt(unit * number)))), 1],
      [...numbers.map((number) => base - 0.5 + unit * number), 1],
      looked,
      Array.from({ length: 50 }, (_, i) =>
        numbers.filter((_, n) => looked[n] === i).reduce((total, number) => total + number, 0),
      ),
      looked,
      looked,
    ];
    return { run, expected };
  });
});

it('addNumbers and listUsers', () => {
  check(ROUNDS, () => {
    const count = random.below(200);
    const ordinals = list(count, 40).sort((a, b) => a - b);
    const kinds = list(count, 8);
    const numbers = list(count, 1000).map((number) => (random.chance(0.1) ? Number.NaN : number / 7));
    const sums = new Array<number>(40).fill(0.25);
    for (const [i, ordinal] of ordinals.entries()) {
      if ((kinds[i]! & 2) !== 0 && !Number.isNaN(numbers[i]!)) sums[ordinal]! += numbers[i]!;
    }
    const users = [...new Set(ordinals)];
    const starts = [...users.map((user) => ordinals.indexOf(user)), count];
    const run = (way: number) => {
      const { kernels, words } = WAYS[way]!;
      const found = NUMBERS[way]!(new Array<number>(40).fill(0.25));
      const events = { ordinals: words(ordinals), kinds: words(kinds), numbers: NUMBERS[way]!(numbers) };
      kernels.addNumbers(events, 2, found);
      const [foundUsers, foundStarts] = [words(list(count + 1, 1)), words(list(count + 1, 1))];
      const userCount = kernels.listUsers(words(ordinals), foundUsers, foundStarts);
      return [
        [...found],
        [...foundUsers.subarray(0, userCount)],
        [...foundStarts.subarray(0, userCount + 1)],
      ];
    };
    return { run, expected: [sums, users, starts] };
  });
});

it('selectNumbers, NaN and infinities among them', () => {
  check(ROUNDS, () => {
    const special = [Number.NaN, Infinity, -Infinity, 0, -0, 3];
    const numbers = list(random.below(300), 9).map((number) => special[number] ?? number);
    const [low, high] = [random.pick([-Infinity, 0, 3]), random.pick([Infinity, 3, 5])];
    const isWithin = random.chance(0.5);
    const expected = new Uint32Array((numbers.length + 31) >>> 5);
    for (const [i, number] of numbers.entries()) {
      const passes = !Number.isNaN(number) && (number >= low && number <= high) === isWithin;
      if (passes) expected[i >>> 5]! |= 1 << (i & 31);
    }
    const run = (way: number) => {
      const words = new Uint32Array(expected.length).fill(0xdeadbeef);
      WAYS[way]!.kernels.selectNumbers(NUMBERS[way]!(numbers), low, high, isWithin, words);
      return words;
    };
    return { run, expected };
  });
});

it('addIntervals and countCohorts go on with users, as their twins do', () => {
  check(ROUNDS, () => {
    const startsMs = [0];
    while (startsMs.length < 12) startsMs.push(startsMs.at(-1)! + 10 * (1 + random.below(3)));
    const endMs = startsMs.at(-1)!;
    const pieceMs = random.pick([10, 7]);
    const ofPiece = Array.from(
      { length: Math.ceil(endMs / pieceMs) },
      (_, piece) => startsMs.findIndex((startMs) => startMs > piece * pieceMs) - 1,
    );
    const periods = random.below(4);
    const lastMs = startsMs[startsMs.length - 1 - periods]!;
    const events = list(random.below(150), 20).map((user) => {
      const timeMs = random.below(endMs);
      return { user, timeMs, kinds: random.below(timeMs < lastMs ? 4 : 2) & (timeMs < lastMs ? 3 : 2) };
    });
    const cutMs = random.below(endMs);
    const eras = [
      events.filter(({ timeMs }) => timeMs < cutMs),
      events.filter(({ timeMs }) => timeMs >= cutMs),
    ];
    const run = (way: number) => {
      const { kernels, words } = WAYS[way]!;
      const numbers = NUMBERS[way]!;
      const table = { startsMs: numbers(startsMs), ofPiece: words(ofPiece), pieceMs };
      const [counts, latest] = [numbers(list(20, 1)), numbers(new Array<number>(20).fill(-Infinity))];
      const cohorts = {
        cohorts: words(new Array<number>(20).fill(NO_COHORT)),
        countedMs: numbers(list(20, 1)),
        sizes: words(list(11, 1)),
        returned: words(list(11 * (periods + 1), 1)),
      };
      for (const era of eras) {
        const sorted = era.toSorted((a, b) => a.user - b.user || a.timeMs - b.timeMs);
        const ordinals = [...new Set(sorted.map(({ user }) => user))];
        const starts = [
          ...ordinals.map((ordinal) => sorted.findIndex(({ user }) => user === ordinal)),
          sorted.length,
        ];
        const columns = {
          userCount: ordinals.length,
          ordinals: words(ordinals),
          starts: words(starts),
          timesMs: numbers(sorted.map(({ timeMs }) => timeMs)),
          kinds: words(sorted.map(({ kinds }) => kinds)),
        };
        kernels.addIntervals(columns, 2, table, counts, latest);
        kernels.countCohorts(columns, table, periods, cohorts);
      }
      return [[...counts], [...cohorts.cohorts], [...cohorts.sizes], [...cohorts.returned]];
    };
    const intervalAt = (timeMs: number) => startsMs.findIndex((startMs) => startMs > timeMs) - 1;
    const ofUser = (user: number, kind: number) =>
      events
        .filter((event) => event.user === user && (event.kinds & kind) !== 0)
        .map(({ timeMs }) => timeMs)
        .sort((a, b) => a - b);
    const users = Array.from({ length: 20 }, (_, user) => user);
    const firsts = users.map((user) => ofUser(user, 1)[0]);
    const [sizes, returned] = [list(11, 1), list(11 * (periods + 1), 1)];
    for (const [user, firstMs] of firsts.entries()) {
      if (firstMs === undefined) continue;
      const cohort = intervalAt(firstMs);
      sizes[cohort]!++;
      const later = ofUser(user, 2).filter((timeMs) => timeMs >= firstMs);
      for (const interval of new Set(later.map(intervalAt)))
        if (interval <= cohort + periods) returned[cohort * (periods + 1) + interval - cohort]!++;
    }
    const expected = [
      users.map((user) => new Set(ofUser(user, 2).map(intervalAt)).size),
      firsts.map((firstMs) => (firstMs === undefined ? NO_COHORT : intervalAt(firstMs))),
      sizes,
      returned,
    ];
    return { run, expected };
  });
});

it('events of several parts come together by user, those of the earlier part first', () => {
  check(ROUNDS, () => {
    const [first, ordinalCount] = [random.below(50), 1 + random.below(60)];
    const sources = Array.from({ length: 1 + random.below(3) }, () =>
      list(random.below(100), ordinalCount)
        .sort((a, b) => a - b)
        .map((user) => ({ user, timeMs: random.below(1000), kinds: random.below(8) })),
    );
    const all = sources.flat().map((event, origin) => ({ ...event, origin }));
    all.sort((a, b) => a.user - b.user || a.origin - b.origin);
    const hasTimes = random.chance(0.7);
    const run = (way: number) => {
      const { kernels, words } = WAYS[way]!;
      const numbers = NUMBERS[way]!;
      const none = list(all.length, 1);
      const target = {
        timesMs: numbers(hasTimes ? none : []),
        kinds: words(none),
        origins: words(none),
      };
      const ordinals = sources.map((events) => words(events.map(({ user }) => first + user)));
      const [next, users] = [words(list(ordinalCount + 1, 9)), words(list(ordinalCount + 1, 1))];
      kernels.startPlaces(ordinals, first, next);
      let before = 0;
      for (const [i, events] of sources.entries()) {
        const timesMs = numbers(events.map(({ timeMs }) => timeMs));
        const kinds = words(events.map(({ kinds }) => kinds));
        kernels.placeEvents(ordinals[i]!, first, next, before, { timesMs, kinds }, target);
        before += events.length;
      }
      const userCount = kernels.keepFilled(next, first, users);
      return [
        [...target.timesMs],
        [...target.kinds],
        [...target.origins],
        [...users.subarray(0, userCount)],
        [...next.subarray(0, userCount + 1)],
      ];
    };
    const users = [...new Set(all.map(({ user }) => user))];
    const expected = [
      hasTimes ? all.map(({ timeMs }) => timeMs) : [],
      all.map(({ kinds }) => kinds),
      all.map(({ origin }) => origin),
      users.map((user) => first + user),
      [...users.map((user) => all.findIndex((event) => event.user === user)), all.length],
    ];
    return { run, expected };
  });
});
