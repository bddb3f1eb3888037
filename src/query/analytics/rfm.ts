import { DAY_MS } from '../../base/limits.ts';
import type { EventFilter } from '../criterion.ts';
import { eventPages } from '../eventPages.ts';
import { wantedEvents } from '../filter.ts';
import { parseFilter } from '../parse.ts';
import { asName, type JsonObject } from '../shape.ts';
import type { AnalysisContext, AnalysisFrame, SurveyedAnalysis } from './analysis.ts';
import { EventNumbers } from './eventNumbers.ts';
import { frameSpan } from './frameEvents.ts';
import {
  type Brackets,
  bracketsSteps,
  type Edges,
  edgesSteps,
  fifthOf,
  type NumberSketch,
  OPEN,
  sketchSteps,
} from './quintiles.ts';
import {
  frequencyMonetaryOf,
  numberBetween,
  RFM_GROUPS,
  type RfmGroup,
  type RfmThresholds,
  segmentOf,
} from './rfmGroups.ts';
import { type RfmPart, RfmScores } from './rfmScores.ts';
import { RFM, type RfmMeasure, RfmUsers } from './rfmUsers.ts';

export interface RfmRequest {
  readonly filter: EventFilter;
  readonly monetary: string;
  /** As asked for: parts of the groups' definitions. */
  readonly event: unknown;
  readonly where: unknown;
  readonly segment: unknown;
}

export interface RfmCell {
  readonly users: number;
  /** The sum of what they spent. */
  readonly value: number;
}

export interface RfmResult extends RfmCell {
  /** What it takes to have score 2, 3, 4 and 5; null where nobody has it. */
  readonly thresholds: {
    /** Whole days since the last event, at the most. */
    readonly recencyDays: readonly (number | null)[];
    readonly frequency: readonly (number | null)[];
    readonly monetary: readonly (number | null)[];
  };
  /** By score of recency, then by that of frequency and monetary value, both from 1 to 5. */
  readonly grid: readonly (readonly RfmCell[])[];
  readonly groups: readonly (RfmGroup & RfmCell & { readonly segment: JsonObject })[];
}

type Sketches = Readonly<Record<RfmMeasure, NumberSketch>>;
type RfmChoice = Readonly<Record<RfmMeasure, Brackets>>;

/** Customers by how recently, how often and for how much they bought. */
export const rfm: SurveyedAnalysis<RfmRequest, Sketches, RfmChoice, RfmPart, RfmResult> = {
  keys: ['event', 'where', 'monetary'],

  parse: (params) => ({
    filter: parseFilter(params, ''),
    monetary: asName(params.monetary, 'monetary'),
    event: params.event,
    where: params.where,
    segment: params.segment,
  }),

  survey: {
    isNeeded: () => true,

    *map(context, request) {
      const users = yield* usersSteps(context, request);
      return {
        recency: yield* sketchSteps(users.recency, users.count),
        frequency: yield* sketchSteps(users.frequency, users.count),
        monetary: yield* sketchSteps(users.monetary, users.count),
      };
    },

    *choose(sketches) {
      const bracketsOf = (measure: RfmMeasure) => bracketsSteps(sketches.map((sketch) => sketch[measure]));
      return {
        recency: yield* bracketsOf('recency'),
        frequency: yield* bracketsOf('frequency'),
        monetary: yield* bracketsOf('monetary'),
      };
    },
  },

  *map(context, request, choice) {
    const users = yield* usersSteps(context, request);
    const scores = new RfmScores(choice, context.view.budget);
    yield* scores.addSteps(users);
    return scores.part();
  },

  *reduce(parts, request, frame, choice) {
    const edges = {} as Record<RfmMeasure, Edges>;
    for (const measure of RFM) edges[measure] = yield* edgesSteps(countsOf(parts, measure, choice[measure]));
    const grid = yield* gridSteps(parts, edges);
    return resultOf(grid, edges, request, frame);
  },
};

function* usersSteps(context: AnalysisContext, { filter, monetary }: RfmRequest): Generator<void, RfmUsers> {
  const { view, frame, users, stats } = context;
  const kinds = [wantedEvents(view.schema, filter, frameSpan(context), frame)];
  const found = new RfmUsers(endOf(frame), view.budget);
  const numbers = new EventNumbers(view, monetary);
  yield* eventPages({ view, kinds, users, stats }, (page) => {
    numbers.readPage(page);
    found.add(page, numbers.numbers);
  });
  return found;
}

function endOf({ toMs, atMs }: AnalysisFrame): number {
  return Math.min(toMs, atMs + 1);
}

function countsOf(parts: readonly RfmPart[], measure: RfmMeasure, brackets: Brackets) {
  const place = RFM.indexOf(measure);
  const counts = new Float64Array(5);
  const leastPast = new Float64Array(4).fill(Number.POSITIVE_INFINITY);
  const open = new Map<number, number>();
  for (const part of parts) {
    for (const [fifth, users] of part.counts[measure].entries()) counts[fifth]! += users;
    for (const [k, least] of part.leastPast[measure].entries()) leastPast[k] = Math.min(leastPast[k]!, least);
    for (const [i, users] of part.users.entries()) {
      if (part.scores[3 * i + place] !== OPEN) continue;
      const value = part.values[3 * i + place]!;
      open.set(value, (open.get(value) ?? 0) + users);
    }
  }
  return {
    brackets,
    counts,
    leastPast,
    open: Float64Array.from(open.keys()),
    openCounts: Float64Array.from(open.values()),
  };
}

interface Cell {
  users: number;
  value: number;
}

const CLASSES_PER_STEP = 1 << 12;

/** By score of recency, then of both others together. */
function* gridSteps(
  parts: readonly RfmPart[],
  edges: Readonly<Record<RfmMeasure, Edges>>,
): Generator<void, readonly (readonly Cell[])[]> {
  const grid = Array.from({ length: 5 }, () => Array.from({ length: 5 }, () => ({ users: 0, value: 0 })));
  for (const { scores, values, users, sums } of parts) {
    for (let i = 0; i < users.length; i++) {
      if (i % CLASSES_PER_STEP === 0) yield;
      const [recency, frequency, monetary] = RFM.map((measure, place) => {
        const score = scores[3 * i + place]!;
        return score === OPEN ? fifthOf(edges[measure], values[3 * i + place]!) : score;
      }) as [number, number, number];
      const cell = grid[recency - 1]![frequencyMonetaryOf(frequency, monetary) - 1]!;
      cell.users += users[i]!;
      cell.value += sums[i]!;
    }
  }
  return grid;
}

function resultOf(
  grid: readonly (readonly RfmCell[])[],
  { recency, frequency, monetary }: Readonly<Record<RfmMeasure, Edges>>,
  request: RfmRequest,
  frame: AnalysisFrame,
): RfmResult {
  const toMs = endOf(frame);
  const sums = Array.from(monetary.next, (next, k) =>
    Number.isFinite(next) ? numberBetween(monetary.at[k]!, next) : Infinity,
  );
  const thresholds: RfmThresholds = {
    // A user of so many whole days had his last event less than a day more before the end.
    lastMs: Array.from(recency.next, (next) =>
      Number.isFinite(next) ? toMs - (1 - next) * DAY_MS : Infinity,
    ),
    counts: frequency,
    sums,
  };
  const events = { ...request, fromMs: frame.fromMs, toMs };
  const orNull = (number: number) => (Number.isFinite(number) ? number : null);
  const cells = grid.flat();
  return {
    ...sumOf(cells),
    thresholds: {
      recencyDays: Array.from(recency.next, (next) => orNull(0 - next)),
      frequency: Array.from(frequency.next, orNull),
      monetary: sums.map(orNull),
    },
    grid,
    groups: RFM_GROUPS.map((group) => ({
      ...group,
      ...sumOf(cellsOf(grid, group)),
      segment: segmentOf(group, thresholds, events),
    })),
  };
}

function cellsOf(
  grid: readonly (readonly RfmCell[])[],
  { recency, frequencyMonetary }: RfmGroup,
): readonly RfmCell[] {
  return grid
    .slice(recency[0] - 1, recency[1])
    .flatMap((row) => row.slice(frequencyMonetary[0] - 1, frequencyMonetary[1]));
}

function sumOf(cells: readonly RfmCell[]): RfmCell {
  return {
    users: cells.reduce((sum, { users }) => sum + users, 0),
    value: cells.reduce((sum, { value }) => sum + value, 0),
  };
}
