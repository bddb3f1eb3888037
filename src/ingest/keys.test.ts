import { expect, test } from 'vitest';
import { writeKeyOf } from './keys.ts';

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

test.each([
  ['user name with an empty password', basic('wk_shop:'), undefined, 'wk_shop'],
  ['user name alone', basic('wk_shop'), undefined, 'wk_shop'],
  ['bearer', 'bearer wk_shop', undefined, 'wk_shop'],
  ['body', undefined, { writeKey: 'wk_body' }, 'wk_body'],
  ['header before body', basic('wk_shop:'), { writeKey: 'wk_body' }, 'wk_shop'],
  ['body when the header has no user name', basic(':'), { writeKey: 'wk_body' }, 'wk_body'],
  ['body when the header is of another scheme', 'Digest x', { writeKey: 'wk_body' }, 'wk_body'],
  ['user name with a password', basic('wk_shop:secret'), undefined, undefined],
  ['a key that is not text', undefined, { writeKey: 7 }, undefined],
  ['nothing', undefined, [], undefined],
])('%s', (_, authorization, body, expected) => {
  expect(writeKeyOf(authorization, body)).toBe(expected);
});
