import { MusterError } from '../base/errors.ts';
import { readBody } from '../ingest/body.ts';
import { collect } from '../ingest/collect.ts';
import { writeKeyOf } from '../ingest/keys.ts';
import type { Api, Principal } from '../shard/api.ts';
import { assertMay, authenticate, type Carried } from './call.ts';
import { type HttpRequest, json, type Reply, type Route } from './http.ts';
import { mayCollect } from './methods.ts';

type CollectType = Parameters<typeof collect>[0]['type'];

/** Segment's paths, and the short ones of its browser library. */
const TYPES: Readonly<Record<string, CollectType>> = {
  track: 'track',
  identify: 'identify',
  page: 'page',
  screen: 'screen',
  group: 'group',
  alias: 'alias',
  batch: 'batch',
  import: 'import',
  t: 'track',
  i: 'identify',
  p: 'page',
  s: 'screen',
  g: 'group',
  a: 'alias',
  b: 'batch',
};

/** Segment's HTTP tracking API (INTERFACE §2). */
export function collectRoutes(carried: Carried): readonly Route[] {
  const posts = Object.entries(TYPES).map(
    ([name, type]): Route => ({
      method: 'POST',
      path: `/v1/${name}`,
      handle: (request) => collectOne(carried, type, request),
    }),
  );
  const settings: Route = {
    method: 'GET',
    path: '/v1/projects/:key/settings',
    handle: (request) => {
      collectorOf(carried.api, request.parameter);
      return json(200, browserSettings(request), { 'cache-control': 'no-store' });
    },
  };
  return [...posts, settings];
}

async function collectOne({ api, clock }: Carried, type: CollectType, request: HttpRequest): Promise<Reply> {
  const receivedAtMs = clock.now();
  const headerKey = writeKeyOf(request.header('authorization'), undefined);
  let principal = headerKey === undefined ? undefined : collectorOf(api, headerKey);
  assertMay(api, 'collect');
  const body = await readBody(request.body, request.header('content-encoding'));
  principal ??= collectorOf(api, writeKeyOf(undefined, body.value));
  const view = api.collecting(principal.account);
  const accepted = collect({ type, body: body.value, bytes: body.bytes, receivedAtMs, view });
  await api.accept(principal.account, accepted, false);
  return SUCCESS;
}

const SUCCESS = json(200, { success: true });

function collectorOf(api: Api, key: string | undefined): Principal {
  const principal = authenticate(api, key);
  if (mayCollect(principal.role)) return principal;
  throw new MusterError('forbidden', `a ${principal.role} key may not collect`);
}

/** What analytics.js and analytics-next load before they start: send everything here, and nothing elsewhere. */
function browserSettings(request: HttpRequest): object {
  const everything = { __default: { enabled: true, integrations: {} } };
  return {
    integrations: {
      'Segment.io': {
        apiKey: request.parameter,
        apiHost: `${request.header('host')}/v1`,
        protocol: request.header('x-forwarded-proto') === 'https' ? 'https' : 'http',
        unbundledIntegrations: [],
        addBundledMetadata: true,
        maybeBundledConfigIds: {},
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
      },
    },
    plan: { track: everything, identify: everything, group: everything },
    edgeFunction: {},
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    remotePlugins: [],
  };
}
