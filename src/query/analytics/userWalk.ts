import { lastAtMost } from '../../base/search.ts';
import type { SpareArrays } from '../../base/spareArrays.ts';
import type { UserEvents } from '../../encoding/kernels/kernels.ts';
import type { EventPage } from '../eventPage.ts';

/** Events walked between two yields: well under a millisecond. */
const EVENTS_PER_STEP = 1 << 14;

/** Is shown each user's events in trail order, in one piece or in several that are cut between different times. */
export interface UserWalker {
  /** The events that follow are those of the page's user of this number. */
  begin(page: EventPage, user: number): void;
  walk(page: EventPage, from: number, to: number): void;
  /** That was the user. */
  end(page: EventPage, user: number): void;
}

/** Shows a walker a page's users, one after the other. */
export function* walkUsersSteps(page: EventPage, walker: UserWalker): Generator<void, void> {
  const { starts, timesMs, userCount } = page;
  let walked = 0;
  for (let user = 0; user < userCount; user++) {
    const end = starts[user + 1]!;
    walker.begin(page, user);
    for (let from = starts[user]!; from < end; ) {
      let to = Math.min(end, from + EVENTS_PER_STEP);
      while (to < end && timesMs[to] === timesMs[to - 1]) to++;
      walker.walk(page, from, to);
      walked += to - from;
      from = to;
      if (walked < EVENTS_PER_STEP) continue;
      walked = 0;
      yield;
    }
    walker.end(page, user);
  }
}

/**
 * Shows a page's users to whoever can go on with a user later: as many as are looked at between two yields, and one with more
 * events than that in several pieces, cut between different times.
 */
export function* usersInStepsOf(
  page: EventPage,
  arrays: SpareArrays,
  visit: (users: UserEvents) => void,
): Generator<void, void> {
  const { userCount, ordinals, starts, timesMs, kinds } = page;
  for (let user = 0; user < userCount; ) {
    const limit = starts[user]! + EVENTS_PER_STEP;
    let end = lastAtMost(starts.subarray(0, userCount + 1), limit);
    if (end > user) {
      visit({
        userCount: end - user,
        ordinals: ordinals.subarray(user),
        starts: starts.subarray(user),
        timesMs,
        kinds,
      });
    } else {
      end = user + 1;
      const piece = arrays.words(2);
      for (let from = starts[user]!; from < starts[end]!; from = piece[1]!) {
        let to = Math.min(from + EVENTS_PER_STEP, starts[end]!);
        while (to < starts[end]! && timesMs[to] === timesMs[to - 1]) to++;
        piece.set([from, to]);
        visit({ userCount: 1, ordinals: ordinals.subarray(user), starts: piece, timesMs, kinds });
        yield;
      }
      arrays.giveBack(piece);
    }
    user = end;
    yield;
  }
}
