import { expect, it } from 'vitest';
import { SeededRandom } from '../../base/random.ts';
import { SpareArrays } from '../../base/spareArrays.ts';
import { kernels } from './chosen.ts';
import { SORTED_BITS_MAX, TAGS_END } from './kernels.ts';
import { plainKernels } from './plain.ts';

const ROUNDS = 60;
const random = new SeededRandom(1);

/** In the kernels' memory, and elsewhere: the same has to come of all. */
const lent = new SpareArrays();
const ordinary = {
  bytes: (length: number) => new Uint8Array(length),
  words: (length: number) => new Uint32Array(length),
  numbers: (length: number) => new Float64Array(length),
};
const WAYS = [
  { kernels: kernels(), arrays: lent },
  { kernels: kernels(), arrays: ordinary },
  { kernels: plainKernels, arrays: ordinary },
];
type Way = (typeof WAYS)[number];

function words({ arrays }: Way, of: readonly number[]): Uint32Array {
  const target = arrays.words(of.length);
  target.set(of);
  return target;
}

/** What each way makes of it must be what is expected. */
function check<T>(make: () => { readonly run: (way: Way) => T; readonly expected: T }): void {
  for (let round = 0; round < ROUNDS; round++) {
    const { run, expected } = make();
    for (const [i, way] of WAYS.entries()) expect(run(way), `round ${round}, way ${i}`).toEqual(expected);
    lent.giveBackAll();
  }
}

interface Cell {
  readonly property: number;
  readonly tag: number;
  readonly payload: number;
}

function randomRows(rowCount: number, properties: number): readonly (readonly Cell[])[] {
  return Array.from({ length: rowCount }, () =>
    Array.from({ length: properties }, (_, property) => property)
      .filter(() => random.chance(0.4))
      .map((property) => ({ property, tag: random.below(TAGS_END), payload: random.fraction() - 0.5 })),
  );
}

function cellsOf(way: Way, rows: readonly (readonly Cell[])[]) {
  const cells = rows.flat();
  const starts = [0];
  for (const row of rows) starts.push(starts.at(-1)! + row.length);
  const tags = way.arrays.bytes(cells.length);
  tags.set(cells.map(({ tag }) => tag));
  const payloads = way.arrays.numbers(cells.length);
  payloads.set(cells.map(({ payload }) => payload));
  return {
    starts: words(way, starts),
    properties: words(
      way,
      cells.map(({ property }) => property),
    ),
    tags,
    payloads,
  };
}

it('countCells counts tags, and marks the events of each property', () => {
  check(() => {
    const [rowCount, properties, eventCodes] = [
      1 + random.below(300),
      1 + random.below(9),
      1 + random.below(90),
    ];
    const rows = randomRows(rowCount, properties);
    const events = rows.map(() => random.below(eventCodes));
    // Codes that no row has take no number.
    const numbers = Array.from(
      { length: eventCodes },
      (_, code) => events.filter((event) => event < code).length,
    );
    const asked = Array.from({ length: random.below(400) }, () => random.below(rowCount));
    const eventWords = (Math.max(...numbers) >>> 5) + 1;
    const counts = new Array<number>(properties * TAGS_END).fill(0);
    const seen = new Array<number>(properties * eventWords).fill(0);
    for (const row of asked) {
      const event = numbers[events[row]!]!;
      for (const { property, tag } of rows[row]!) {
        counts[property * TAGS_END + tag]!++;
        const word = property * eventWords + (event >>> 5);
        seen[word] = (seen[word]! | (1 << (event & 31))) >>> 0;
      }
    }
    const run = (way: Way) => {
      const [counted, marked] = [
        words(
          way,
          counts.map(() => 0),
        ),
        words(
          way,
          seen.map(() => 0),
        ),
      ];
      const ofRows = { events: words(way, events), numbers: words(way, numbers) };
      way.kernels.countCells(cellsOf(way, rows), words(way, asked), ofRows, counted, marked);
      return { counts: [...counted], seen: [...marked] };
    };
    return { run, expected: { counts, seen } };
  });
});

it('placeCells puts each cell behind the last one of its property, and says how many rows of its set came before', () => {
  check(() => {
    const [rowCount, properties, eventCount] = [
      1 + random.below(300),
      1 + random.below(9),
      1 + random.below(5),
    ];
    const setCount = 1 + random.below(4);
    const rows = randomRows(rowCount, properties);
    const asked = Array.from({ length: random.below(400) }, () => random.below(rowCount));
    const events = asked.map(() => random.below(eventCount));
    const setsOf = Array.from({ length: eventCount }, () =>
      Array.from({ length: setCount }, (_, set) => set).filter(() => random.chance(0.6)),
    );
    const ofProperty = Array.from({ length: properties }, () => random.below(setCount));
    const before = (i: number, set: number) =>
      events.slice(0, i).filter((event) => setsOf[event]!.includes(set)).length;
    const placed = Array.from({ length: properties }, (_, property) =>
      asked.flatMap((row, i) =>
        rows[row]!.filter((cell) => cell.property === property).map(({ tag, payload }) => ({
          tag,
          payload,
          row: before(i, ofProperty[property]!),
        })),
      ),
    );
    const starts = [0];
    for (const sets of setsOf) starts.push(starts.at(-1)! + sets.length);
    const ends = [0];
    for (const column of placed) ends.push(ends.at(-1)! + column.length);
    const [cellCount, all] = [ends.at(-1)!, placed.flat()];
    const run = (way: Way) => {
      const next = words(way, ends.slice(0, properties));
      const target = {
        ...{ tags: way.arrays.bytes(cellCount), payloads: way.arrays.numbers(cellCount) },
        rows: way.arrays.words(cellCount),
      };
      const sets = {
        ...{ ofProperty: words(way, ofProperty), starts: words(way, starts) },
        ...{ sets: words(way, setsOf.flat()), rows: words(way, new Array<number>(setCount).fill(0)) },
      };
      const cells = cellsOf(way, rows);
      way.kernels.placeCells(cells, words(way, asked), words(way, events), sets, next, target);
      return {
        ends: [...next],
        tags: [...target.tags],
        payloads: [...target.payloads],
        rows: [...target.rows],
      };
    };
    const [tags, payloads] = [all.map(({ tag }) => tag), all.map(({ payload }) => payload)];
    return { run, expected: { ends: ends.slice(1), tags, payloads, rows: all.map(({ row }) => row) } };
  });
});

it('sortByDigit is a stable sort by some bits', () => {
  check(() => {
    const bits = 1 + random.below(SORTED_BITS_MAX);
    const shift = random.below(33 - bits);
    const keys = Array.from({ length: random.below(2000) }, () =>
      random.below(2 ** random.pick([3, 20, 32])),
    );
    const digitOf = (i: number) => (keys[i]! >>> shift) & ((1 << bits) - 1);
    const entries = [...keys.keys()].sort((a, b) => digitOf(a) - digitOf(b));
    const run = (way: Way) => {
      const [targetKeys, targetEntries] = [way.arrays.words(keys.length), way.arrays.words(keys.length)];
      const own = words(way, [...keys.keys()]);
      way.kernels.sortByDigit(words(way, keys), own, shift, bits, targetKeys, targetEntries);
      return { keys: [...targetKeys], entries: [...targetEntries] };
    };
    return { run, expected: { keys: entries.map((i) => keys[i]!), entries } };
  });
});
