import { assert, unreachable } from '../base/assert.ts';
import type {
  AccountRecord,
  Call,
  CallsRecord,
  DeleteRecord,
  LogRecord,
  OutcomeRecord,
  SplitRecord,
} from '../log/record.ts';
import { parseSegment } from '../query/parse.ts';
import { isValidSplit, type SegmentValue } from './account.ts';
import { announceChanges, applyCall, applyOutcomeHere } from './calls.ts';
import { type Effects, noEffects } from './effects.ts';
import { applyDelete } from './erase.ts';
import { applyAlias, applyTransfer, applyTransferDone, forwarded } from './merge.ts';
import { ownShare, splitTablet } from './split.ts';
import type { Tablet } from './tablet.ts';

/** Calls applied between two yields: a few tens of microseconds. */
const CALLS_PER_STEP = 64;

/**
 * apply(state, record) → effects, for the records of one section of the frame at `position`. Deterministic: no clock,
 * no chance, no I/O. Yields between small steps; nothing else may touch the tablet until it has returned.
 *
 * `writtenFor`: the tablet that the section names, when that has split and this one came of it.
 */
export function* applyRecords(
  tablet: Tablet,
  records: readonly LogRecord[],
  position: number,
  writtenFor = tablet.bits,
): Generator<void, Effects> {
  const effects = noEffects();
  for (const [index, record] of records.entries()) {
    yield* advanceClock(tablet, record.atMs, effects);
    const own = writtenFor === tablet.bits ? record : ownShare(tablet, record, writtenFor);
    if (own !== undefined) yield* applyRecord(tablet, own, `${position}.${index}`, effects);
  }
  yield* takeSends(tablet, effects);
  tablet.position = position;
  return effects;
}

/**
 * The record by which this tablet splits: apply(state, split) → two states. The children come empty; the parent is of
 * no use any more. Gives the effects of each child.
 */
export function* applySplit(
  parent: Tablet,
  children: readonly [Tablet, Tablet],
  split: SplitRecord,
  position: number,
): Generator<void, readonly [Effects, Effects]> {
  const effects = noEffects();
  yield* advanceClock(parent, split.atMs, effects);
  yield* splitTablet(parent, children);
  const [heirs, others] = [effects, noEffects()];
  for (const [child, own] of [[children[0], heirs] as const, [children[1], others] as const]) {
    child.account.apply(split);
    own.transfers.push(...child.transfers.pending());
    yield* takeSends(child, own);
    child.position = position;
  }
  return [heirs, others];
}

function* takeSends(tablet: Tablet, effects: Effects): Generator<void> {
  for (let due = tablet.outbox.takeDue(); due.length > 0; due = tablet.outbox.takeDue()) {
    effects.sends.push(...due);
    yield;
  }
}

/** What a new owner, or one that has replayed, must see to: nothing intended is lost. */
export function pendingEffects(tablet: Tablet): Effects {
  return { ...noEffects(), transfers: tablet.transfers.pending(), sends: tablet.outbox.pendingAfterReplay() };
}

function* applyRecord(tablet: Tablet, record: LogRecord, place: string, effects: Effects): Generator<void> {
  switch (record.kind) {
    case 'calls':
      yield* applyCalls(tablet, record, place, effects);
      return;
    case 'tick':
      return;
    case 'transfer':
      yield* applyTransfer(tablet, record, effects, place);
      return;
    case 'transferDone':
      applyTransferDone(tablet, record);
      return;
    case 'outcome':
      applyOutcome(tablet, record, effects);
      return;
    case 'deadLetters':
      for (const [i, letter] of record.letters.entries()) tablet.deadLetters.add(`${place}.${i}`, letter);
      effects.rejected += record.letters.length;
      tablet.totals.rejected += record.letters.length;
      return;
    case 'deadLetterDone':
      for (const id of record.ids) tablet.deadLetters.remove(id);
      return;
    case 'declare':
    case 'control':
    case 'import':
      yield* applyAccountRecord(tablet, record);
      return;
    case 'delete':
      tablet.account.apply(record);
      yield* applyDelete(tablet, record, effects);
      return;
    case 'split':
      applySplitOfAnother(tablet, record, effects);
      return;
    default:
      unreachable(record);
  }
}

/** Brings the tablet's clock to `atMs`, and with it everything that time alone changes. */
function* advanceClock(tablet: Tablet, atMs: number, effects: Effects): Generator<void> {
  if (atMs <= tablet.clockMs) return;
  tablet.clockMs = atMs;
  tablet.live.advance(atMs);
  yield;
  announceChanges(tablet, effects);
  tablet.outbox.advance(atMs);
  const { retentionMs } = tablet.settings;
  if (retentionMs === undefined) return;
  const { rowCount } = tablet.events;
  const dropped = tablet.events.dropBefore(atMs - retentionMs + 1);
  if (dropped > 0) tablet.rowsHere *= 1 - dropped / rowCount;
}

function* applyCalls(
  tablet: Tablet,
  { calls, droppedValues = 0 }: CallsRecord,
  place: string,
  effects: Effects,
): Generator<void> {
  tablet.totals.droppedValues += droppedValues;
  for (const [i, call] of calls.entries()) {
    if (i % CALLS_PER_STEP === CALLS_PER_STEP - 1) yield;
    if (call.messageId !== undefined && tablet.dedupe.seen(call.messageId, tablet.clockMs)) {
      effects.duplicate++;
      tablet.totals.duplicate++;
      continue;
    }
    const outcome = (yield* applyOne(tablet, call, `${place}.${i}`, effects)) ? 'accepted' : 'rejected';
    if (call.kind === 'alias' && call.of === 'identify') continue;
    effects[outcome]++;
    tablet.totals[outcome]++;
  }
}

function* applyOne(tablet: Tablet, call: Call, place: string, effects: Effects): Generator<void, boolean> {
  if (call.kind === 'alias') {
    yield* applyAlias(tablet, call, effects);
    return true;
  }
  const transfer = forwarded(tablet, call.user, { kind: 'call', call });
  if (transfer === undefined) return applyCall(tablet, call, place, effects);
  effects.transfers.push(transfer);
  return true;
}

function applyOutcome(tablet: Tablet, outcome: OutcomeRecord, effects: Effects): void {
  const transfer = forwarded(tablet, outcome.user, { kind: 'outcome', outcome });
  if (transfer !== undefined) effects.transfers.push(transfer);
  else applyOutcomeHere(tablet, outcome, effects);
}

function applySplitOfAnother(tablet: Tablet, split: SplitRecord, effects: Effects): void {
  if (!isValidSplit(tablet.account.tree, split)) return;
  assert(split.tablet !== tablet.bits, 'a tablet that splits is left to applySplit');
  tablet.account.apply(split);
  effects.transfers.push(...tablet.transfers.onSplit(split.tablet));
}

function* applyAccountRecord(
  tablet: Tablet,
  record: Exclude<AccountRecord, SplitRecord | DeleteRecord>,
): Generator<void> {
  tablet.account.apply(record);
  if (record.kind !== 'control') return;
  switch (record.what) {
    case 'segment': {
      const value = record.value as SegmentValue | null;
      if (value?.live) yield* tablet.live.save(record.name, parseSegment(value.definition), tablet.clockMs);
      else tablet.live.remove(record.name);
      yield* tablet.live.onSavedSegment(record.name, tablet.clockMs);
      return;
    }
    case 'campaign':
      tablet.outbox.setCampaign(record.name, record.value);
      return;
    case 'suppression':
      tablet.outbox.setSuppression(record.name, record.value);
      return;
    case 'account':
      yield* tablet.live.onSettings(tablet.clockMs);
      return;
    case 'key':
      return;
    default:
      unreachable(record.what);
  }
}
