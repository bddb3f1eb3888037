import { MusterError } from '../base/errors.ts';
import { evaluateUser } from '../query/evaluateUser.ts';
import type { TabletView } from '../store/view.ts';
import type { Campaign, WebhookMessage } from './campaign.ts';
import { templateScope } from './context.ts';
import type { Intent, Outbox } from './outbox.ts';
import { MessageAborted, renderBody, TemplateError } from './template.ts';

/** A tablet as sending sees it. */
export interface DeliveringTablet extends TabletView {
  readonly outbox: Outbox;
}

/** What is to be done with a message now. */
export type Prepared =
  | { readonly kind: 'send'; readonly message: WebhookMessage; readonly body: string }
  /** Over without an attempt. */
  | { readonly kind: 'skipped' | 'failed'; readonly reason: string }
  /** Nothing: it is over already, or its campaign is paused. */
  | { readonly kind: 'none' };

/** The last questions before an attempt, numbered by `attempts`: still wanted, in time, in the audience, renders, allowed. */
export function prepare(
  tablet: DeliveringTablet,
  intent: Intent,
  attempts: number,
  { nowMs, renderMsMax }: { readonly nowMs: number; readonly renderMsMax?: number | undefined },
): Prepared {
  const admission = tablet.outbox.admit(intent, attempts);
  if (admission === undefined) return { kind: 'none' };
  const { campaign, ordinal } = admission;
  if (campaign === undefined) return { kind: 'skipped', reason: 'deleted' };
  if (nowMs >= intent.expireAtMs) return { kind: attempts === 0 ? 'skipped' : 'failed', reason: 'expired' };
  try {
    if (!isInAudience(tablet, campaign, ordinal, nowMs)) return { kind: 'skipped', reason: 'audience' };
    const scope = templateScope(tablet, ordinal, intent);
    const { message } = campaign;
    const body = renderBody(message.body, { scope, nowMs, timezone: tablet.settings.timezone, renderMsMax });
    if (tablet.outbox.isSuppressed(suppressionOf(message))) return { kind: 'skipped', reason: 'suppressed' };
    return { kind: 'send', message, body };
  } catch (error) {
    if (error instanceof MessageAborted) return { kind: 'skipped', reason: `aborted: ${error.message}` };
    if (error instanceof TemplateError) return { kind: 'failed', reason: `template: ${error.message}` };
    // The audience mentions a segment that was deleted.
    if (error instanceof MusterError) return { kind: 'skipped', reason: `audience: ${error.message}` };
    throw error;
  }
}

/** The name under which the message's address is suppressed. */
export function suppressionOf({ url }: WebhookMessage): string {
  return `webhook:${url}`;
}

function isInAudience(tablet: TabletView, { audience }: Campaign, ordinal: number, nowMs: number): boolean {
  return audience === undefined || evaluateUser(tablet, audience, ordinal, { atMs: nowMs, nowMs });
}
