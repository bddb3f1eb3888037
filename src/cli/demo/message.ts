import { assert } from '../../base/assert.ts';
import { realClock } from '../../base/clock.ts';
import type { MusterClient } from '../../client/client.ts';
import type { Campaign, Definition } from '../../client/types.ts';
import { readableMs } from '../print.ts';
import type { Narrator } from './narrator.ts';
import type { WebhookSink } from './sink.ts';
import { soon, until } from './waiting.ts';

export const SPREE_NAME = 'on a spree';
export const CAMPAIGN_NAME = 'thank the keen';

const PURCHASE = 'Product Purchased';
const SPREE: Definition = { event: PURCHASE, count: { gte: 3 }, within: { last: '1h' } };
const VISITOR = 'ada';

function campaignTo(url: string): Campaign {
  const text = `Thank you, {{ user.first_name }}! Your {{ last["${PURCHASE}"].product }} is on its way.`;
  return {
    name: CAMPAIGN_NAME,
    trigger: { segment: SPREE_NAME, on: 'enter' },
    channel: 'webhook',
    message: { url, body: { text } },
  };
}

export interface MessageReport {
  /** From posting the event that causes the message to the call of the webhook. */
  readonly latencyMs: number;
  readonly isSigned: boolean;
}

/** A live segment, a campaign on entering it, and a visitor who does. */
export async function sendMessage(
  client: MusterClient,
  server: { readonly url: string; readonly writeKey: string },
  sink: WebhookSink,
  tell: Narrator,
): Promise<MessageReport> {
  tell.step('Keep a live segment, and a campaign that calls a webhook when someone enters it');
  await client.call('segment.save', { name: SPREE_NAME, definition: SPREE, live: true });
  tell.result(`“${SPREE_NAME}”: three purchases or more within the last hour`);
  await client.call('campaign.save', campaignTo(sink.url));
  tell.result(`“${CAMPAIGN_NAME}”: signed, to ${sink.url}`);

  tell.step('Ada comes by, and buys three things, over HTTP');
  const collect = (type: 'identify' | 'track', fields: object) =>
    post(`${server.url}/v1/${type}`, server.writeKey, { userId: VISITOR, ...fields });
  const buy = (product: string) =>
    collect('track', { event: PURCHASE, properties: { product, price: 2.95 } });
  await collect('identify', { traits: { first_name: 'Ada' } });
  await buy('lunch bag');
  await buy('party bunting');
  const boughtMs = realClock.monotonicMs();
  await buy('cakestand');
  const { arrivedMs, isSigned, body } = await soon(sink.delivery, 'the webhook was not called');
  assert(isSigned, 'the signature is right');
  const latencyMs = arrivedMs - boughtMs;
  tell.result(
    `${readableMs(latencyMs)} after she pays for the third, the webhook is called, signed as it should be:`,
  );
  tell.result(String((JSON.parse(body) as { text: unknown }).text));

  const stats = () => client.call('campaign.stats', { name: CAMPAIGN_NAME });
  await until(stats, ({ sent }) => sent === 1, 'the message was not recorded as sent');
  const { events } = await client.call('user.timeline', { userId: VISITOR, limit: 1 });
  tell.result(`in her timeline: ${events[0]?.event}`);
  return { latencyMs, isSigned };
}

async function post(url: string, key: string, body: object): Promise<void> {
  const headers = { authorization: `Basic ${btoa(`${key}:`)}` };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
