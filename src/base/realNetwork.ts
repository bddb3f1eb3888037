import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, errors } from 'undici';
import { assert } from './assert.ts';
import { SENDS_IN_FLIGHT_MAX, SENDS_PER_DESTINATION_MAX } from './limits.ts';
import { type HttpRequest, type HttpResponse, type Network, NetworkError } from './network.ts';

const BODY_START_BYTES = 4096;
/** Destinations with an open connection, idle ones too. */
const ORIGINS_MAX = 4 * SENDS_IN_FLIGHT_MAX;
const KEEP_ALIVE_MS = 10_000;

/**
 * HTTP over undici. Never follows a redirect and never reads proxy settings. Connections of requests that may reach
 * private addresses are kept apart from those that may not, so that none is reused where it would be refused.
 */
export class RealNetwork implements Network {
  readonly #anywhere = createAgent(buildConnector({}));
  readonly #publicOnly = createAgent(publicConnector());

  async request(request: HttpRequest): Promise<HttpResponse> {
    const url = parseUrl(request.url);
    const agent = request.allowPrivateNetworks ? this.#anywhere : this.#publicOnly;
    try {
      const response = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: request.headers,
        body: request.body,
        signal: AbortSignal.timeout(request.timeoutMs),
      });
      const bodyStart = await readStart(response.body);
      return { status: response.statusCode, headers: singleValued(response.headers), bodyStart };
    } catch (error) {
      throw asNetworkError(error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#anywhere.destroy(), this.#publicOnly.destroy()]);
  }
}

function createAgent(connect: buildConnector.connector): Agent {
  return new Agent({
    connect,
    connections: SENDS_PER_DESTINATION_MAX,
    pipelining: 1,
    maxOrigins: ORIGINS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  });
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new NetworkError('bad_url', `${text} is no http or https URL`);
  }
  if (url.username !== '' || url.password !== '')
    throw new NetworkError('bad_url', 'a URL holds no password');
  return url;
}

/** What is past the first 4 KiB is not waited for: leaving the loop closes the connection. */
async function readStart(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= BODY_START_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, BODY_START_BYTES);
}

function singleValued(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

function asNetworkError(error: unknown): NetworkError {
  if (error instanceof NetworkError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'TimeoutError') return new NetworkError('timeout', 'no answer in time', error);
  if (error instanceof errors.InvalidArgumentError) return new NetworkError('bad_url', message, error);
  return new NetworkError('connection', message, error);
}

/**
 * Refuses addresses before connecting to them. Names are checked where node:net resolves them, on the very addresses
 * it then connects to, so that a name cannot show one address to the check and another to the connection.
 */
function publicConnector(): buildConnector.connector {
  const connect = buildConnector({ lookup: publicLookup });
  return (options, callback) => {
    const address = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && !isPublicAddress(address)) callback(refusal(address), null);
    else connect(options, callback);
  };
}

const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, []);
      return;
    }
    const refused = addresses.find(({ address }) => !isPublicAddress(address));
    if (refused !== undefined) callback(refusal(refused.address), []);
    else if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

function refusal(address: string): NetworkError {
  return new NetworkError('address_refused', `${address} is not a public address`);
}

/** Whether the address is one of the public internet: not private, loopback, link-local, shared, reserved, multicast. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  assert(family !== 0, 'an address is IPv4 or IPv6');
  return family === 4 ? !notPublic4.check(address, 'ipv4') : !notPublic6.check(address, 'ipv6');
}

/**
 * IANA's special-purpose registries (RFC 6890); of IPv6 all but 2000::/3, so IPv4-mapped and NAT64 addresses too. Two
 * lists, because one list holds IPv4 addresses against the IPv6 nets that contain their mapped form.
 */
const notPublic4 = new BlockList();
const notPublic6 = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  notPublic4.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const) {
  notPublic6.addSubnet(net, prefix, 'ipv6');
}
