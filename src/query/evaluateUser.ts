import { unreachable } from '../base/assert.ts';
import { sampleBucket } from '../base/hash.ts';
import { readTrail } from '../store/trail.ts';
import type { TabletView } from '../store/view.ts';
import { type Criterion, compare } from './criterion.ts';
import { matchesEvent } from './filter.ts';
import { holdsOfNothing, questionOf } from './measures/measure.ts';
import { TrailColumns } from './measures/trailColumns.ts';
import { type Plan, Planner, type QueryTimes, type Scan, type WalkPlan } from './plan.ts';
import { isUser } from './users.ts';

/**
 * Whether one user (any of its ordinals) is in the segment, by walking that user's events only: `evaluate` says the
 * same of the whole tablet. Throws as `evaluate` does.
 */
export function evaluateUser(
  view: TabletView,
  criterion: Criterion,
  ordinal: number,
  times: QueryTimes,
): boolean {
  const user = view.users.canonical[ordinal]!;
  const plan = new Planner(view, times).plan(criterion);
  return isUser(view, user, times.nowMs) && holds(view, plan, user, new Map());
}

/** `known` keeps each plan from being worked out twice: saved segments that share others would take exponential time. */
function holds(view: TabletView, plan: Plan, user: number, known: Map<Plan, boolean>): boolean {
  let held = known.get(plan);
  if (held === undefined) {
    held = work(view, plan, user, known);
    known.set(plan, held);
  }
  return held;
}

function work(view: TabletView, plan: Plan, user: number, known: Map<Plan, boolean>): boolean {
  switch (plan.kind) {
    case 'all':
      return true;
    case 'and':
      return plan.plans.every((inner) => holds(view, inner, user, known));
    case 'or':
      return plan.plans.some((inner) => holds(view, inner, user, known));
    case 'not':
      return !holds(view, plan.plan, user, known);
    case 'traits': {
      const value = view.profiles.get(user, plan.trait);
      return value === undefined ? plan.predicate.missing : plan.predicate.test(value);
    }
    case 'traitsNear':
      return plan.circle.contains(view.profiles.get(user, plan.lat), view.profiles.get(user, plan.lon));
    case 'sample':
      return sampleBucket(view.users.refOf(user).id, plan.salt) < plan.buckets;
    case 'count':
      return compare(plan.compare, countEvents(view, plan.scan, user));
    case 'walk':
      return measureHolds(view, plan, user);
    default:
      return unreachable(plan);
  }
}

function measureHolds(view: TabletView, { wanted, measure }: WalkPlan, user: number): boolean {
  const columns = new TrailColumns(view, user, wanted);
  if (columns.count === 0) return holdsOfNothing(measure);
  const kinds = wanted.map((_, kind) => kind);
  return questionOf(measure, kinds, columns.values)(columns)(0, columns.count);
}

function countEvents(view: TabletView, { filter, fromMs, toMs }: Scan, user: number): number {
  const { schema, events, users } = view;
  const trail = readTrail(events, [user, ...users.mergedInto(user)], { fromMs, toMs });
  return trail.filter(({ part, row }) =>
    matchesEvent(filter, schema.eventName(part.eventAt(row)), (prop) => {
      const code = schema.propertyCode(prop);
      return code === undefined ? undefined : part.valueAt(row, code);
    }),
  ).length;
}
