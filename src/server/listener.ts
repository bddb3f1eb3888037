import { isMainThread } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { BODY_READ_MS_MAX, CLOSE_MS_MAX, HEADERS_BYTES_MAX, LINGER_MS } from '../base/limits.ts';
import type { Address } from './freePort.ts';
import type { Reply, RequestHead } from './http.ts';
import type { Router } from './router.ts';

/**
 * Sockets, and nothing that knows what they are for. Two implementations pass the same tests (listener.test.ts):
 * uwsListener.ts, which takes half the CPU a request and lets every thread listen on one port, and nodeListener.ts,
 * which runs wherever Node does.
 */
export interface Listener {
  readonly kind: 'uWebSockets.js' | 'node:http';
  /**
   * Resolves with the port; rejects with MusterError `conflict` when it is taken. uWebSockets.js joins a port that
   * another listener of the same user shares: see freePort.ts.
   */
  listen(address: Address): Promise<number>;
  /** Stops accepting, lets what is under way finish (for CLOSE_MS_MAX unless told), then closes every connection. */
  close(patienceMs?: number): Promise<void>;
  load(): ListenerLoad;
}

export interface ListenerLoad {
  readonly requestsUnderWay: number;
  readonly socketsOpen: number;
  readonly bodiesHeldBytes: number;
  /** Since the start. */
  readonly repliesByStatus: ReadonlyMap<number, number>;
}

export interface Service {
  readonly router: Router;
  readonly sockets: SocketRoute;
}

export interface SocketRoute {
  readonly path: string;
  /** A WebSocket asks to be opened: the handler of the new connection, or the reply that refuses it. */
  accept(head: RequestHead): SocketHandler | Reply;
}

/** One WebSocket connection, as its owner sees events. None of these may throw but for a bug. */
export interface SocketHandler {
  opened(socket: Socket): void;
  /** Binary data is valid during the call only. */
  message(data: Uint8Array | string): void;
  /** The last call, whoever closed it. */
  closed(): void;
  /** The server is closing: resolves when what is under way has been answered. */
  drain(): Promise<void>;
}

export interface Socket {
  /**
   * Sends a binary message. A client that leaves more than SOCKET_BUFFER_BYTES_MAX unread is dropped with
   * SLOW_CONSUMER. Nothing happens on a closed socket.
   */
  send(message: Uint8Array): void;
  close(code: number, reason: string): void;
}

export const SLOW_CONSUMER = 4008;
export const GOING_AWAY = 1001;

export interface Patience {
  readonly bodyReadMs: number;
  readonly lingerMs: number;
  readonly closeMs: number;
}

export interface ListenerOptions {
  readonly clock: Clock;
  /** Shorter in tests. */
  readonly patience?: Partial<Patience>;
}

export function patienceOf(options: ListenerOptions): Patience {
  return {
    bodyReadMs: BODY_READ_MS_MAX,
    lingerMs: LINGER_MS,
    closeMs: CLOSE_MS_MAX,
    ...options.patience,
  };
}

export type Uws = typeof import('uWebSockets.js');

/**
 * The native library, or why it does not load here. The main thread loads it first: the limit on headers is read from
 * the real environment then, which a worker cannot change.
 */
export async function loadUws(): Promise<{ readonly uws: Uws } | { readonly reason: string }> {
  if (isMainThread) process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(HEADERS_BYTES_MAX);
  try {
    return { uws: (await import('uWebSockets.js')).default };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}
