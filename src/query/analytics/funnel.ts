import { badRequest } from '../../base/errors.ts';
import { FUNNEL_STEPS_MAX, FUNNEL_STEPS_MIN } from '../../base/limits.ts';
import { arraysOf } from '../../base/memoryBudget.ts';
import type { SpareArrays } from '../../base/spareArrays.ts';
import type { Scalar, Value } from '../../base/value.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { type FoundChains, NOT_WALKED } from '../../encoding/kernels/kernels.ts';
import type { EventFilter } from '../criterion.ts';
import type { EventPage } from '../eventPage.ts';
import { eventPages } from '../eventPages.ts';
import { wantedEvents } from '../filter.ts';
import { parseDurationMs } from '../parseTest.ts';
import { asList } from '../shape.ts';
import { NO_VALUE, ValueIds } from '../valueIds.ts';
import type { Analysis, AnalysisContext } from './analysis.ts';
import { type Breakdown, parseBreakdown } from './breakdown.ts';
import { Chains } from './chains.ts';
import { type Durations, durationList, NumberList } from './durations.ts';
import { frameSpan, parseEventFilter } from './frameEvents.ts';
import { funnelByKeySteps, funnelSteps } from './funnelResult.ts';
import { EVENTS_PER_STEP, eventsOfUsers, type UserWalker, walkEach, walkUsersSteps } from './userWalk.ts';

export interface FunnelRequest {
  readonly steps: readonly EventFilter[];
  readonly windowMs: number;
  readonly breakdown: Breakdown | undefined;
}

/** Of one tablet. An entry each is a user who got to that step. */
export interface FunnelPart {
  readonly steps: readonly {
    readonly users: number;
    /** Since the previous step; none for the first. */
    readonly durationsMs: Durations;
    /** With a breakdown: indices into `keys`, in the order of the durations. */
    readonly keys: Uint32Array;
  }[];
  /** What the users are told apart by; undefined for no value. */
  readonly keys: readonly (Value | undefined)[];
}

export interface FunnelResult {
  readonly steps: readonly FunnelStep[];
  readonly breakdown?: readonly { readonly key: Scalar; readonly steps: readonly FunnelStep[] }[];
}

export interface FunnelStep {
  readonly users: number;
  /** Shares from 0 to 1. */
  readonly fromStart: number;
  readonly fromPrevious: number;
  /** Since the previous step. */
  readonly medianMs: number | null;
}

/** How far users get along steps that follow each other within a window. */
export const funnel: Analysis<FunnelRequest, FunnelPart, FunnelResult> = {
  keys: ['steps', 'window', 'breakdown'],

  parse: (params) => {
    const steps = asList(params.steps, 'steps', FUNNEL_STEPS_MAX);
    if (steps.length < FUNNEL_STEPS_MIN) {
      throw badRequest(`must have at least ${FUNNEL_STEPS_MIN} entries`, 'steps');
    }
    return {
      steps: steps.map((step, i) => parseEventFilter(step, `steps[${i}]`)),
      windowMs: parseDurationMs(params.window, 'window'),
      breakdown: params.breakdown === undefined ? undefined : parseBreakdown(params.breakdown, 'breakdown'),
    };
  },

  *map(context, request) {
    const { view, frame, users, stats } = context;
    const collector = new Collector(context, request);
    // Steps after the first may be taken as long after `to` as the window allows.
    const spanOf = (step: number) => frameSpan(context, { laterMs: step === 0 ? 0 : request.windowMs });
    const kinds = request.steps.map((step, i) => wantedEvents(view.schema, step, spanOf(i), frame));
    yield* eventPages({ view, kinds, users, stats }, function* (page) {
      if (request.breakdown?.source === 'prop') {
        collector.readKeys(page, request.breakdown.name);
        yield;
      }
      yield* walkUsersSteps(page, collector);
    });
    collector.release();
    return collector.part();
  },

  *reduce(parts, { breakdown }) {
    const steps = yield* funnelSteps(parts.map(({ steps }) => steps));
    return breakdown === undefined
      ? { steps }
      : { steps, breakdown: yield* funnelByKeySteps(parts, breakdown.top) };
  },
};

/** Walks the users of pages, and keeps of each what the answer needs. */
class Collector implements UserWalker {
  readonly #chains: Chains;
  readonly #windowMs: number;
  readonly #arrays: SpareArrays;
  /** Of users that are walked together. */
  readonly #found: FoundChains;
  readonly #breakdown: Breakdown | undefined;
  readonly #view: AnalysisContext['view'];
  readonly #steps: readonly {
    readonly durationsMs: NumberList<Durations>;
    readonly keys: NumberList<Uint32Array>;
  }[];
  readonly #users: Float64Array;
  readonly #values = new ValueIds();
  /** Of each id that is used: its index in `keys`. */
  readonly #keyOfId = new Map<number, number>();
  readonly #keys: (Value | undefined)[] = [];
  /** What the page's events have of the property. */
  #ids = new Uint32Array(0);

  constructor({ view }: AnalysisContext, { steps, windowMs, breakdown }: FunnelRequest) {
    this.#windowMs = windowMs;
    this.#arrays = arraysOf(view.budget);
    this.#found = {
      levels: this.#arrays.words(EVENTS_PER_STEP),
      stepTimesMs: this.#arrays.numbers(steps.length * EVENTS_PER_STEP),
      firstEvents: this.#arrays.words(EVENTS_PER_STEP),
    };
    this.#chains = new Chains({ stepCount: steps.length, windowMs });
    this.#breakdown = breakdown;
    this.#view = view;
    this.#users = new Float64Array(steps.length);
    this.#steps = steps.map(() => ({
      durationsMs: durationList(windowMs, view.budget),
      keys: new NumberList<Uint32Array>('words', view.budget),
    }));
  }

  /** Before the page's users are walked, where they are told apart by a property. */
  readKeys(page: EventPage, name: string): void {
    if (this.#ids.length < page.eventCount) this.#ids = new Uint32Array(page.eventCount);
    const code = this.#view.schema.propertyCode(name);
    if (code === undefined) this.#ids.fill(NO_VALUE);
    else page.readValues(code, this.#values, this.#ids);
  }

  walkUsers(page: EventPage, from: number, to: number): void {
    const { levels, stepTimesMs, firstEvents } = this.#found;
    const { stepCount } = this.#chains;
    kernels().walkChains(eventsOfUsers(page, from, to), stepCount, this.#windowMs, this.#found);
    for (let i = 0; i < to - from; i++) {
      const level = levels[i]!;
      if (level === NOT_WALKED) walkEach(this, page, from + i, from + i + 1);
      else if (level > 0)
        this.#add(page.ordinals[from + i]!, level, stepTimesMs, i * stepCount, firstEvents[i]!);
    }
  }

  begin(): void {
    this.#chains.begin();
  }

  walk(page: EventPage, from: number, to: number): void {
    this.#chains.walk(page, from, to);
  }

  end(page: EventPage, user: number): void {
    const { level, timesMs, firstEvent } = this.#chains;
    if (level > 0) this.#add(page.ordinals[user]!, level, timesMs, 0, firstEvent);
  }

  /** Nobody is walked any more. */
  release(): void {
    this.#arrays.giveBack(...Object.values(this.#found));
  }

  part(): FunnelPart {
    const steps = this.#steps.map(({ durationsMs, keys }, i) => ({
      users: this.#users[i]!,
      durationsMs: durationsMs.toArray(),
      keys: keys.toArray(),
    }));
    return { steps, keys: this.#keys };
  }

  /** A user who has got to so many steps, the first of which was taken at timesMs[at]. */
  #add(ordinal: number, level: number, timesMs: Float64Array, at: number, firstEvent: number): void {
    this.#users[0]!++;
    for (let step = 1; step < level; step++) {
      this.#users[step]!++;
      this.#steps[step]!.durationsMs.push(timesMs[at + step]! - timesMs[at + step - 1]!);
    }
    if (this.#breakdown === undefined) return;
    const key = this.#keyIndex(this.#idOf(ordinal, firstEvent, this.#breakdown));
    for (let step = 0; step < level; step++) this.#steps[step]!.keys.push(key);
  }

  #idOf(ordinal: number, firstEvent: number, { source, name }: Breakdown): number {
    if (source === 'prop') return this.#ids[firstEvent]!;
    const value = this.#view.profiles.get(ordinal, name);
    return value === undefined ? NO_VALUE : this.#values.idOf(value);
  }

  #keyIndex(id: number): number {
    let key = this.#keyOfId.get(id);
    if (key === undefined) {
      key = this.#keys.length;
      this.#keys.push(id === NO_VALUE ? undefined : this.#values.valueOf(id));
      this.#keyOfId.set(id, key);
    }
    return key;
  }
}
