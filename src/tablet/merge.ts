import { userHash } from '../base/hash.ts';
import type {
  AliasCall,
  TransferContent,
  TransferDoneRecord,
  TransferRecord,
  UserRef,
} from '../log/record.ts';
import { readTrail } from '../store/trail.ts';
import { announceChanges, applyCall, applyOutcomeHere, storeEvent } from './calls.ts';
import type { Effects } from './effects.ts';
import { prefixOf } from './placement.ts';
import type { Tablet } from './tablet.ts';
import type { OutgoingTransfer } from './transfers.ts';

/**
 * Merges (decision 2a). The alias is ordered in the anonymous user's tablet. When the known user lives in the same
 * tablet it is done at once; otherwise the anonymous id is forwarded from here on, for ever, and what was known of it
 * goes to the known user's tablet as a transfer. The anonymous user stays visible here until the transfer is done.
 */

/** Events in one transfer: with 32 KB events the frame still fits, with usual ones it is a few MB. */
const TRANSFER_EVENTS_MAX = 400;

export function* applyAlias(tablet: Tablet, alias: AliasCall, effects: Effects): Generator<void> {
  const anonymous: UserRef = { known: false, id: alias.anonymousId };
  const known: UserRef = { known: true, id: alias.userId };
  if (belongsToSomeone(tablet, alias.anonymousId)) return;
  if (prefixOf(userHash(alias.userId), tablet.bits.length) === tablet.bits) {
    const [source, target] = [tablet.users.ensure(anonymous), tablet.users.ensure(known)];
    if (source === -1 || target === -1) return;
    yield* mergeHere(tablet, source, target);
    announceChanges(tablet, effects);
    return;
  }
  const ordinal = tablet.users.find(anonymous);
  if (!tablet.users.forward(alias.anonymousId, alias.userId)) return;
  for (const content of ordinal === -1 ? [] : contentsOf(tablet, ordinal)) {
    effects.transfers.push(sendTransfer(tablet, alias.anonymousId, alias.userId, content));
  }
}

/** The transfer by which something about a forwarded user leaves; undefined when the user is not forwarded. */
export function forwarded(
  tablet: Tablet,
  user: UserRef,
  content: TransferContent,
): OutgoingTransfer | undefined {
  const userId = user.known ? undefined : tablet.users.forwardOf(user.id);
  return userId === undefined ? undefined : sendTransfer(tablet, user.id, userId, content);
}

export function* applyTransfer(
  tablet: Tablet,
  transfer: TransferRecord,
  effects: Effects,
  place: string,
): Generator<void> {
  if (!tablet.transfers.receive(transfer.source, transfer.sequence)) return;
  const known: UserRef = { known: true, id: transfer.userId };
  const { content } = transfer;
  switch (content.kind) {
    case 'call':
      applyCall(tablet, { ...content.call, user: known }, place, effects);
      return;
    case 'outcome':
      applyOutcomeHere(tablet, { ...content.outcome, user: known }, effects);
      return;
    case 'user': {
      const ordinal = tablet.users.ensure(known);
      const foreign = ordinal === -1 ? -1 : tablet.users.addForeign(transfer.anonymousId, ordinal);
      if (foreign === -1) {
        tablet.totals.rejected += content.events.length;
        return;
      }
      for (const event of content.events) storeEvent(tablet, foreign, event);
      yield;
      if (content.traits !== undefined) tablet.profiles.mergeFrom(content.traits, ordinal);
      if (content.outbox !== undefined) tablet.outbox.adopt(ordinal, content.outbox);
      tablet.live.onTransferredIn(ordinal, tablet.clockMs);
      announceChanges(tablet, effects);
    }
  }
}

export function applyTransferDone(tablet: Tablet, { target, sequence }: TransferDoneRecord): void {
  const transfer = tablet.transfers.done(target, sequence);
  if (transfer?.content.kind !== 'user' || !transfer.content.last) return;
  const ordinal = tablet.users.find({ known: false, id: transfer.anonymousId });
  // A segment saved since the user began to leave has found it again.
  tablet.live.drop(ordinal);
  tablet.users.drop(ordinal);
}

/** An anonymous id that has been merged once stays with that user. */
function belongsToSomeone(tablet: Tablet, anonymousId: string): boolean {
  if (tablet.users.forwardOf(anonymousId) !== undefined) return true;
  const ordinal = tablet.users.find({ known: false, id: anonymousId });
  return ordinal !== -1 && tablet.users.refOf(ordinal).known;
}

function* mergeHere(tablet: Tablet, source: number, target: number): Generator<void> {
  const traits = tablet.profiles.extract(source);
  tablet.profiles.drop(source);
  tablet.users.merge(source, target);
  yield;
  if (traits !== undefined) tablet.profiles.mergeFrom(traits, target);
  tablet.outbox.onMerge(source, target);
  tablet.live.onMerge(source, target, tablet.clockMs);
}

function sendTransfer(
  tablet: Tablet,
  anonymousId: string,
  userId: string,
  content: TransferContent,
): OutgoingTransfer {
  return tablet.transfers.send({
    atMs: tablet.clockMs,
    source: tablet.bits,
    target: prefixOf(userHash(userId), tablet.bits.length),
    anonymousId,
    userId,
    content,
  });
}

/** Everything of an anonymous user, in pieces that fit a frame; what may change leaves the tablet with this. */
function contentsOf(tablet: Tablet, ordinal: number): TransferContent[] {
  const events = readTrail(tablet.events, [ordinal]).map(({ part, row, timeMs }) => ({
    timeMs,
    event: tablet.schema.eventName(part.eventAt(row)),
    properties: Object.fromEntries(
      part.propertiesAt(row).map(([code, value]) => [tablet.schema.propertyName(code), value]),
    ),
  }));
  const traits = tablet.profiles.extract(ordinal);
  const outbox = tablet.outbox.extract(ordinal);
  tablet.profiles.drop(ordinal);
  tablet.live.drop(ordinal);
  const pieces = Math.max(1, Math.ceil(events.length / TRANSFER_EVENTS_MAX));
  return Array.from({ length: pieces }, (_, i) => ({
    kind: 'user',
    events: events.slice(i * TRANSFER_EVENTS_MAX, (i + 1) * TRANSFER_EVENTS_MAX),
    last: i === pieces - 1,
    ...(i === 0 && traits !== undefined ? { traits } : {}),
    ...(i === 0 && outbox !== undefined ? { outbox } : {}),
  }));
}
