import { assert, unreachable } from '../base/assert.ts';
import type { ValuePredicate } from '../store/part.ts';
import type { TabletView } from '../store/view.ts';
import type {
  Comparison,
  Criterion,
  EventCriterion,
  EventFilter,
  ProfileCriterion,
  SequenceCriterion,
  Within,
} from './criterion.ts';
import { compilePropertyTest, type WantedEvents, wantedEvents } from './filter.ts';
import { byMatches } from './firstLast.ts';
import {
  compileMeasure,
  compileSequence,
  type MeasureOfValues,
  type WalkMeasure,
} from './measures/measure.ts';
import type { Circle } from './near.ts';
import { type Moment, oppositeOf, type Span, windowSpan } from './predicate.ts';
import { checkReferences, parseSaved } from './saved.ts';
import { visibleFromMs } from './users.ts';

/** A definition made ready for one tablet and moment. Equal parts are one object, so that they are worked out once. */
export type Plan = { readonly cost: number } & (
  | { readonly kind: 'all' }
  /** Cheapest first. */
  | { readonly kind: 'and' | 'or'; readonly plans: readonly Plan[] }
  | { readonly kind: 'not'; readonly plan: Plan }
  | { readonly kind: 'traits'; readonly trait: string; readonly predicate: ValuePredicate }
  | NearPlan
  | SamplePlan
  | CountPlan
  | WalkPlan
);

/**
 * A rough rank: a column of traits, a scan of events (each property tested adds one), a hash of every user's id, a walk
 * of users' events.
 */
const COST = { all: 0, traits: 1, traitsNear: 3, scan: 10, sample: 50, walk: 100 } as const;

/** Users whose ids hash to few enough. */
export interface SamplePlan {
  readonly kind: 'sample';
  readonly cost: number;
  readonly buckets: number;
  readonly salt: string;
}

/** Users with two traits that lie in a circle. */
export interface NearPlan {
  readonly kind: 'traitsNear';
  readonly cost: number;
  readonly lat: string;
  readonly lon: string;
  readonly circle: Circle;
}

/** Users whose number of events that pass the scan satisfies the comparison. */
export interface CountPlan {
  readonly kind: 'count';
  readonly cost: number;
  readonly scan: Scan;
  readonly compare: Comparison;
}

/** Users of whose events a measure holds that needs their order, their times or their values. */
export interface WalkPlan {
  readonly kind: 'walk';
  readonly cost: number;
  /** Kinds of events; the measure speaks of them by their places here. */
  readonly wanted: readonly WantedEvents[];
  readonly measure: WalkMeasure;
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
  readonly #wanted = new Map<string, WantedEvents>();
  readonly #walks = new Map<string, WalkPlan>();

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

  get walks(): readonly WalkPlan[] {
    return [...this.#walks.values()];
  }

  #plan(criterion: Criterion): Plan {
    switch (criterion.kind) {
      case 'all':
        return { kind: 'all', cost: COST.all };
      case 'sample':
        return { ...criterion, cost: COST.sample };
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
        return this.#planTraits(criterion);
      case 'event':
        return this.#planEvent(criterion);
      case 'sequence':
        return this.#planSequence(criterion);
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

  #planTraits({ kind, trait, test }: ProfileCriterion): Plan {
    const opposite = oppositeOf(test);
    // Of a positive test more is known than that it can be asked of each value.
    if (opposite !== undefined) {
      const plan = this.#planTraits({ kind, trait, test: opposite });
      return { kind: 'not', plan, cost: plan.cost };
    }
    const compiled = compilePropertyTest(trait, test, this.#moment);
    if (compiled.kind === 'near') return { ...compiled, kind: 'traitsNear', cost: COST.traitsNear };
    return { kind: 'traits', cost: COST.traits, trait, predicate: compiled.predicate };
  }

  #planEvent(criterion: EventCriterion): Plan {
    const { filter, measure } = criterion;
    switch (measure.kind) {
      case 'count':
        return this.#planCount(criterion, measure.compare);
      case 'first':
      case 'last':
        return this.#plan(byMatches(filter, measure));
      default:
        return this.#planMeasure(criterion, measure);
    }
  }

  #planCount(criterion: EventCriterion, compare: Comparison): CountPlan {
    const scanKey = keyOf(criterion.filter) + (criterion.within === undefined ? '' : keyOf(criterion.within));
    const key = scanKey + keyOf(compare);
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
    return { ...this.#want(filter, within), plans: [] };
  }

  #planMeasure({ filter, within }: EventCriterion, measure: MeasureOfValues): WalkPlan {
    return this.#walk([filter, within, measure], () => ({
      wanted: [this.#want(filter, within)],
      measure: compileMeasure(measure, this.#moment),
    }));
  }

  #planSequence(criterion: SequenceCriterion): WalkPlan {
    return this.#walk(criterion, () => {
      const steps = this.#wantSteps(criterion);
      const wanted = [...new Set(steps)];
      const stepKinds = steps.map((events) => 1 << wanted.indexOf(events));
      return { wanted, measure: compileSequence(criterion, stepKinds, this.#moment) };
    });
  }

  #walk(criterion: unknown, make: () => Pick<WalkPlan, 'wanted' | 'measure'>): WalkPlan {
    const key = JSON.stringify(criterion);
    let plan = this.#walks.get(key);
    if (plan === undefined) {
      const { wanted, measure } = make();
      const tests = wanted.reduce((sum, { filter }) => sum + filter.where.length, 0);
      plan = { kind: 'walk', wanted, measure, cost: COST.walk + tests };
      this.#walks.set(key, plan);
    }
    return plan;
  }

  /** No step is before the first one, nor further behind it than all may be apart. */
  #wantSteps({ steps, windowMs = Infinity, within }: SequenceCriterion): readonly WantedEvents[] {
    const first = windowSpan(within, this.#moment);
    let laterMs = 0;
    return steps.map(({ filter, withinMs = Infinity }, step) => {
      if (step > 0) laterMs = Math.min(windowMs, laterMs + withinMs);
      const toMs = Math.min(first.toMs + laterMs, this.#moment.atMs + 1);
      return this.#wantIn(filter, { fromMs: first.fromMs, toMs });
    });
  }

  #want(filter: EventFilter, within: Within | undefined): WantedEvents {
    return this.#wantIn(filter, windowSpan(within, this.#moment));
  }

  /** One object for equal filters and spans. */
  #wantIn(filter: EventFilter, { fromMs, toMs }: Span): WantedEvents {
    const key = `${keyOf(filter)}${fromMs} ${toMs}`;
    let wanted = this.#wanted.get(key);
    if (wanted === undefined) {
      const span = { fromMs: Math.max(fromMs, this.#visibleFromMs), toMs };
      wanted = wantedEvents(this.#view.schema, filter, span, this.#moment);
      this.#wanted.set(key, wanted);
    }
    return wanted;
  }
}

/** Kept, since all tablets of a thread are asked about the same criteria. */
const keys = new WeakMap<object, string>();

/** The same for what is alike. It never changes. */
function keyOf(part: object): string {
  let key = keys.get(part);
  if (key === undefined) {
    key = JSON.stringify(part);
    keys.set(part, key);
  }
  return key;
}
