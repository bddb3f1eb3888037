import { lastAtMost } from '../../base/search.ts';
import type { UserEvents } from '../../encoding/kernels/kernels.ts';
import type { EventPage } from '../eventPage.ts';

/** Events walked between two yields: well under a millisecond. */
export const EVENTS_PER_STEP = 1 << 14;

/** Is shown each user's events in trail order, in one piece or in several that are cut between different times. */
export interface UserWalker {
  /** Several users with all their events, at most EVENTS_PER_STEP: the page's users [from, to). */
  walkUsers(page: EventPage, from: number, to: number): void;
  /** The events that follow are those of the page's user of this number. */
  begin(page: EventPage, user: number): void;
  walk(page: EventPage, from: number, to: number): void;
  /** That was the user. */
  end(page: EventPage, user: number): void;
}

/** Shows a walker a page's users, one after the other. */
export function* walkUsersSteps(page: EventPage, walker: UserWalker): Generator<void, void> {
  const { starts, timesMs, userCount } = page;
  for (let user = 0; user < userCount; ) {
    let next = lastAtMost(starts.subarray(0, userCount + 1), starts[user]! + EVENTS_PER_STEP);
    if (next > user) walker.walkUsers(page, user, next);
    else {
      next = user + 1;
      const end = starts[next]!;
      walker.begin(page, user);
      for (let from = starts[user]!; from < end; ) {
        let to = Math.min(end, from + EVENTS_PER_STEP);
        while (to < end && timesMs[to] === timesMs[to - 1]) to++;
        walker.walk(page, from, to);
        from = to;
        yield;
      }
      walker.end(page, user);
    }
    user = next;
    yield;
  }
}

/** For a walker that looks at each user alone. */
export function walkEach(walker: UserWalker, page: EventPage, from: number, to: number): void {
  const { starts } = page;
  for (let user = from; user < to; user++) {
    walker.begin(page, user);
    walker.walk(page, starts[user]!, starts[user + 1]!);
    walker.end(page, user);
  }
}

/** The page's users [from, to), as kernels take them. */
export function eventsOfUsers(page: EventPage, from: number, to: number): UserEvents {
  const { ordinals, starts, timesMs, kinds } = page;
  return {
    userCount: to - from,
    ordinals: ordinals.subarray(from, to),
    starts: starts.subarray(from, to + 1),
    timesMs,
    kinds,
  };
}
