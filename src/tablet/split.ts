import { Bitset } from '../base/bitset.ts';
import type { Call, LogRecord } from '../log/record.ts';
import { EventStore } from '../store/events.ts';
import { bitOf, isHome } from './placement.ts';
import type { Tablet } from './tablet.ts';

/**
 * Splitting a tablet (decision 1; docs/decisions/0004-tablet-split.md). A user goes to the child that its own id says,
 * with its events, traits, live state and messages. An anonymous id that was merged into a user of the other child is
 * forwarded from then on, as after any merge across tablets. What belongs to no single user goes to the heir, the first
 * child; message ids that were seen are known to both.
 */

/** Looked at between two yields: hashing their ids takes some hundreds of microseconds. */
const ORDINALS_PER_STEP = 2048;

/** Whether the tablet has what belonged to no single user of `ancestor`. */
function isHeirOf(tablet: string, ancestor: string): boolean {
  return tablet === ancestor.padEnd(tablet.length, '0');
}

/** Moves everything from the parent, which is of no use any more, into its children, which are empty. */
export function* splitTablet(parent: Tablet, children: readonly [Tablet, Tablet]): Generator<void> {
  const here = yield* whoGoesWhere(parent);
  for (const [i, child] of children.entries()) yield* inherit(child, parent, here[i]!);
  parent.transfers.end();
  parent.events = new EventStore(); // what is still sealing it finds nothing more to do
}

/** For each child the ordinals whose users will live there, those of merged ids among them. */
function* whoGoesWhere({ bits, users }: Tablet): Generator<void, readonly [Bitset, Bitset]> {
  const here = [new Bitset(users.count), new Bitset(users.count)] as const;
  for (let ordinal = 0; ordinal < users.count; ordinal++) {
    if (ordinal % ORDINALS_PER_STEP === 0) yield;
    if (users.canonical[ordinal] !== ordinal || users.isGone(ordinal)) continue;
    here[bitOf(users.idOf(ordinal), bits.length)].add(ordinal);
  }
  for (let ordinal = 0; ordinal < users.count; ordinal++) {
    if (ordinal % ORDINALS_PER_STEP === 0) yield;
    const canonical = users.canonical[ordinal]!;
    if (canonical !== ordinal) here[here[0].has(canonical) ? 0 : 1].add(ordinal);
  }
  return here;
}

function* inherit(child: Tablet, parent: Tablet, here: Bitset): Generator<void> {
  const isHeir = isHeirOf(child.bits, parent.bits);
  child.clockMs = parent.clockMs;
  yield* child.account.inherit(parent.account, isHeir);
  yield* child.users.inherit(parent.users, here, (id) => isHome(child.bits, id));
  child.events = parent.events.fork();
  child.events.usersLeft(child.users.goneCount);
  child.rowsHere = parent.rowsHere * (child.users.hereCount / Math.max(1, parent.users.hereCount));
  child.dedupe.inherit(parent.dedupe);
  child.transfers.inherit(parent.transfers, child.bits);
  yield* child.profiles.inherit(parent.profiles, here);
  yield* child.live.inherit(parent.live, here);
  yield* child.outbox.inherit(parent.outbox, here, isHeir);
  if (!isHeir) return;
  child.deadLetters.inherit(parent.deadLetters);
  Object.assign(child.totals, parent.totals);
  child.totals.droppedValues += parent.profiles.droppedValues;
}

/**
 * What of a record is the tablet's own when it was written for `ancestor`, of which the tablet came by splits that the
 * writer did not know of; undefined when that is nothing.
 */
export function ownShare(tablet: Tablet, record: LogRecord, ancestor: string): LogRecord | undefined {
  const isHeir = isHeirOf(tablet.bits, ancestor);
  switch (record.kind) {
    case 'calls': {
      const calls = record.calls.filter((call) => isHome(tablet.bits, homeIdOf(call)));
      const { droppedValues = 0, ...rest } = record;
      return { ...rest, calls, ...(isHeir && { droppedValues }) };
    }
    case 'outcome':
      return isHome(tablet.bits, record.user.id) ? record : undefined;
    case 'deadLetters':
      return isHeir ? record : undefined;
    case 'transfer':
    case 'transferDone':
      return undefined; // brought again under the children's names
    default:
      return record;
  }
}

/** The id whose tablet takes the call. */
export function homeIdOf(call: Call): string {
  return call.kind === 'alias' ? call.anonymousId : call.user.id;
}
