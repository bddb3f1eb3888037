import { Bitset } from '../base/bitset.ts';
import type { TabletView } from '../store/view.ts';
import { askMeasure, holdsOfNothing } from './measures/measure.ts';
import { TrailColumns } from './measures/trailColumns.ts';
import type { EventsWanted, WalkPlan } from './plan.ts';
import type { QueryStats } from './scan.ts';

/** A bit each of the numbers in EventColumns.kinds. */
const KINDS_MAX = 32;
/** Users whose trails are read between two yields. */
const USERS_PER_STEP = 16;

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
  readonly wanted: readonly EventsWanted[];
  readonly plans: readonly WalkPlan[];
}

function sharedWalks(plans: readonly WalkPlan[]): readonly Walk[] {
  const walks: Walk[] = [];
  let wanted = new Set<EventsWanted>();
  let sharing: WalkPlan[] = [];
  for (const plan of plans) {
    const more = new Set([...wanted, ...plan.wanted]);
    if (more.size > KINDS_MAX) {
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
  const found = plans.map((plan) => (holdsOfNothing(plan.measure) ? users.copy() : new Bitset(users.size)));
  let walked = 0;
  for (const user of users) {
    if (walked++ % USERS_PER_STEP === 0) yield;
    const columns = new TrailColumns(view, user, wanted);
    stats.rowsScanned += columns.count;
    if (columns.count === 0) continue;
    for (const [i, { measure, wanted: own }] of plans.entries()) {
      const kinds = own.map((events) => wanted.indexOf(events));
      if (askMeasure(measure, columns, kinds)(0, columns.count)) found[i]!.add(user);
      else found[i]!.delete(user);
    }
  }
  for (const [i, plan] of plans.entries()) done(plan, found[i]!);
}
