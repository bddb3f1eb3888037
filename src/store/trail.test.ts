import { expect, it } from 'vitest';
import { seal, YEAR } from './blocks/testBlocks.ts';
import type { Part } from './part.ts';
import { TextDictionary } from './texts/dictionary.ts';
import { walkTrail } from './trail.ts';

const USER = 3;

it('parts are opened as the walk comes to them, those that begin at one time together', () => {
  const opened: number[] = [];
  // The second ends where the third begins.
  const parts = [
    [0, 1000],
    [2000, 3000],
    [3000, 4000],
    [5000, 6000],
  ].map((times, i) => {
    const rows = times.map((ms) => ({
      ...{ ordinal: USER, eventCode: i, timeMs: YEAR.startMs + ms, properties: [] },
    }));
    const part: Part = seal(rows, new TextDictionary())[0]!;
    const trailOf = part.trailOf.bind(part);
    part.trailOf = (ordinal) => {
      opened.push(i);
      return trailOf(ordinal);
    };
    return part;
  });
  const view = { parts: () => parts, rowCount: 8 };
  const openedAfter = (rows: number, newestFirst: boolean) => {
    opened.length = 0;
    const walk = walkTrail(view, [USER], { newestFirst });
    const events = Array.from({ length: rows }, () => {
      const { part, row } = walk.next().value!;
      return part.eventAt(row);
    });
    return { events, opened: [...opened] };
  };
  expect(openedAfter(1, false)).toEqual({ events: [0], opened: [0] });
  expect(openedAfter(3, false)).toEqual({ events: [0, 0, 1], opened: [0, 1] });
  expect(openedAfter(5, false)).toEqual({ events: [0, 0, 1, 1, 2], opened: [0, 1, 2] });
  expect(openedAfter(2, true)).toEqual({ events: [3, 3], opened: [3] });
  expect(openedAfter(4, true)).toEqual({ events: [3, 3, 2, 2], opened: [3, 2, 1] });
  expect(openedAfter(8, true)).toEqual({ events: [3, 3, 2, 2, 1, 1, 0, 0], opened: [3, 2, 1, 0] });
});
