import { createHmac } from 'node:crypto';
import { RETRY_BASE_MS, RETRY_MAX_MS, SECOND_MS } from '../../base/limits.ts';
import type { HttpResponse, NetworkError } from '../../base/network.ts';
import type { Random } from '../../base/random.ts';

/** Standard Webhooks (standard-webhooks.com, spec 1.0): how a message is signed and what its answer means. */

/** Whether the text is a secret: base64 of some bytes, after `whsec_` or bare. */
export function isWebhookSecret(secret: string): boolean {
  return /^(whsec_)?(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/.test(
    secret,
  );
}

/** The headers of one attempt. Without a secret nothing is signed. */
export function webhookHeaders(attempt: {
  readonly messageId: string;
  readonly atMs: number;
  readonly body: string;
  readonly secret: string | undefined;
}): Record<string, string> {
  const timestamp = String(Math.floor(attempt.atMs / SECOND_MS));
  return {
    'content-type': 'application/json',
    'user-agent': 'Muster',
    'webhook-id': attempt.messageId,
    'webhook-timestamp': timestamp,
    ...(attempt.secret !== undefined && {
      'webhook-signature': sign(attempt.secret, `${attempt.messageId}.${timestamp}.${attempt.body}`),
    }),
  };
}

function sign(secret: string, content: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}

/** What an attempt came to. Reasons are `code` or `code: detail`. */
export type Verdict =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly reason: string; readonly retryAfterMs?: number }
  /** The destination does not accept us: no message there has a chance for now. */
  | { readonly kind: 'unauthorized'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly suppress: boolean };

export function verdictOfResponse({ status, headers, bodyStart }: HttpResponse, nowMs: number): Verdict {
  const detail = bodyStart.slice(0, DETAIL_CHARS_MAX).trim();
  const reason = detail === '' ? `http_${status}` : `http_${status}: ${detail}`;
  if (status >= 200 && status < 300) return { kind: 'sent' };
  if (status === 401 || status === 403) return { kind: 'unauthorized', reason };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = parseRetryAfter(headers['retry-after'], nowMs);
    return { kind: 'retry', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  return { kind: 'failed', reason, suppress: status === 410 };
}

export function verdictOfError(error: NetworkError): Verdict {
  const reason = `${error.failure}: ${error.message}`;
  const isFinal = error.failure === 'address_refused' || error.failure === 'bad_url';
  return isFinal ? { kind: 'failed', reason, suppress: false } : { kind: 'retry', reason };
}

const DETAIL_CHARS_MAX = 200;

/** Seconds or an HTTP date (RFC 9110, 10.2.3), as ms from now; undefined when absent or unreadable. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * SECOND_MS;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** Doubling from RETRY_BASE_MS to RETRY_MAX_MS, the upper half of each by chance so that retries spread. */
export function backoffMs(attempts: number, random: Random): number {
  const fullMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** attempts);
  return Math.round(fullMs / 2 + (fullMs / 2) * random.fraction());
}
