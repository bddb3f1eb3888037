import type {
  AliasCall,
  TransferContent,
  TransferDoneRecord,
  TransferRecord,
  TransferredEvent,
  UserRef,
} from '../log/record.ts';
import { readTrail } from '../store/trail.ts';
import { announceChanges, applyCall, applyOutcomeHere, storeEvent } from './calls.ts';
import type { Effects } from './effects.ts';
import { isHome } from './placement.ts';
import type { Tablet } from './tablet.ts';
import type { OutgoingTransfer } from './transfers.ts';

/**
 * Merges (decision 2a). The alias is ordered in the anonymous user's tablet. When the known user lives in the same
 * tablet it is done at once; otherwise the anonymous id is forwarded from here on, for as long as there is the known
 * user, and what was known of it goes to the known user's tablet as a transfer. The anonymous user stays visible here
 * until the transfer is done.
 */

/** Of one transfer, as bytesBound reckons. One thing more than this still fits a frame many times over. */
const TRANSFER_BYTES_MAX = 1 << 20;

export function* applyAlias(tablet: Tablet, alias: AliasCall, effects: Effects): Generator<void> {
  const anonymous: UserRef = { known: false, id: alias.anonymousId };
  const known: UserRef = { known: true, id: alias.userId };
  if (belongsToSomeone(tablet, alias.anonymousId)) return;
  if (isHome(tablet.bits, alias.userId)) {
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
  // From a tablet that has split since: its children bring it again.
  if (!tablet.account.tree.has(transfer.source)) return;
  if (!tablet.transfers.receive(transfer.source, transfer.sequence)) return;
  // Made before the user was deleted, and brought to the log after it.
  if (tablet.erasures.isErasedSince(transfer.userId, transfer.deletions ?? 0)) return;
  const known: UserRef = { known: true, id: transfer.userId };
  const { content } = transfer;
  switch (content.kind) {
    case 'call':
      if (!applyCall(tablet, { ...content.call, user: known }, place, effects)) tablet.totals.rejected++;
      return;
    case 'outcome':
      applyOutcomeHere(tablet, { ...content.outcome, user: known }, effects);
      return;
    case 'erased':
      return;
    case 'user': {
      const ordinal = tablet.users.ensure(known);
      const foreign = ordinal === -1 ? -1 : tablet.users.addForeign(transfer.anonymousId, ordinal);
      if (foreign === -1) {
        tablet.totals.rejected += content.events.length;
        return;
      }
      for (const event of content.events) storeEvent(tablet, foreign, event, 'moved');
      yield;
      tablet.profiles.mergeFrom(content.traits, ordinal);
      tablet.outbox.adopt(ordinal, content.outbox);
      if (!content.last) return;
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
  tablet.profiles.drop(ordinal);
  tablet.users.drop(ordinal);
  tablet.events.usersLeft(tablet.users.goneCount);
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
  const { deletions } = tablet.account;
  return tablet.transfers.send({
    atMs: tablet.clockMs,
    source: tablet.bits,
    target: tablet.account.tree.tabletOf(userId),
    anonymousId,
    userId,
    ...(deletions > 0 && { deletions }),
    content,
  });
}

type UserContent = Extract<TransferContent, { readonly kind: 'user' }>;

/**
 * Everything of an anonymous user, in pieces that fit a frame. Its messages leave the tablet with this; what queries
 * see stays until the last piece is done.
 */
function contentsOf(tablet: Tablet, ordinal: number): UserContent[] {
  const pieces = new Pieces();
  const { retentionMs } = tablet.settings;
  const visible = retentionMs === undefined ? {} : { fromMs: tablet.clockMs - retentionMs + 1 };
  for (const [trait, state] of Object.entries(tablet.profiles.extract(ordinal) ?? {})) {
    pieces.for(state).traits[trait] = state;
  }
  for (const intent of tablet.outbox.extract(ordinal) ?? []) pieces.for(intent).outbox.push(intent);
  for (const { part, row, timeMs } of readTrail(tablet.events, [ordinal], visible)) {
    const event = tablet.schema.eventName(part.eventAt(row));
    const named = part.propertiesAt(row).map(([code, value]) => [tablet.schema.propertyName(code), value]);
    const moved = { timeMs, event, properties: Object.fromEntries(named) };
    pieces.for(moved).events.push(moved);
  }
  tablet.live.drop(ordinal);
  return pieces.contents();
}

interface Piece {
  readonly events: TransferredEvent[];
  readonly traits: Record<string, unknown>;
  readonly outbox: unknown[];
}

class Pieces {
  readonly #pieces: Piece[] = [];
  #bytes = Number.POSITIVE_INFINITY;

  /** The piece that has room for this. */
  for(content: unknown): Piece {
    const bytes = bytesBound(content);
    if (this.#bytes + bytes > TRANSFER_BYTES_MAX) {
      this.#pieces.push({ events: [], traits: {}, outbox: [] });
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    return this.#pieces.at(-1)!;
  }

  /** At least one: it says that the user has left. */
  contents(): UserContent[] {
    if (this.#pieces.length === 0) this.#pieces.push({ events: [], traits: {}, outbox: [] });
    return this.#pieces.map((piece, i) => ({ kind: 'user', ...piece, last: i === this.#pieces.length - 1 }));
  }
}

/** What a JSON value takes as MessagePack at the most. */
function bytesBound(value: unknown): number {
  if (typeof value === 'string') return 5 + 3 * value.length;
  if (typeof value !== 'object' || value === null) return 9;
  return Object.entries(value).reduce((sum, [key, item]) => sum + 5 + 3 * key.length + bytesBound(item), 5);
}
