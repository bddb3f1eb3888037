import type { DeleteRecord } from '../log/record.ts';
import type { Effects } from './effects.ts';
import { isHome } from './placement.ts';
import type { Tablet } from './tablet.ts';

/**
 * Deletion of a user (docs/decisions/0010-deletion.md): every tablet of the account applies the same record at the same
 * place of the log and erases what it has of the user. Events stop being visible here and now; their rows go with the
 * next compaction, as those of users who have left.
 */
export function* applyDelete(tablet: Tablet, record: DeleteRecord, effects: Effects): Generator<void> {
  const { user } = record;
  let isAny = false;
  if (isHome(tablet.bits, user.id)) {
    const ordinal = ownOrdinal(tablet, record);
    if (user.known) tablet.erasures.note(user.id, tablet.account.deletions);
    if (ordinal !== -1) {
      yield* eraseOrdinal(tablet, ordinal, effects);
      isAny = true;
    }
  }
  if (user.known && (yield* eraseWhatLeaves(tablet, user.id, effects))) isAny = true;
  yield* tablet.deadLetters.eraseOf(record);
  if (isAny) effects.erased++;
}

/** -1 also for an anonymous id that belongs to a known user by now. */
function ownOrdinal({ users }: Tablet, { user }: DeleteRecord): number {
  if (!user.known && users.forwardOf(user.id) !== undefined) return -1;
  const ordinal = users.find(user);
  return ordinal !== -1 && users.refOf(ordinal).known === user.known ? ordinal : -1;
}

/** Ids that were merged into the known user from here, and what of them is still to arrive there. */
function* eraseWhatLeaves(tablet: Tablet, userId: string, effects: Effects): Generator<void, boolean> {
  const { users } = tablet;
  const isUnderWay = tablet.transfers.erase(userId);
  const anonymousIds = users.forwardedTo(userId);
  users.eraseForwardsTo(userId);
  for (const id of anonymousIds) {
    const ordinal = users.find({ known: false, id });
    if (ordinal !== -1) yield* eraseOrdinal(tablet, ordinal, effects);
  }
  return isUnderWay || anonymousIds.length > 0;
}

/** A canonical one, and all that was merged into it. Watchers hear of it; no campaign does. */
function* eraseOrdinal(tablet: Tablet, ordinal: number, effects: Effects): Generator<void> {
  const user = tablet.users.refOf(ordinal);
  tablet.live.erase(ordinal, tablet.clockMs);
  for (const { ordinal: _, ...change } of tablet.live.takeChanges())
    effects.changes.push({ ...change, user });
  yield;
  tablet.outbox.erase(ordinal);
  tablet.profiles.drop(ordinal);
  yield;
  yield* tablet.users.erase(ordinal);
  tablet.events.usersLeft(tablet.users.goneCount);
}
