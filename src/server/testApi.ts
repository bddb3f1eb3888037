import { realClock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import type { Accepted, AcceptedCounts, CollectingView } from '../ingest/accepted.ts';
import type { Api, MethodCall, Principal } from '../shard/api.ts';
import type { Carried } from './call.ts';
import { collectRoutes } from './collectRoutes.ts';
import type { Route } from './http.ts';
import { type Listener, type ListenerOptions, loadUws, type Service, type SocketRoute } from './listener.ts';
import { nodeListener } from './nodeListener.ts';
import { Router } from './router.ts';
import { rpcRoutes } from './rpcRoutes.ts';
import { rpcSocketRoute } from './rpcSocket.ts';
import { statusRoutes } from './statusRoutes.ts';
import { uwsListener } from './uwsListener.ts';

/** For tests: an Api that remembers what it was asked, and does what a test tells it to. */
export class FakeApi implements Api {
  readonly accepted: Accepted[] = [];
  readonly calls: MethodCall[] = [];
  reason: string | undefined;
  accepting: () => Promise<void> = async () => {};
  answer: (call: MethodCall) => Promise<unknown> = async ({ params }) => params;
  readonly keys = new Map<string, Principal>([
    ['wk', { account: 'shop', role: 'write' }],
    ['rk', { account: 'shop', role: 'read' }],
    ['ak', { account: 'shop', role: 'admin' }],
  ]);

  authenticate(key: string): Principal | undefined {
    return this.keys.get(key);
  }

  collecting(): CollectingView {
    return {
      isDeclared: () => true,
      isPropertyDeclared: () => true,
      isTraitDeclared: () => true,
      hasRoomForEvent: () => true,
      hasRoomForProperty: () => true,
      hasRoomForTrait: () => true,
    };
  }

  async accept(_account: string, accepted: Accepted): Promise<AcceptedCounts> {
    await this.accepting();
    this.accepted.push(accepted);
    return { accepted: accepted.calls.length, duplicate: 0, rejected: accepted.letters.length };
  }

  async call(call: MethodCall): Promise<unknown> {
    this.calls.push(call);
    return this.answer(call);
  }

  notReady(): string | undefined {
    return this.reason;
  }

  refusal(): string | undefined {
    return this.reason;
  }
}

/** What tests run over: everything that loads here. Node 20's native build must; later ones need glibc 2.38. */
export const LISTENER_KINDS = await kindsHere();

async function kindsHere(): Promise<readonly Listener['kind'][]> {
  const loaded = await loadUws();
  if ('uws' in loaded) return ['uWebSockets.js', 'node:http'];
  if (process.version.startsWith('v20.')) throw new Error(loaded.reason);
  console.warn(
    `skipped: everything over uWebSockets.js, which does not load here: ${loaded.reason.split('\n').at(-1)}`,
  );
  return ['node:http'];
}

export async function listenerOf(
  kind: Listener['kind'],
  service: Service,
  options: ListenerOptions,
): Promise<Listener> {
  if (kind === 'node:http') return nodeListener(service, options);
  const loaded = await loadUws();
  if ('reason' in loaded) throw new Error(loaded.reason);
  return uwsListener(loaded.uws, service, options);
}

export interface TestServer {
  readonly port: number;
  readonly url: string;
  readonly failures: unknown[];
  readonly listener: Listener;
  readonly sockets: SocketRoute;
}

/** Every route over a fake Api, and those a test adds. */
export async function serve(
  kind: Listener['kind'],
  api: FakeApi,
  options: { readonly routes?: readonly Route[]; readonly patience?: ListenerOptions['patience'] } = {},
): Promise<TestServer> {
  const failures: unknown[] = [];
  const failed = (error: unknown) => failures.push(error);
  const carried: Carried = { api, clock: realClock, failed };
  const status = { api, clock: realClock, listener: kind, version: '1.2.3', metrics: async () => 'up 1\n' };
  const routes = [
    ...collectRoutes(carried),
    ...rpcRoutes(carried),
    ...statusRoutes(status),
    ...(options.routes ?? []),
  ];
  const service = { router: new Router(routes, failed), sockets: rpcSocketRoute(carried) };
  const { patience } = options;
  const listener = await listenerOf(kind, service, { clock: realClock, ...(patience && { patience }) });
  const port = await listener.listen({ host: '127.0.0.1', port: 0 });
  return { port, url: `http://127.0.0.1:${port}`, failures, listener, sockets: service.sockets };
}

/** A promise and what settles it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

export function unavailable(): MusterError {
  return new MusterError('unavailable', 'the disk is full', { retryAfterSeconds: 7 });
}
