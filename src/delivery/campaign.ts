import { badRequest, MusterError } from '../base/errors.ts';
import { DAY_MS, DELAY_MS_MAX, EXPIRE_AFTER_MS, NAME_BYTES_MAX } from '../base/limits.ts';
import { parseDuration } from '../base/time.ts';
import type { Criterion, EventFilter } from '../query/criterion.ts';
import { parseFilter, parseSegment } from '../query/parse.ts';
import { asName, asObject, asText, checkKeys, type JsonObject, notSupportedYet } from '../query/shape.ts';
import { isWebhookSecret } from './channels/webhook.ts';
import { type BodyTemplate, compileBody } from './template.ts';

/** When to send what to whom: campaign JSON (docs/reference/campaigns.md), checked and compiled. */
export interface Campaign {
  readonly name: string;
  readonly trigger: Trigger;
  /** Checked at sending. Undefined: everyone. */
  readonly audience: Criterion | undefined;
  readonly message: WebhookMessage;
  /** A message not sent so long after it was due is not sent any more. */
  readonly expireAfterMs: number;
}

export type Trigger =
  | {
      readonly kind: 'event';
      readonly filter: EventFilter;
      readonly delayMs: number;
      /** Such an event during the delay cancels. */
      readonly unless: EventFilter | undefined;
    }
  | { readonly kind: 'segment'; readonly segment: string; readonly on: 'enter' | 'exit' };

export interface WebhookMessage {
  readonly url: string;
  /** The URL's origin. */
  readonly destination: string;
  /** Lower-cased names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: BodyTemplate;
  readonly secret: string | undefined;
}

/** The value of a control record `campaign`. */
export interface CampaignValue {
  /** As it was saved: the JSON that parseCampaign takes, checked. */
  readonly definition: unknown;
  readonly status: 'active' | 'paused';
  /** 1 at first; grows by one with every save. */
  readonly version: number;
  readonly savedAtMs: number;
}

/** The events that messages leave in their users' timelines. */
export const OUTCOME_EVENTS = {
  sent: 'Message Sent',
  failed: 'Message Failed',
  skipped: 'Message Skipped',
} as const;
const OUTCOME_PROPERTIES = ['campaign', 'channel', 'messageId', 'reason', 'detail'];
/** The same as names to be declared. */
export const MESSAGE_EVENTS = Object.values(OUTCOME_EVENTS).map((event) => ({
  event,
  properties: OUTCOME_PROPERTIES,
}));

/** Throws `bad_request` with the path of what is wrong, `$` being the definition. */
export function parseCampaign(json: unknown): Campaign {
  const object = asObject(json, '$');
  checkKeys(
    object,
    '$',
    ['name', 'trigger', 'audience', 'channel', 'message', 'limits'],
    ['goal', 'control', 'variants'],
  );
  const name = asName(object.name, '$.name');
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw badRequest(`at most ${NAME_BYTES_MAX} bytes`, '$.name');
  checkChannel(object.channel);
  return {
    name,
    trigger: parseTrigger(object.trigger),
    audience: object.audience === undefined ? undefined : parseAudience(object.audience),
    message: parseMessage(object.message),
    expireAfterMs: parseExpireAfter(object.limits),
  };
}

function checkChannel(channel: unknown): void {
  const name = asName(channel, '$.channel');
  if (name === 'webhook') return;
  if (['email', 'webpush', 'apns', 'fcm', 'sms'].includes(name)) throw notSupportedYet(name, '$.channel');
  throw badRequest('must be webhook', '$.channel');
}

function parseTrigger(json: unknown): Trigger {
  const path = '$.trigger';
  const object = asObject(json, path);
  if (object.segment !== undefined && object.event === undefined) {
    checkKeys(object, path, ['segment', 'on'], ['at', 'cron', 'zone']);
    const { on } = object;
    if (on !== 'enter' && on !== 'exit') throw badRequest('must be enter or exit', `${path}.on`);
    return { kind: 'segment', segment: asName(object.segment, `${path}.segment`), on };
  }
  checkKeys(object, path, ['event', 'where', 'delay', 'unless'], ['key', 'at', 'cron', 'zone']);
  if (object.unless !== undefined && object.delay === undefined) {
    throw badRequest('needs a delay', `${path}.unless`);
  }
  return {
    kind: 'event',
    filter: parseFilter(object, path),
    delayMs: object.delay === undefined ? 0 : parseDelay(object.delay, `${path}.delay`),
    unless: object.unless === undefined ? undefined : parseUnless(object.unless, `${path}.unless`),
  };
}

function parseDelay(json: unknown, path: string): number {
  const delayMs = asDuration(json, path);
  if (delayMs > DELAY_MS_MAX) throw badRequest(`must be at most ${DELAY_MS_MAX / DAY_MS} days`, path);
  return delayMs;
}

function parseUnless(json: unknown, path: string): EventFilter {
  const object = asObject(json, path);
  checkKeys(object, path, ['event', 'where']);
  return parseFilter(object, path);
}

/** A definition of its own, whose paths start anew at `$`. */
function parseAudience(json: unknown): Criterion {
  try {
    return parseSegment(json);
  } catch (error) {
    if (!(error instanceof MusterError) || error.path === undefined) throw error;
    throw badRequest(error.message, `$.audience${error.path.slice(1)}`);
  }
}

function parseExpireAfter(json: unknown): number {
  if (json === undefined) return EXPIRE_AFTER_MS;
  const object = asObject(json, '$.limits');
  checkKeys(object, '$.limits', ['expireAfter'], ['perUser', 'rate', 'quietHours', 'reenter']);
  if (object.expireAfter === undefined) return EXPIRE_AFTER_MS;
  const expireAfterMs = asDuration(object.expireAfter, '$.limits.expireAfter');
  if (expireAfterMs === 0) throw badRequest('must be more than nothing', '$.limits.expireAfter');
  return expireAfterMs;
}

function asDuration(json: unknown, path: string): number {
  const durationMs = typeof json === 'string' ? parseDuration(json) : undefined;
  if (durationMs === undefined) throw badRequest('must be a duration like 90s, 15m, 6h, 30d or 2w', path);
  return durationMs;
}

function parseMessage(json: unknown): WebhookMessage {
  const path = '$.message';
  const object = asObject(json, path);
  checkKeys(object, path, ['url', 'headers', 'body', 'secret']);
  if (object.body === undefined) throw badRequest('is missing', `${path}.body`);
  const url = parseUrl(object.url, `${path}.url`);
  return {
    url,
    destination: new URL(url).origin,
    headers: object.headers === undefined ? {} : parseHeaders(asObject(object.headers, `${path}.headers`)),
    body: compileBody(object.body, `${path}.body`),
    secret: object.secret === undefined ? undefined : parseSecret(object.secret, `${path}.secret`),
  };
}

function parseUrl(json: unknown, path: string): string {
  const text = asText(json, path);
  rejectTemplate(text, path);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw badRequest('must be an http or https URL', path);
  }
  if (url.username !== '' || url.password !== '') {
    throw badRequest('must hold no user name or password', path);
  }
  return text;
}

/** Set by the channel or by HTTP itself. */
const OWN_HEADERS =
  /^(webhook-.*|host|content-length|transfer-encoding|connection|upgrade|expect|te|trailer)$/;

function parseHeaders(object: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object).map(([name, json]) => {
      const path = `$.message.headers.${name}`;
      const value = asText(json, path);
      rejectTemplate(value, path);
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(value)) {
        throw badRequest('is no HTTP header', path);
      }
      if (OWN_HEADERS.test(name.toLowerCase())) throw badRequest('is not for a campaign to set', path);
      return [name.toLowerCase(), value];
    }),
  );
}

function rejectTemplate(text: string, path: string): void {
  if (/\{[{%]/.test(text)) throw badRequest('templates are for the body only', path);
}

function parseSecret(json: unknown, path: string): string {
  const secret = asText(json, path);
  if (!isWebhookSecret(secret)) throw badRequest('must be whsec_ and base64', path);
  return secret;
}
