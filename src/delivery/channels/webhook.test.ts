import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { RETRY_MAX_MS } from '../../base/limits.ts';
import { NetworkError } from '../../base/network.ts';
import { SeededRandom } from '../../base/random.ts';
import {
  backoffMs,
  isWebhookSecret,
  parseRetryAfter,
  verdictOfError,
  verdictOfResponse,
  webhookHeaders,
} from './webhook.ts';

const SECRET = `whsec_${Buffer.from('a secret of some thirty bytes...').toString('base64')}`;

describe('signature', () => {
  // The library accepts only signatures of about now.
  const attempt = { messageId: 'msg_1', atMs: Date.now(), body: '{"text":"hé"}', secret: SECRET };

  test('is one that the reference implementation takes', () => {
    expect(new Webhook(SECRET).verify(attempt.body, webhookHeaders(attempt))).toEqual({ text: 'hé' });
  });

  test('covers id, time and body', () => {
    const headers = webhookHeaders(attempt);
    const verify = (body: string, change: object) => () =>
      new Webhook(SECRET).verify(body, { ...headers, ...change });
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(verify(attempt.body, {})).not.toThrow();
    expect(verify(`${attempt.body} `, {})).toThrow('No matching signature');
    expect(verify(attempt.body, { 'webhook-id': 'msg_2' })).toThrow('No matching signature');
    expect(verify(attempt.body, { 'webhook-timestamp': later })).toThrow('No matching signature');
  });

  test('is left out without a secret', () => {
    expect(webhookHeaders({ ...attempt, secret: undefined })).not.toHaveProperty('webhook-signature');
  });

  test.each([
    ['whsec_c2VjcmV0', true],
    ['c2VjcmV0', true],
    ['whsec_', false],
    ['whsec_c2VjcmV', false],
    ['whsec_c2Vj cmV0', false],
  ])('secret %s: %s', (secret, isOne) => {
    expect(isWebhookSecret(secret)).toBe(isOne);
  });
});

describe('verdict', () => {
  const verdict = (status: number, headers = {}, bodyStart = '') =>
    verdictOfResponse({ status, headers, bodyStart }, 0);

  test.each([
    [200, 'sent'],
    [204, 'sent'],
    [302, 'failed'],
    [400, 'failed'],
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'failed'],
    [408, 'retry'],
    [410, 'failed'],
    [425, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [503, 'retry'],
  ])('%i: %s', (status, kind) => {
    expect(verdict(status).kind).toBe(kind);
  });

  test('only 410 suppresses', () => {
    expect(verdict(410)).toMatchObject({ suppress: true });
    expect(verdict(404)).toMatchObject({ suppress: false });
  });

  test('the reason has the status and the start of the answer', () => {
    expect(verdict(404, {}, ' no such hook ')).toMatchObject({ reason: 'http_404: no such hook' });
    expect(verdict(404)).toMatchObject({ reason: 'http_404' });
  });

  test.each([
    ['timeout', 'retry'],
    ['connection', 'retry'],
    ['address_refused', 'failed'],
    ['bad_url', 'failed'],
  ] as const)('%s: %s', (failure, kind) => {
    expect(verdictOfError(new NetworkError(failure, 'why'))).toMatchObject({
      kind,
      reason: `${failure}: why`,
    });
  });
});

test.each([
  [undefined, undefined],
  ['120', 120_000],
  ['Thu, 01 Jan 1970 00:01:00 GMT', 59_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['soon', undefined],
])('Retry-After %s', (value, expected) => {
  expect(parseRetryAfter(value, 1000)).toBe(expected);
});

test('backoff doubles, spread over its upper half, up to its maximum', () => {
  const random = new SeededRandom(1);
  for (const [attempts, fullMs] of [
    [0, 1000],
    [1, 2000],
    [5, 32_000],
    [30, RETRY_MAX_MS],
    [5000, RETRY_MAX_MS],
  ] as const) {
    const delays = Array.from({ length: 100 }, () => backoffMs(attempts, random));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(fullMs / 2);
    expect(Math.max(...delays)).toBeLessThanOrEqual(fullMs);
    expect(new Set(delays).size).toBeGreaterThan(50);
  }
});
