import type { Clock } from '../base/clock.ts';
import { Block } from '../store/blocks/block.ts';
import type { TabletView } from '../store/view.ts';
import type { Criterion, EventFilter } from './criterion.ts';
import { evaluate } from './evaluate.ts';
import type { WantedEvents } from './filter.ts';
import { type Plan, Planner, type QueryTimes } from './plan.ts';
import { expectedRows, mayMatch } from './selectRows.ts';
import { newStats, type QueryStats } from './stats.ts';

/** What evaluating one criterion of a definition takes in one tablet. Numbers of several tablets add up. */
export interface ExplainedCriterion {
  /** `$.and[1]`. */
  readonly path: string;
  /** Its place among those beside it in their `and` or `or`, the first being 1; undefined where it is alone. */
  readonly order: number | undefined;
  /** Of a criterion that reads events; known before anything is read. */
  readonly scan: ExplainedScan | undefined;
  /** Measured, by evaluating it alone; not of `and`, `or` and `not`. */
  readonly real: ExplainedCost | undefined;
  /** Names that nothing is known under. */
  readonly unknown: { readonly events: readonly string[]; readonly properties: readonly string[] };
  readonly unknownTrait: string | undefined;
}

export interface ExplainedScan {
  /** Blocks and heads. */
  readonly parts: number;
  readonly skippedByTime: number;
  readonly skippedByEvents: number;
  /** In all parts, and in those that are not skipped. */
  readonly rowsInAll: number;
  readonly rows: number;
  /** Of the columns to be read, before encoding. */
  readonly bytes: number;
  /** About so many have one of the names within the time. */
  readonly matches: number;
  /** No `within`. */
  readonly isUnbounded: boolean;
  /** By property, different texts that a text operator is asked about, one by one. */
  readonly texts: Readonly<Record<string, number>>;
}

export interface ExplainedCost {
  readonly ms: number;
  readonly rows: number;
  readonly bytes: number;
  readonly users: number;
}

/** Of one tablet. */
export interface Explained {
  /** Outer ones before those inside them. */
  readonly criteria: readonly ExplainedCriterion[];
  /** Of the definition as a whole, without `everyoneMs`. */
  readonly real: ExplainedCost;
  /** Finding out who the users are. */
  readonly everyoneMs: number;
  readonly total: number;
  readonly stats: QueryStats;
}

/** Asked about every text there is, while others look for a code. */
const TEXT_OPERATORS: ReadonlySet<string> = new Set([
  ...['contains', 'notContains', 'startsWith', 'endsWith', 'matches'],
  ...['before', 'after', 'withinLast', 'withinNext', 'anniversary'],
]);

const EVENT_CODE_BYTES = 4;
const TIME_BYTES = 8;
const VALUE_BYTES = 8;

/**
 * Evaluates a definition as a whole and each of its criteria by itself, and says what each takes. The clock is only
 * measured with: waiting for others between two steps does not count. A saved segment is one criterion.
 */
export function* explain(
  view: TabletView,
  criterion: Criterion,
  times: QueryTimes,
  clock: Pick<Clock, 'monotonicMs'>,
): Generator<void, Explained> {
  const stats = newStats();
  const measure = (inner: Criterion, own: QueryStats) => timed(evaluate(view, inner, times, own), clock);
  const everyone = yield* measure({ kind: 'all' }, newStats());
  const whole = yield* measure(criterion, stats);
  const planner = new Planner(view, times);
  const criteria: ExplainedCriterion[] = [];
  for (const place of placesOf(criterion, planner)) {
    const { criterion: inner } = place;
    let real: ExplainedCost | undefined;
    if (!isGroup(inner)) {
      const own = newStats();
      const { value, ms } = yield* measure(inner, own);
      real = costOf(own, Math.max(0, ms - everyone.ms), value.members.count());
    }
    criteria.push({
      path: place.path,
      order: place.order,
      real,
      ...factsOf(view, inner, planner.plan(inner)),
    });
    yield;
  }
  return {
    criteria,
    real: costOf(stats, Math.max(0, whole.ms - everyone.ms), whole.value.members.count()),
    everyoneMs: everyone.ms,
    total: whole.value.users.count(),
    stats,
  };
}

function isGroup({ kind }: Criterion): boolean {
  return kind === 'and' || kind === 'or' || kind === 'not';
}

function costOf({ rowsScanned, bytesScanned }: QueryStats, ms: number, users: number): ExplainedCost {
  return { ms, rows: rowsScanned, bytes: bytesScanned, users };
}

interface Place {
  readonly criterion: Criterion;
  readonly path: string;
  readonly order: number | undefined;
}

function placesOf(criterion: Criterion, planner: Planner): readonly Place[] {
  const visit = (place: Place): readonly Place[] => [place, ...insideOf(place, planner).flatMap(visit)];
  return visit({ criterion, path: '$', order: undefined });
}

/** Those right inside it, in the order of the definition. They are evaluated in the order of their plans' cost. */
function insideOf({ criterion, path }: Place, planner: Planner): readonly Place[] {
  if (criterion.kind === 'not') {
    return [{ criterion: criterion.criterion, path: `${path}.not`, order: undefined }];
  }
  if (criterion.kind !== 'and' && criterion.kind !== 'or') return [];
  const { kind, criteria } = criterion;
  const costs = criteria.map((inner) => planner.plan(inner).cost);
  const byCost = [...costs.keys()].sort((a, b) => costs[a]! - costs[b]!);
  return criteria.map((inner, i) => ({
    criterion: inner,
    path: `${path}.${kind}[${i}]`,
    order: criteria.length === 1 ? undefined : byCost.indexOf(i) + 1,
  }));
}

function factsOf(view: TabletView, criterion: Criterion, plan: Plan) {
  const none = { events: [], properties: [] };
  if (criterion.kind === 'event' || criterion.kind === 'sequence') {
    const filters =
      criterion.kind === 'event' ? [criterion.filter] : criterion.steps.map(({ filter }) => filter);
    const isUnbounded = criterion.within === undefined && plan.kind === 'count';
    return {
      scan: { ...scanOf(view, filters, wantedBy(plan)), isUnbounded },
      unknown: unknownNames(view, filters),
      unknownTrait: undefined,
    };
  }
  const isUnknown = criterion.kind === 'profile' && !view.schema.isTraitDeclared(criterion.trait);
  return { scan: undefined, unknown: none, unknownTrait: isUnknown ? criterion.trait : undefined };
}

/** Kinds of events, each of which is scanned for by itself. */
function wantedBy(plan: Plan): readonly WantedEvents[] {
  if (plan.kind === 'count') return [plan.scan];
  return plan.kind === 'walk' ? plan.wanted : [];
}

function unknownNames(
  { schema }: TabletView,
  filters: readonly EventFilter[],
): ExplainedCriterion['unknown'] {
  const events = filters.flatMap((filter) => filter.events);
  const tests = filters.flatMap(({ where }) => where.flat());
  // A place is two properties: NAME.lat and NAME.lon.
  const properties = tests.filter(({ test }) => test.op !== 'near').map(({ prop }) => prop);
  return {
    events: [...new Set(events)].filter((event) => schema.eventCode(event) === undefined),
    properties: [...new Set(properties)].filter((prop) => schema.propertyCode(prop) === undefined),
  };
}

function scanOf(
  { events, schema }: TabletView,
  filters: readonly EventFilter[],
  wanted: readonly WantedEvents[],
): Omit<ExplainedScan, 'isUnbounded'> {
  const tests = filters.flatMap(({ where }) => where.flat());
  const asked = tests.filter(({ test }) => TEXT_OPERATORS.has(test.op)).map(({ prop }) => prop);
  const texts: Record<string, number> = {};
  const sums = {
    parts: 0,
    skippedByTime: 0,
    skippedByEvents: 0,
    rowsInAll: 0,
    rows: 0,
    bytes: 0,
    matches: 0,
  };
  for (const part of events.parts()) {
    const { rowCount, timeMinMs, timeMaxMs } = part;
    if (rowCount === 0) continue;
    sums.parts++;
    sums.rowsInAll += rowCount;
    const kinds = wanted.filter((kind) => mayMatch(part, kind));
    if (kinds.length === 0) {
      if (wanted.every(({ fromMs, toMs }) => timeMaxMs < fromMs || timeMinMs >= toMs)) sums.skippedByTime++;
      else sums.skippedByEvents++;
      continue;
    }
    for (const kind of kinds) {
      const { fromMs, toMs, filter } = kind;
      const isCut = timeMinMs < fromMs || timeMaxMs >= toMs;
      const columns = VALUE_BYTES * filter.where.flat().length;
      sums.rows += rowCount;
      sums.bytes += rowCount * (EVENT_CODE_BYTES + (isCut ? TIME_BYTES : 0) + columns);
      sums.matches += expectedRows(part, kind);
    }
    if (!(part instanceof Block)) continue;
    for (const prop of new Set(asked)) {
      const code = schema.propertyCode(prop);
      if (code !== undefined) texts[prop] = (texts[prop] ?? 0) + part.textsOf(code);
    }
  }
  return { ...sums, matches: Math.round(sums.matches), texts };
}

/** Adds up the time of the steps themselves. */
function* timed<T>(
  steps: Generator<void, T>,
  clock: Pick<Clock, 'monotonicMs'>,
): Generator<void, { readonly value: T; readonly ms: number }> {
  let ms = 0;
  for (;;) {
    const startedMs = clock.monotonicMs();
    const { done, value } = steps.next();
    ms += clock.monotonicMs() - startedMs;
    if (done === true) return { value, ms };
    yield;
  }
}
