import { createHash } from 'node:crypto';
import type { OutcomeRecord, UserRef } from '../log/record.ts';
import { OUTCOME_EVENTS } from './campaign.ts';

/** The same at every replay and fit for a `webhook-id`: 128 bits of SHA-256. */
export function messageIdOf(account: string, campaign: string, user: UserRef, occurrence: string): string {
  const text = JSON.stringify([account, campaign, user.known, user.id, occurrence]);
  return `msg_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** What became of a message, as an event in its user's timeline. */
export interface MessageOutcome {
  readonly ordinal: number;
  readonly event: string;
  readonly properties: Readonly<Record<string, string>>;
}

type Final = Exclude<OutcomeRecord['result'], { readonly kind: 'retry' }>;

/** A reason is a short code, after which `: ` and details may follow. */
export function outcomeOf(
  message: { readonly ordinal: number; readonly messageId: string; readonly campaign: string },
  result: Final,
): MessageOutcome {
  const { ordinal, messageId, campaign } = message;
  const about = { campaign, channel: 'webhook', messageId };
  const event = OUTCOME_EVENTS[result.kind];
  if (result.kind === 'sent') return { ordinal, event, properties: about };
  const [reason, ...details] = result.reason.split(': ');
  const detail = details.join(': ');
  return { ordinal, event, properties: { ...about, reason: reason!, ...(detail !== '' && { detail }) } };
}
