import { Bitset } from '../base/bitset.ts';
import { CARRIED_BYTES_MAX } from '../base/limits.ts';
import { arraysOf } from '../base/memoryBudget.ts';
import type { TabletView } from '../store/view.ts';
import { usersWithEnoughSteps } from './enoughEvents.ts';
import type { EventPage } from './eventPage.ts';
import { EVENT_KINDS_MAX, eventPages, pagesOf, selectPartsSteps } from './eventPages.ts';
import type { WantedEvents } from './filter.ts';
import { type CarriedMeasure, carriedMeasure, carriedNumbers } from './measures/carried.ts';
import { type Holds, holdsOfNothing, leastEvents, questionOf } from './measures/measure.ts';
import { PageColumns } from './measures/pageColumns.ts';
import { mergedIntoSteps } from './mergedEvents.ts';
import type { PartSelection } from './partSelection.ts';
import type { WalkPlan } from './plan.ts';
import type { Span } from './predicate.ts';
import { mayMatch } from './selectRows.ts';
import type { QueryStats } from './stats.ts';
import { ValueIds } from './valueIds.ts';

/** Words of 32 users asked about between two yields. */
const WORDS_PER_STEP = 1 << 10;

/**
 * Walks users' events and hands out, for every plan, the ordinals among `users` of whom its measure holds. Plans whose
 * kinds of events together are few enough share a walk.
 */
export function* runWalks(
  view: TabletView,
  plans: readonly WalkPlan[],
  users: Bitset,
  stats: QueryStats,
  done: (plan: WalkPlan, ordinals: Bitset) => void,
): Generator<void, void> {
  for (const walk of sharedWalks(plans)) yield* runWalk(view, walk, users, stats, done);
}

interface Walk {
  readonly wanted: readonly WantedEvents[];
  readonly plans: readonly WalkPlan[];
}

function sharedWalks(plans: readonly WalkPlan[]): readonly Walk[] {
  const walks: Walk[] = [];
  let wanted = new Set<WantedEvents>();
  let sharing: WalkPlan[] = [];
  for (const plan of plans) {
    const more = new Set([...wanted, ...plan.wanted]);
    if (more.size > EVENT_KINDS_MAX) {
      walks.push({ wanted: [...wanted], plans: sharing });
      wanted = new Set(plan.wanted);
      sharing = [plan];
    } else {
      wanted = more;
      sharing.push(plan);
    }
  }
  walks.push({ wanted: [...wanted], plans: sharing });
  return walks;
}

function* runWalk(
  view: TabletView,
  { wanted, plans }: Walk,
  users: Bitset,
  stats: QueryStats,
  done: (plan: WalkPlan, ordinals: Bitset) => void,
): Generator<void, void> {
  const values = new ValueIds();
  const walked = plans.map((plan) => ({
    plan,
    kinds: plan.wanted.map((events) => wanted.indexOf(events)),
  }));
  const needsTimes = plans.some(({ measure }) => measure.kind === 'days' || measure.kind === 'sequence');
  const options = { view, kinds: wanted, users, stats, needsTimes };
  const arrays = arraysOf(view.budget);
  const columns = new PageColumns(view.schema, values, arrays);
  const bytes = carriedBytes(plans, users.size);
  if (bytes <= CARRIED_BYTES_MAX) {
    view.budget?.charge(bytes);
    const span = occupiedSpan(view, wanted);
    const carried = walked.map(({ plan: { measure }, kinds }) =>
      carriedMeasure(measure, kinds, values, users.size, arrays, span),
    );
    yield* eventPages({ ...options, inEras: true }, function* (page) {
      columns.begin(page);
      for (const measure of carried) {
        measure.add(page, columns);
        yield;
      }
    });
    for (const [i, plan] of plans.entries()) done(plan, yield* holdingSteps(carried[i]!, users));
    columns.release();
    arrays.giveBack(...carried.flatMap((measure) => measure.arrays));
    view.budget?.release(bytes);
    return;
  }
  const asked = walked.map(({ plan: { measure }, kinds }) => ({
    question: questionOf(measure, kinds, values),
    // Whoever has no such event is on no page.
    found: holdsOfNothing(measure) ? users.copy() : new Bitset(users.size),
  }));
  const selections = yield* selectPartsSteps(options);
  const few = yield* candidatesSteps(view, plans, selections, users);
  const merged = yield* mergedIntoSteps(view, few);
  yield* pagesOf({ ...options, users: few }, selections, merged, function* (page) {
    columns.begin(page);
    for (const { question, found } of asked) {
      findOnPage(page, question(columns), found);
      yield;
    }
  });
  columns.release();
  for (const [i, plan] of plans.entries()) done(plan, asked[i]!.found);
}

/** The part of time in which such events may be. */
function occupiedSpan(view: TabletView, wanted: readonly WantedEvents[]): Span {
  const spans = view.events.parts().flatMap((part) =>
    wanted
      .filter((events) => mayMatch(part, events))
      .map(({ fromMs, toMs }) => ({
        fromMs: Math.max(fromMs, part.timeMinMs),
        toMs: Math.min(toMs, part.timeMaxMs + 1),
      })),
  );
  const fromMs = Math.min(...spans.map((span) => span.fromMs));
  return { fromMs, toMs: Math.max(...spans.map((span) => span.toMs)) };
}

/** Those of the users of whom the only plan may hold: of different values there are as many events at least. */
function* candidatesSteps(
  view: TabletView,
  plans: readonly WalkPlan[],
  selections: readonly PartSelection[],
  users: Bitset,
): Generator<void, Bitset> {
  const [{ measure }, ...others] = plans as readonly [WalkPlan, ...WalkPlan[]];
  if (others.length > 0 || measure.kind !== 'distinct') return users;
  const least = leastEvents(measure.compare);
  const propertyCode = view.schema.propertyCode(measure.prop);
  return least <= 1 ? users : yield* usersWithEnoughSteps(view, selections, users, propertyCode, least);
}

/** Infinity where a measure cannot be carried. */
function carriedBytes(plans: readonly WalkPlan[], userCount: number): number {
  const numbers = plans.reduce((sum, { measure }) => sum + (carriedNumbers(measure) ?? Infinity), 0);
  return numbers * userCount * Float64Array.BYTES_PER_ELEMENT;
}

function* holdingSteps(measure: CarriedMeasure, users: Bitset): Generator<void, Bitset> {
  const found = new Bitset(users.size);
  const { words } = found;
  for (let from = 0; from < words.length; from += WORDS_PER_STEP) {
    measure.findHolding(from, Math.min(from + WORDS_PER_STEP, words.length), words);
    yield;
  }
  return found.and(users);
}

function findOnPage({ userCount, ordinals, starts }: EventPage, holds: Holds, found: Bitset): void {
  for (let user = 0; user < userCount; user++) {
    if (holds(starts[user]!, starts[user + 1]!)) found.add(ordinals[user]!);
    else found.delete(ordinals[user]!);
  }
}
