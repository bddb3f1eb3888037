import { afterEach, expect, test } from 'vitest';
import { webhookHeaders } from '../../delivery/channels/webhook.ts';
import { WebhookSink } from './sink.ts';

const secret = 'whsec_c2VjcmV0';
let sink: WebhookSink;
afterEach(() => sink.close());

test.each([
  [secret, true],
  ['whsec_b3RoZXI=', false],
  [undefined, false],
])('takes a message, and checks who signed it (%s)', async (signer, isSigned) => {
  sink = await WebhookSink.open(secret);
  const body = '{"text":"hi"}';
  const headers = webhookHeaders({ messageId: 'msg_1', atMs: 1_700_000_000_000, body, secret: signer });
  const { status } = await fetch(sink.url, { method: 'POST', headers, body });
  expect(status).toBe(204);
  expect(await sink.delivery).toMatchObject({ messageId: 'msg_1', body, isSigned });
  expect(sink.count).toBe(1);
});
