import { afterEach, describe, expect, it } from 'vitest';
import { Bitset } from '../../base/bitset.ts';
import { DAY_MS } from '../../base/limits.ts';
import { SeededRandom } from '../../base/random.ts';
import { lastAtMost } from '../../base/search.ts';
import type { Value } from '../../base/value.ts';
import { useKernels } from '../../encoding/kernels/chosen.ts';
import { plainKernels } from '../../encoding/kernels/plain.ts';
import type { PlainRow } from '../oracle.ts';
import type { CellReader, PlacedBatch, PlacedBy, TimeIntervals } from '../part.ts';
import { TextDictionary } from '../texts/dictionary.ts';
import type { Block } from './block.ts';
import { finished, seal, YEAR } from './testBlocks.ts';

/** One text a session, another one each, one of some events, and one that is always the same. */
const [SESSION, EACH, SOME, SAME] = [1, 2, 3, 4] as const;

afterEach(() => useKernels());

describe('rows placed by codes and intervals', () => {
  for (const chunkRows of [32, 96, 1024, 65_536]) {
    for (const share of [0.01, 0.3, 1]) {
      it(`in chunks of ${chunkRows}, a share of ${share}: are what their values and times say`, () => {
        for (let seed = 1; seed <= 5; seed++) {
          const random = new SeededRandom(seed);
          const [block] = seal(sessions(random, chunkRows < 1000 ? 400 : 10_000), new TextDictionary(), {
            chunkRows,
          });
          useKernels(seed === 3 ? plainKernels : undefined);
          const rows = new Bitset(block!.rowCount);
          for (let row = 0; row < block!.rowCount; row++) if (random.chance(share)) rows.add(row);
          const lengthMs = random.pick([DAY_MS / 24, DAY_MS, 30 * DAY_MS, 400 * DAY_MS]);
          expectPlaced(block!, rows, intervalsOf(random, lengthMs));
        }
      });
    }
  }

  it('of more rows of a chunk than are looked at together: go on where they were left', () => {
    const random = new SeededRandom(7);
    const [block] = seal(sessions(random, 40_000), new TextDictionary(), { chunkRows: 65_536 });
    expectPlaced(block!, Bitset.full(block!.rowCount), intervalsOf(random, DAY_MS));
  });
});

function expectPlaced(block: Block, rows: Bitset, intervals: TimeIntervals): void {
  const all = Uint32Array.from(rows);
  const own = [...all].map((row) => intervals.indexOf(block.timeAt(row)));
  const users = [...all].map((row) => block.ordinalAt(row));
  for (const property of [SESSION, EACH, SOME, SAME]) {
    const reader = block.cellReader(property)!;
    const codes = codesOf(reader, all);
    const factor = 3 * intervals.count;
    const ofBoth = own.map((interval, i) => factor * codes[i]! + interval);
    const cases: [(readonly PlacedBy[])[], ...number[][]][] = [
      [[[{ reader, factor }, { intervals }]], ofBoth],
      [[[{ reader, factor: 1 }], [{ intervals }]], [...codes], own],
      [[[], [{ intervals }]], own.map(() => 0), own],
      [[[{ reader, factor: 1 }], []], [...codes], own.map(() => 0)],
      [[[{ intervals }]], own],
      [[[{ reader, factor }, { intervals }], [{ reader, factor: 1 }]], ofBoth, [...codes]],
    ];
    for (const [places, ...expected] of cases) {
      for (const wanted of ['rows', 'counts', 'users'] as const) {
        const found = {
          places: expected.map((): number[] => []),
          users: [] as number[],
          rows: [] as number[],
        };
        const visit = (batch: PlacedBatch) => {
          expect(batch.places.map(({ length }) => length)).toEqual(expected.map(() => batch.count));
          for (let i = 0; i < batch.count; i++) {
            for (let left = batch.sizes[i]!; left > 0; left--) {
              for (const [k, ofList] of batch.places.entries()) found.places[k]!.push(ofList[i]!);
              found.users.push(batch.users[i]!);
            }
          }
          if (wanted === 'rows') found.rows.push(...batch.rows());
        };
        finished(block.placedRowsSteps(rows, places, wanted, visit));
        expect(found.places).toEqual(expected);
        if (wanted === 'users') expect(found.users.map(isFirst)).toEqual(users.map(isFirst));
        if (wanted === 'rows') expect(found.rows).toEqual([...all]);
      }
    }
  }
}

function isFirst(user: number, i: number, users: readonly number[]): boolean {
  return user !== users[i - 1];
}

function codesOf(reader: CellReader, rows: Uint32Array): Uint32Array {
  const codes = new Uint32Array(rows.length);
  reader.read(rows, rows.length, codes, new Float64Array(rows.length));
  return codes;
}

/** In order of arrival, of which a user's are near each other. */
function sessions(random: SeededRandom, rowCount: number): PlainRow[] {
  const rows: PlainRow[] = [];
  while (rows.length < rowCount) {
    const ordinal = random.below(rowCount / 20);
    let timeMs = YEAR.startMs + random.below(180 * DAY_MS);
    const session = `city ${random.below(20)}`;
    for (let left = random.below(12); left > 0; left--) {
      timeMs += random.below(100_000);
      const eventCode = random.below(3);
      const properties: [number, Value][] = [
        [SESSION, session],
        [EACH, `product ${random.below(50)}`],
      ];
      if (eventCode === 1) properties.push([SOME, `some ${random.below(3)}`]);
      properties.push([SAME, 'same']);
      rows.push({ ordinal, eventCode, timeMs, properties });
    }
  }
  return rows.sort((a, b) => a.timeMs - b.timeMs);
}

/** Of all times of the sessions, some about as long as this. */
function intervalsOf(random: SeededRandom, lengthMs: number): TimeIntervals {
  const startsMs = [YEAR.startMs - random.below(2) * lengthMs];
  while (startsMs.at(-1)! <= YEAR.startMs + 181 * DAY_MS) {
    startsMs.push(startsMs.at(-1)! + Math.ceil(lengthMs * (0.5 + random.fraction())));
  }
  const starts = Float64Array.from(startsMs);
  const indexOf = (timeMs: number) => lastAtMost(starts, timeMs);
  return {
    count: startsMs.length - 1,
    startsMs: starts,
    indexOf,
    place: (timesMs, count, target) => {
      for (let i = 0; i < count; i++) target[i] = indexOf(timesMs[i]!);
    },
  };
}
