import { Bitset } from '../base/bitset.ts';
import type { TabletView } from '../store/view.ts';
import type { EventPage } from './eventPage.ts';
import { EVENT_KINDS_MAX, eventPages } from './eventPages.ts';
import type { WantedEvents } from './filter.ts';
import { type Holds, holdsOfNothing, questionOf } from './measures/measure.ts';
import { PageColumns } from './measures/pageColumns.ts';
import type { WalkPlan } from './plan.ts';
import type { QueryStats } from './stats.ts';
import { ValueIds } from './valueIds.ts';

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
  const columns = new PageColumns(view.schema, values);
  const walked = plans.map(({ measure, wanted: own }) => ({
    question: questionOf(
      measure,
      own.map((events) => wanted.indexOf(events)),
      values,
    ),
    // Whoever has no such event is on no page.
    found: holdsOfNothing(measure) ? users.copy() : new Bitset(users.size),
  }));
  yield* eventPages({ view, kinds: wanted, users, stats }, function* (page) {
    columns.begin(page);
    for (const { question, found } of walked) {
      findOnPage(page, question(columns), found);
      yield;
    }
  });
  for (const [i, plan] of plans.entries()) done(plan, walked[i]!.found);
}

function findOnPage({ userCount, ordinals, starts }: EventPage, holds: Holds, found: Bitset): void {
  for (let user = 0; user < userCount; user++) {
    if (holds(starts[user]!, starts[user + 1]!)) found.add(ordinals[user]!);
    else found.delete(ordinals[user]!);
  }
}
