import { unreachable } from '../base/assert.ts';
import { Bitset } from '../base/bitset.ts';
import { sampleBucket } from '../base/hash.ts';
import type { TabletView } from '../store/view.ts';
import type { Criterion } from './criterion.ts';
import {
  type NearPlan,
  type Plan,
  Planner,
  type QueryTimes,
  type SamplePlan,
  type WalkPlan,
} from './plan.ts';
import { runRules } from './ruleScan.ts';
import { groupRules, type RuleGroup } from './rules.ts';
import { runScans } from './scan.ts';
import type { QueryStats } from './stats.ts';
import { usersOf } from './users.ts';
import { runWalks } from './walk.ts';

/** Ids hashed between two yields. */
const IDS_PER_STEP = 1 << 10;

/** Walks are over so few users only when they are fewer: what is found of all can be used again. */
const FEW_USERS_SHARE = 1 / 2;

/** Both are over canonical ordinals, of size `view.users.count`, and the caller's. */
export interface Evaluated {
  readonly members: Bitset;
  /** Everyone; members are among them. */
  readonly users: Bitset;
}

/**
 * Who is in the segment. A generator of small steps; the view must not change until it is done. Throws `bad_request`
 * for a saved segment that is missing or leads in a circle.
 */
export function* evaluate(
  view: TabletView,
  criterion: Criterion,
  times: QueryTimes,
  stats: QueryStats,
): Generator<void, Evaluated> {
  const planner = new Planner(view, times);
  const plan = planner.plan(criterion);
  const evaluation = new Evaluation(view, planner, yield* usersOf(view, times.nowMs), stats);
  return { members: yield* evaluation.members(plan), users: evaluation.users };
}

/**
 * As `evaluate`, for many segments whose scans share passes over the events. Hands out for each, by name, ordinals of which
 * those among the users are its members, not to be changed.
 */
export function* evaluateMany(
  view: TabletView,
  criteria: ReadonlyMap<string, Criterion>,
  times: QueryTimes,
  stats: QueryStats,
  done: (name: string, found: Bitset, users: Bitset) => void,
): Generator<void, { readonly users: Bitset }> {
  const planner = new Planner(view, times);
  const plans = new Map<string, Plan>();
  for (const [name, criterion] of criteria) {
    plans.set(name, planner.plan(criterion));
    yield;
  }
  const evaluation = new Evaluation(view, planner, yield* usersOf(view, times.nowMs), stats);
  const { groups, others } = groupRules(view.schema, planner.scans);
  for (const group of groups) yield* evaluation.scanTogether(group);
  yield* evaluation.scan(others);
  yield* evaluation.walk(planner.walks);
  for (const [name, plan] of plans) {
    done(name, yield* evaluation.find(plan), evaluation.users);
    yield;
  }
  return { users: evaluation.users };
}

/**
 * Works out plans, each once. The ordinals found for a part of a plan are right among users; what they say of other
 * ordinals means nothing.
 */
class Evaluation {
  readonly users: Bitset;
  readonly #view: TabletView;
  readonly #planner: Planner;
  readonly #stats: QueryStats;
  readonly #found = new Map<Plan, Bitset>();

  constructor(view: TabletView, planner: Planner, users: Bitset, stats: QueryStats) {
    this.#view = view;
    this.#planner = planner;
    this.users = users;
    this.#stats = stats;
  }

  *members(plan: Plan): Generator<void, Bitset> {
    const found = yield* this.find(plan);
    this.#charge();
    return found.copy().and(this.users);
  }

  *scan(scans: Planner['scans']): Generator<void, void> {
    yield* runScans(this.#view, scans, this.#stats, (plan, ordinals) => this.#keep(plan, ordinals));
  }

  *scanTogether(group: RuleGroup): Generator<void, void> {
    yield* runRules(this.#view, group, this.#stats, (plan, ordinals) => this.#keep(plan, ordinals));
  }

  #keep(plan: Plan, ordinals: Bitset): void {
    this.#charge();
    this.#found.set(plan, ordinals);
  }

  /** A bit for every user more is kept until the end. */
  #charge(): void {
    this.#view.budget?.charge(this.users.size >>> 3);
  }

  *walk(plans: readonly WalkPlan[]): Generator<void, void> {
    if (plans.length === 0) return;
    yield* runWalks(this.#view, plans, this.users, this.#stats, (plan, ordinals) =>
      this.#found.set(plan, ordinals),
    );
  }

  /** Never changed once found; those among the users are right. */
  *find(plan: Plan): Generator<void, Bitset> {
    let found = this.#found.get(plan);
    if (found === undefined) {
      found = yield* this.#work(plan);
      this.#charge();
      this.#found.set(plan, found);
      yield;
    }
    return found;
  }

  *#work(plan: Plan): Generator<void, Bitset> {
    switch (plan.kind) {
      case 'all':
        return this.users;
      case 'and':
        return yield* this.#all(plan.plans);
      case 'or':
        return yield* this.#any(plan.plans);
      case 'not':
        return this.users.copy().andNot(yield* this.find(plan.plan));
      case 'traits':
        return yield* this.#view.profiles.selectSteps(plan.trait, plan.predicate, this.users.size);
      case 'sample':
        return yield* this.#sample(plan, this.users);
      case 'traitsNear':
        return yield* this.#near(plan);
      case 'walk':
        yield* this.walk([plan, ...this.#walksBeside(plan)]);
        return this.#found.get(plan)!;
      case 'count':
        yield* this.scan([plan.scan]);
        return this.#found.get(plan)!;
      default:
        return unreachable(plan);
    }
  }

  *#all(plans: readonly Plan[]): Generator<void, Bitset> {
    const result = this.users.copy();
    for (const plan of plans) {
      if (walkIn(plan) !== undefined) continue;
      if (result.isEmpty) return result;
      const isSampled = plan.kind === 'sample' && !this.#found.has(plan);
      result.and(isSampled ? yield* this.#sample(plan, result) : yield* this.find(plan));
    }
    const walking = plans.filter((plan) => walkIn(plan) !== undefined);
    if (walking.length > 0 && !result.isEmpty) yield* this.#keepWalked(result, walking);
    return result;
  }

  /** Keeps those of whom all plans hold, each a walk or the opposite of one. Few are asked about on their own. */
  *#keepWalked(candidates: Bitset, plans: readonly Plan[]): Generator<void, void> {
    const walks = [...new Set(plans.map((plan) => walkIn(plan)!))];
    const found = new Map<Plan, Bitset>();
    const missing = walks.filter((walk) => !this.#found.has(walk));
    if (missing.length > 0 && candidates.count() < FEW_USERS_SHARE * this.users.count()) {
      yield* runWalks(this.#view, missing, candidates, this.#stats, (walk, ordinals) =>
        found.set(walk, ordinals),
      );
    }
    for (const walk of walks) if (!found.has(walk)) found.set(walk, yield* this.find(walk));
    for (const plan of plans) {
      if (plan.kind === 'not') candidates.andNot(found.get(plan.plan)!);
      else candidates.and(found.get(plan)!);
    }
  }

  *#any(plans: readonly Plan[]): Generator<void, Bitset> {
    const missing = this.users.copy();
    for (const plan of plans) {
      if (missing.isEmpty) break;
      missing.andNot(yield* this.find(plan));
    }
    return this.users.copy().andNot(missing);
  }

  /** Others not found yet of the same events: they cost little more on the way. */
  #walksBeside(plan: WalkPlan): readonly WalkPlan[] {
    const codes = new Set(plan.wanted.flatMap(({ eventCodes }) => eventCodes));
    return this.#planner.walks.filter(
      (other) =>
        other !== plan &&
        !this.#found.has(other) &&
        other.wanted.every(({ eventCodes }) => eventCodes.every((code) => codes.has(code))),
    );
  }

  *#near({ lat, lon, circle }: NearPlan): Generator<void, Bitset> {
    const { profiles } = this.#view;
    const result = yield* profiles.selectSteps(lat, circle.latitude, this.users.size);
    result.and(this.users);
    let asked = 0;
    for (const ordinal of result) {
      if (asked++ % IDS_PER_STEP === 0) yield;
      if (!circle.contains(profiles.get(ordinal, lat), profiles.get(ordinal, lon))) result.delete(ordinal);
    }
    return result;
  }

  *#sample({ buckets, salt }: SamplePlan, among: Bitset): Generator<void, Bitset> {
    const result = new Bitset(among.size);
    let hashed = 0;
    for (const ordinal of among) {
      if (hashed++ % IDS_PER_STEP === 0) yield;
      if (sampleBucket(this.#view.users.refOf(ordinal).id, salt) < buckets) result.add(ordinal);
    }
    return result;
  }
}

/** The walk that the plan is, or the opposite of. */
function walkIn(plan: Plan): WalkPlan | undefined {
  if (plan.kind === 'walk') return plan;
  return plan.kind === 'not' && plan.plan.kind === 'walk' ? plan.plan : undefined;
}
