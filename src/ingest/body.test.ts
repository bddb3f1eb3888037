import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BODY_BYTES_MAX } from '../base/limits.ts';
import { readBody } from './body.ts';
import { collect } from './collect.ts';
import { TestView } from './testView.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

test('reads plain and gzipped JSON', async () => {
  const json = utf8('{"event":"Grüße"}');
  const expected = { value: { event: 'Grüße' }, bytes: json.length };
  expect(await readBody(json, undefined)).toEqual(expected);
  expect(await readBody(json, 'identity')).toEqual(expected);
  expect(await readBody(gzipSync(json), 'GZIP')).toEqual(expected);
  expect(await readBody(utf8('\uFEFF[]'), undefined)).toEqual({ value: [], bytes: 5 });
});

test.each([
  ['no JSON', utf8('{"a":'), undefined],
  ['an empty body', utf8(''), undefined],
  ['invalid UTF-8', new Uint8Array([0x22, 0xc3, 0x28, 0x22]), undefined],
  ['no gzip', utf8('{}'), 'gzip'],
  ['cut gzip', gzipSync('{"a":1}').subarray(0, -5), 'gzip'],
  ['another encoding', utf8('{}'), 'br'],
])('%s is a bad request', async (_, raw, encoding) => {
  await expect(readBody(raw, encoding)).rejects.toMatchObject({ code: 'bad_request', path: '$' });
});

test('stops at the limits of size and ratio', async () => {
  const tooLarge = { code: 'too_large' };
  await expect(readBody(utf8(`"${'x'.repeat(BODY_BYTES_MAX)}"`), undefined)).rejects.toMatchObject(tooLarge);
  await expect(readBody(gzipSync(Buffer.alloc(BODY_BYTES_MAX + 1, ' ')), 'gzip')).rejects.toMatchObject(
    tooLarge,
  );
  // 1,000:1, though under the size.
  await expect(readBody(gzipSync(`"${'x'.repeat(2e6)}"`), 'gzip')).rejects.toMatchObject(tooLarge);
  // As repetitive, but no larger than a batch may be.
  expect((await readBody(gzipSync(`"${'x'.repeat(4e5)}"`), 'gzip')).bytes).toBe(4e5 + 2);
});

test('JSON of monstrous depth does no harm', async () => {
  const depth = 1e6;
  const { value, bytes } = await readBody(
    utf8(`{"batch":[${'['.repeat(depth)}${']'.repeat(depth)}]}`),
    undefined,
  );
  const { letters } = collect({ type: 'import', body: value, bytes, receivedAtMs: 0, view: new TestView() });
  expect(letters).toMatchObject([{ reason: 'is nested deeper than 16', path: '$' }]);
});
