import { z } from 'zod';
import { MusterError } from '../../base/errors.ts';
import { CAMPAIGNS_MAX } from '../../base/limits.ts';
import { isoTime } from '../../base/time.ts';
import { type CampaignValue, MESSAGE_EVENTS, parseCampaign } from '../../delivery/campaign.ts';
import { checkReferences } from '../../query/saved.ts';
import type { ShardApi } from '../shardApi.ts';
import { type Method, nameShape, notFound, readParams } from './params.ts';

const namedShape = z.strictObject({ name: nameShape });

export const campaignMethods: Readonly<Record<string, Method>> = {
  async 'campaign.save'(api, { principal: { account }, params }) {
    const campaign = parseCampaign(params);
    const { campaigns, segments } = api.entry(account).state;
    const savedSegment = (name: string) => segments.get(name)?.definition;
    if (campaign.audience !== undefined) checkReferences(undefined, campaign.audience, savedSegment);
    if (campaign.trigger.kind === 'segment' && segments.get(campaign.trigger.segment)?.live !== true) {
      throw new MusterError('bad_request', 'the segment of a trigger must be saved and live', {
        path: '$.trigger.segment',
      });
    }
    if (!campaigns.has(campaign.name) && campaigns.size >= CAMPAIGNS_MAX) {
      throw new MusterError('too_large', `an account has at most ${CAMPAIGNS_MAX} campaigns`);
    }
    const version = (campaignValue(api, account, campaign.name)?.version ?? 0) + 1;
    const savedAtMs = api.shard.clock.now();
    const value: CampaignValue = { definition: params, status: 'active', version, savedAtMs };
    await decideCampaign(api, account, campaign.name, value);
    return { name: campaign.name, status: value.status, version };
  },

  async 'campaign.get'(api, { principal: { account }, params }) {
    const { name } = readParams(namedShape, params);
    return describe(name, existing(api, account, name));
  },

  async 'campaign.list'(api, { principal: { account }, params }) {
    readParams(z.strictObject({}), params);
    const { campaigns } = api.entry(account).state;
    return { campaigns: [...campaigns].map(([name, value]) => describe(name, value as CampaignValue)) };
  },

  'campaign.pause': (api, request) => setStatus(api, request, 'paused'),
  'campaign.resume': (api, request) => setStatus(api, request, 'active'),

  async 'campaign.delete'(api, { principal: { account }, params }) {
    const { name } = readParams(namedShape, params);
    existing(api, account, name);
    await decideCampaign(api, account, name, null);
    return {};
  },

  async 'campaign.stats'(api, { principal: { account }, params, signal }) {
    const { name } = readParams(namedShape, params);
    existing(api, account, name);
    const parts = await api.gather.ask({
      account,
      operation: 'campaignStats',
      args: { campaign: name },
      signal,
    });
    const sum: Record<string, number> = {};
    for (const part of parts) for (const [key, n] of Object.entries(part)) sum[key] = (sum[key] ?? 0) + n;
    return { name, ...sum };
  },
};

const setStatus = async (
  api: ShardApi,
  { principal: { account }, params }: Parameters<Method>[1],
  status: CampaignValue['status'],
) => {
  const { name } = readParams(namedShape, params);
  await decideCampaign(api, account, name, { ...existing(api, account, name), status });
  return { name, status };
};

/** The names of the events that sending leaves in timelines are declared with the campaign. */
async function decideCampaign(
  api: ShardApi,
  account: string,
  name: string,
  value: CampaignValue | null,
): Promise<void> {
  const atMs = api.shard.clock.now();
  await api.decide(
    account,
    { kind: 'declare', atMs, events: MESSAGE_EVENTS, traits: [] },
    { kind: 'control', atMs, what: 'campaign', name, value },
  );
}

function campaignValue(api: ShardApi, account: string, name: string): CampaignValue | undefined {
  return api.entry(account).state.campaigns.get(name) as CampaignValue | undefined;
}

function existing(api: ShardApi, account: string, name: string): CampaignValue {
  const value = campaignValue(api, account, name);
  if (value === undefined) throw notFound('campaign', name);
  return value;
}

function describe(name: string, { definition, status, version, savedAtMs }: CampaignValue) {
  return { name, status, version, savedAt: isoTime(savedAtMs), definition: withoutSecret(definition) };
}

/** A read key may see what is sent, not sign it. */
function withoutSecret(definition: unknown): unknown {
  const { message, ...rest } = definition as { message: object };
  return 'secret' in message ? { ...rest, message: { ...message, secret: '(hidden)' } } : definition;
}
