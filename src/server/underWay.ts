import type { Clock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import { SOCKETS_MAX } from '../base/limits.ts';
import type { Bodies } from './bodies.ts';
import { errorReply, type Reply, type RequestHead } from './http.ts';
import {
  GOING_AWAY,
  type ListenerLoad,
  type Socket,
  type SocketHandler,
  type SocketRoute,
} from './listener.ts';

/** What a listener has open, and the graceful end of it. */
export class UnderWay {
  readonly #clock: Clock;
  readonly #exchanges = new Set<object>();
  readonly #sockets = new Map<SocketHandler, Socket>();
  readonly #replies = new Map<number, number>();
  #draining = false;
  #emptied: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(exchange: object): void {
    this.#exchanges.add(exchange);
  }

  remove(exchange: object, status: number | undefined): void {
    this.#exchanges.delete(exchange);
    if (status !== undefined) this.#replies.set(status, (this.#replies.get(status) ?? 0) + 1);
    if (this.#exchanges.size === 0) this.#emptied?.();
  }

  addSocket(handler: SocketHandler, socket: Socket): void {
    this.#sockets.set(handler, socket);
    if (this.#draining) socket.close(GOING_AWAY, 'the server is closing');
  }

  removeSocket(handler: SocketHandler): void {
    this.#sockets.delete(handler);
  }

  /** A WebSocket asks to be opened: its handler, or the reply that refuses it. */
  accept(route: SocketRoute, head: RequestHead): SocketHandler | Reply {
    if (this.#sockets.size < SOCKETS_MAX && !this.#draining) return route.accept(head);
    return errorReply(new MusterError('unavailable', 'no more connections', { retryAfterSeconds: 1 }));
  }

  load(bodies: Bodies): ListenerLoad {
    return {
      requestsUnderWay: this.#exchanges.size,
      socketsOpen: this.#sockets.size,
      bodiesHeldBytes: bodies.heldBytes,
      repliesByStatus: this.#replies,
    };
  }

  /** From now on every reply is the last of its connection. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** Resolves when requests and calls under way are answered, or after `limitMs`; sockets are closed then. */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true;
    const answered = [this.#exchangesDone(), ...[...this.#sockets.keys()].map((handler) => handler.drain())];
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.schedule(limitMs, resolve);
      void Promise.all(answered).then(() => {
        cancel();
        resolve();
      });
    });
    for (const socket of this.#sockets.values()) socket.close(GOING_AWAY, 'the server is closing');
  }

  #exchangesDone(): Promise<void> {
    if (this.#exchanges.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptied = resolve;
    });
  }
}
