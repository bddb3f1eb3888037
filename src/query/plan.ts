import { assert, unreachable } from '../base/assert.ts';
import type { ValuePredicate } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import type { Comparison, Criterion, EventCriterion } from './criterion.ts';
import { type WantedEvents, wantedEvents } from './filter.ts';
import { compileTest, type Moment, windowSpan } from './predicate.ts';
import { checkReferences, parseSaved } from './saved.ts';
import { visibleFromMs } from './users.ts';

/** A definition made ready for one tablet and moment. Equal parts are one object, so that they are worked out once. */
export type Plan = { readonly cost: number } & (
  | { readonly kind: 'all' }
  /** Cheapest first. */
  | { readonly kind: 'and' | 'or'; readonly plans: readonly Plan[] }
  | { readonly kind: 'not'; readonly plan: Plan }
  | { readonly kind: 'traits'; readonly trait: string; readonly predicate: ValuePredicate }
  | { readonly kind: 'sample'; readonly buckets: number; readonly salt: string }
  | CountPlan
);

/** A rough rank: a column of traits, a scan of events (each property tested adds one), a hash of every user's id. */
const COST = { all: 0, traits: 1, scan: 10, sample: 50 } as const;

/** Users whose number of events that pass the scan satisfies the comparison. */
export interface CountPlan {
  readonly kind: 'count';
  readonly cost: number;
  readonly scan: Scan;
  readonly compare: Comparison;
}

/** The events to count, and every plan that wants their counts. */
export interface Scan extends WantedEvents {
  readonly plans: CountPlan[];
}

/** When a query is answered: what it sees ends at `atMs`, and begins where retention stands at `nowMs`. */
export interface QueryTimes {
  readonly atMs: number;
  readonly nowMs: number;
}

/** Plans for one query, of one definition or many. */
export class Planner {
  readonly #view: TabletView;
  readonly #moment: Moment;
  readonly #visibleFromMs: number;
  readonly #saved = new Map<string, Plan>();
  readonly #scans = new Map<string, Scan>();
  readonly #counts = new Map<string, CountPlan>();

  constructor(view: TabletView, { atMs, nowMs }: QueryTimes) {
    this.#view = view;
    this.#moment = { atMs, zone: view.settings.timezone };
    this.#visibleFromMs = visibleFromMs(view.settings, nowMs);
  }

  /** Throws `bad_request` for a saved segment that is missing or leads in a circle. */
  plan(criterion: Criterion): Plan {
    checkReferences(undefined, criterion, (name) => this.#view.savedSegment(name));
    return this.#plan(criterion);
  }

  get scans(): readonly Scan[] {
    return [...this.#scans.values()];
  }

  #plan(criterion: Criterion): Plan {
    switch (criterion.kind) {
      case 'all':
      case 'sample':
        return { ...criterion, cost: COST[criterion.kind] };
      case 'and':
      case 'or': {
        const plans = criterion.criteria.map((inner) => this.#plan(inner));
        plans.sort((a, b) => a.cost - b.cost);
        return { kind: criterion.kind, plans, cost: plans.reduce((sum, inner) => sum + inner.cost, 0) };
      }
      case 'not': {
        const plan = this.#plan(criterion.criterion);
        return { kind: 'not', plan, cost: plan.cost };
      }
      case 'segment':
        return this.#planSaved(criterion.name);
      case 'profile':
        return {
          kind: 'traits',
          cost: COST.traits,
          trait: criterion.trait,
          predicate: compileTest(criterion.test, this.#moment),
        };
      case 'event':
        return this.#planCount(criterion);
      default:
        return unreachable(criterion);
    }
  }

  #planSaved(name: string): Plan {
    let plan = this.#saved.get(name);
    if (plan === undefined) {
      const criterion = parseSaved(name, (other) => this.#view.savedSegment(other));
      assert(criterion !== undefined, 'references were checked');
      plan = this.#plan(criterion);
      this.#saved.set(name, plan);
    }
    return plan;
  }

  #planCount(criterion: EventCriterion): CountPlan {
    const { compare } = criterion.measure;
    const scanKey = JSON.stringify([criterion.filter, criterion.within]);
    const key = JSON.stringify([scanKey, compare]);
    let plan = this.#counts.get(key);
    if (plan === undefined) {
      const scan = this.#scans.get(scanKey) ?? this.#scanOf(criterion);
      plan = { kind: 'count', scan, compare, cost: COST.scan + criterion.filter.where.length };
      scan.plans.push(plan);
      this.#scans.set(scanKey, scan);
      this.#counts.set(key, plan);
    }
    return plan;
  }

  #scanOf({ filter, within }: EventCriterion): Scan {
    const { fromMs, toMs } = windowSpan(within, this.#moment);
    const span = { fromMs: Math.max(fromMs, this.#visibleFromMs), toMs };
    return { ...wantedEvents(this.#view.schema, filter, span, this.#moment), plans: [] };
  }
}
