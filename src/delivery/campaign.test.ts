import { describe, expect, test } from 'vitest';
import { MusterError } from '../base/errors.ts';
import { DAY_MS, HOUR_MS } from '../base/limits.ts';
import { parseCampaign } from './campaign.ts';

const MESSAGE = { url: 'https://example.com/hook', body: { text: 'Hi {{ user.first_name }}' } };
const PLAIN = { name: 'rescue', trigger: { event: 'Cart Updated' }, channel: 'webhook', message: MESSAGE };

describe('parseCampaign', () => {
  test('reads everything that works', () => {
    const campaign = parseCampaign({
      ...PLAIN,
      trigger: {
        event: 'Cart Updated',
        where: [{ prop: 'total', op: 'gte', value: 5 }],
        delay: '1h',
        unless: { event: 'Order Completed' },
      },
      audience: { profile: 'email_consent', op: 'eq', value: true },
      message: { ...MESSAGE, headers: { 'X-Team': 'growth' }, secret: 'whsec_c2VjcmV0' },
      limits: { expireAfter: '6h' },
    });
    expect(campaign.trigger).toMatchObject({
      kind: 'event',
      filter: { events: ['Cart Updated'] },
      delayMs: HOUR_MS,
      unless: { events: ['Order Completed'], where: [] },
    });
    expect(campaign.audience).toMatchObject({ kind: 'profile', trait: 'email_consent' });
    expect(campaign.message).toMatchObject({
      url: MESSAGE.url,
      destination: 'https://example.com',
      headers: { 'x-team': 'growth' },
      secret: 'whsec_c2VjcmV0',
    });
    expect(campaign.expireAfterMs).toBe(6 * HOUR_MS);
  });

  test('has defaults, and segments as triggers', () => {
    const trigger = { segment: 'lapsed', on: 'enter' };
    expect(parseCampaign({ ...PLAIN, trigger })).toMatchObject({
      trigger: { kind: 'segment', ...trigger },
      audience: undefined,
      expireAfterMs: DAY_MS,
    });
  });

  const message = (change: object) => ({ ...PLAIN, message: { ...MESSAGE, ...change } });
  const trigger = (change: object) => ({ ...PLAIN, trigger: { event: 'Cart Updated', ...change } });
  test.each<[unknown, string, string]>([
    [[], '$', 'must be an object'],
    [{ ...PLAIN, name: '' }, '$.name', 'must be a name'],
    [{ ...PLAIN, colour: 1 }, '$.colour', 'unknown key'],
    [{ ...PLAIN, goal: {} }, '$.goal', 'not supported yet'],
    [{ ...PLAIN, control: 5 }, '$.control', 'not supported yet'],
    [{ ...PLAIN, variants: [] }, '$.variants', 'not supported yet'],
    [{ ...PLAIN, channel: 'email' }, '$.channel', 'not supported yet'],
    [{ ...PLAIN, channel: 'pigeon' }, '$.channel', 'must be webhook'],
    [{ ...PLAIN, trigger: undefined }, '$.trigger', 'must be an object'],
    [{ ...PLAIN, trigger: { cron: '0 9 * * *', segment: 'x' } }, '$.trigger.cron', 'not supported yet'],
    [{ ...PLAIN, trigger: { at: '2026-01-01', segment: 'x' } }, '$.trigger.at', 'not supported yet'],
    [{ ...PLAIN, trigger: { segment: 'x', on: 'leave' } }, '$.trigger.on', 'must be enter or exit'],
    [{ ...PLAIN, trigger: { segment: 'x', on: 'exit', delay: '1h' } }, '$.trigger.delay', 'unknown key'],
    [trigger({ key: 'cart_id' }), '$.trigger.key', 'not supported yet'],
    [trigger({ within: { last: '1d' } }), '$.trigger.within', 'unknown key'],
    [trigger({ where: [{ prop: 'a', op: 'like', value: 1 }] }), '$.trigger.where[0].op', ''],
    [trigger({ delay: '1 hour' }), '$.trigger.delay', 'must be a duration'],
    [trigger({ delay: '91d' }), '$.trigger.delay', 'at most 90 days'],
    [trigger({ unless: { event: 'Order' } }), '$.trigger.unless', 'needs a delay'],
    [trigger({ delay: '1h', unless: { event: 1 } }), '$.trigger.unless.event', 'must be a name'],
    [{ ...PLAIN, audience: { and: [{ all: true }, { profile: 1 }] } }, '$.audience.and[1].profile', ''],
    [{ ...PLAIN, limits: { expireAfter: 5 } }, '$.limits.expireAfter', 'must be a duration'],
    [{ ...PLAIN, limits: { expireAfter: '0s' } }, '$.limits.expireAfter', 'more than nothing'],
    [{ ...PLAIN, limits: { perUser: { max: 1, per: '1d' } } }, '$.limits.perUser', 'not supported yet'],
    [{ ...PLAIN, limits: { quietHours: {} } }, '$.limits.quietHours', 'not supported yet'],
    [message({ url: 'ftp://example.com' }), '$.message.url', 'http or https'],
    [message({ url: 'https://me:pw@example.com' }), '$.message.url', 'no user name or password'],
    [message({ url: 'https://example.com/{{ user.id }}' }), '$.message.url', 'for the body only'],
    [message({ method: 'GET' }), '$.message.method', 'unknown key'],
    [message({ headers: { 'webhook-id': 'x' } }), '$.message.headers.webhook-id', 'not for a campaign'],
    [message({ headers: { 'a b': 'x' } }), '$.message.headers.a b', 'no HTTP header'],
    [message({ headers: { a: 'x\r\ny: z' } }), '$.message.headers.a', 'no HTTP header'],
    [message({ secret: 'hunter2!' }), '$.message.secret', 'whsec_'],
    [message({ body: undefined }), '$.message.body', 'is missing'],
    [message({ body: { a: ['fine', '{{ x'] } }), '$.message.body.a[1]', 'template: '],
    [message({ body: 'x'.repeat(300_000) }), '$.message.body', 'at most'],
  ])('refuses %j', (json, path, text) => {
    const error = errorOf(() => parseCampaign(json));
    expect(error).toMatchObject({ code: 'bad_request', path });
    expect(error.message).toContain(text);
  });
});

function errorOf(run: () => unknown): MusterError {
  try {
    run();
  } catch (error) {
    if (error instanceof MusterError) return error;
    throw error;
  }
  throw new Error('expected a MusterError');
}
