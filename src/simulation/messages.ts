import { messageIdOf } from '../delivery/message.ts';
import type { LogEntry } from '../log/log.ts';
import type { LogRecord } from '../log/record.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';
import type { Erased } from './erasures.ts';
import { fail } from './failures.ts';
import type { Model } from './model.ts';
import type { ReplicaChange } from './replica.ts';
import type { Sink } from './sink.ts';

/**
 * Invariants 5 and 6: every event or change that a campaign waits for became one message, under one id; what is said to
 * have been sent arrived, and whatever arrived has an outcome. Of those to users who were deleted before they had an
 * outcome nothing is said here.
 */
export function checkMessages(
  account: string,
  log: readonly LogEntry[],
  changes: readonly ReplicaChange[],
  model: Model,
  erased: Erased,
  sink: Sink,
): void {
  const receipts = new Map<string, string>();
  const welcomes = new Set<string>();
  for (const [id, received] of sink.messages) {
    if (received.account !== account) continue;
    const { campaign, serial } = received;
    if (campaign === 'welcome') welcomes.add(id);
    // It was under way when its user was deleted.
    if (erased.messages.has(id)) continue;
    if (!model.outcomes.has(id)) fail(`message ${id} of ${campaign} came without an outcome in the log`);
    if (campaign === 'nudge') continue;
    if (!received.taken) fail(`message ${id} was never taken`);
    if (campaign !== 'receipt') continue;
    const other = receipts.get(serial);
    if (other !== undefined) fail(`the message about event ${serial} was sent as ${other} and as ${id}`);
    receipts.set(serial, id);
  }
  for (const serial of ordersAfterCampaign(account, log)) {
    if (!receipts.has(String(serial)) && !erased.serials.has(serial))
      fail(`there was no message about event ${serial}`);
  }
  const expected = expectedWelcomes(account, changes);
  for (const id of expected)
    if (!welcomes.has(id) && !erased.messages.has(id)) fail(`a user entered, and message ${id} never came`);
  for (const id of welcomes) if (!expected.has(id)) fail(`message ${id} came though nobody entered`);
  for (const [id, outcome] of model.outcomes) {
    if (outcome === 'sent' && sink.messages.get(id)?.taken !== true) fail(`message ${id} did not arrive`);
  }
}

/** Ids of the messages for those who entered `buyers` since the campaign `welcome` was there. */
function expectedWelcomes(account: string, changes: readonly ReplicaChange[]): Set<string> {
  const ids = new Set<string>();
  for (const { segment, change, user, atMs, campaigns, account: of } of changes) {
    if (of !== account || segment !== 'buyers' || change !== 'enter' || !campaigns.has('welcome')) continue;
    ids.add(messageIdOf(account, 'welcome', user, JSON.stringify([segment, change, atMs])));
  }
  return ids;
}

/** Serials of the orders that the campaign `receipt` was there for. */
function ordersAfterCampaign(account: string, log: readonly LogEntry[]): Set<number> {
  const before = new Set<number>();
  const serials = new Set<number>();
  let active = false;
  const visit = (record: LogRecord) => {
    if (record.kind === 'control' && record.what === 'campaign' && record.name === 'receipt') active = true;
    if (record.kind !== 'calls') return;
    for (const call of record.calls) {
      if (call.kind !== 'event' || call.event !== 'Order') continue;
      const serial = call.properties.serial as number;
      if (active) serials.add(serial);
      else before.add(serial);
    }
  };
  for (const { frame } of log) {
    for (const section of decodeSections(frame)) {
      if (section.account !== account) continue;
      for (const record of decodeRecords(section.records)) visit(record);
    }
  }
  // One that came before the campaign, and again after it, is a duplicate then.
  for (const serial of before) serials.delete(serial);
  return serials;
}
