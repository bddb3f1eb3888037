import type { Scalar } from '../../base/value.ts';
import { type CellPart, emptyCells, mergeCells } from './cellValues.ts';
import type { CellMeasure } from './measure.ts';
import type { WideCells, WidePart } from './wideCells.ts';
import { NO_KEY_INDEX } from './wideKeys.ts';

/** Of an event of a trend: the keys that are told apart, or undefined without any. */
type Keys = readonly Scalar[] | undefined;

/**
 * Folds what tablets have of all keys into rows: one for each of the chosen keys, then one for all others and one for no
 * value; a single one without keys. Cells are row · intervals + interval, of the intervals that begin at `startsMs`.
 */
export function* foldSteps(
  parts: readonly WidePart[],
  event: number,
  kind: CellMeasure['kind'],
  keys: Keys,
  startsMs: Float64Array,
): Generator<void, CellPart> {
  const count = Math.max(0, startsMs.length - 1);
  const [other, none] = keys === undefined ? [0, 0] : [keys.length, keys.length + 1];
  const rowOfKey = new Map(keys?.map((key, row) => [key, row]));
  const target = emptyCells(kind, (none + 1) * count);
  for (const part of parts) {
    const { cells, users } = part.events[event]!;
    const shared = sharedIntervals(part.startsMs, startsMs);
    if (shared.count === 0) continue;
    const ownCount = part.startsMs.length - 1;
    const alone = users && { values: users.alone, counts: cells.counts };
    const rows = part.keys.map((key) => (key === undefined ? none : (rowOfKey.get(key) ?? other)));
    for (const [key, row] of rows.entries()) {
      if (key % KEYS_PER_STEP === 0) yield;
      const source = key !== NO_KEY_INDEX && row === other && alone !== undefined ? alone : cells;
      mergeCells(kind, source, key * ownCount + shared.own, target, row * count + shared.all, shared.count);
    }
    if (users !== undefined) addSets(users.sets, rows, other, shared.all - shared.own, target.values, count);
  }
  return target;
}

const KEYS_PER_STEP = 1 << 7;

/** Where the intervals that are in both begin in each, and how many they are. Both are of one calendar. */
function sharedIntervals(ownMs: Float64Array, allMs: Float64Array) {
  const counts = [ownMs.length - 1, allMs.length - 1] as const;
  if (counts[0] < 1 || counts[1] < 1) return { own: 0, all: 0, count: 0 };
  const all = allMs.findIndex((startMs) => startMs >= ownMs[0]!);
  if (all > 0) return { own: 0, all, count: Math.min(counts[0], counts[1] - all) };
  const own = ownMs.findIndex((startMs) => startMs >= allMs[0]!);
  if (own === -1 || all === -1) return { own: 0, all: 0, count: 0 };
  return { own, all: 0, count: Math.min(counts[0] - own, counts[1]) };
}

/** Users with several keys, of which one at least is not told apart, are users of the others. */
function addSets(
  sets: NonNullable<WideCells['users']>['sets'],
  rows: readonly number[],
  other: number,
  shift: number,
  target: Float64Array,
  intervalCount: number,
): void {
  const { intervals, users, keys, starts } = sets;
  for (let i = 0; i < users.length; i++) {
    const own = keys.subarray(starts[i]!, starts[i + 1]!);
    const interval = intervals[i]! + shift;
    if (interval < 0 || interval >= intervalCount) continue;
    if (own.some((key) => rows[key] === other)) target[other * intervalCount + interval]! += users[i]!;
  }
}
