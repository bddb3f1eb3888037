import { type Clock, realClock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import {
  CLIENT_CALLS_WAITING_MAX,
  QUERY_TIMEOUT_MS,
  RECONNECT_BASE_MS,
  RECONNECT_MAX_MS,
  RPC_CALLS_MAX,
} from '../base/limits.ts';
import { type Random, realRandom } from '../base/random.ts';
import { Connection, FIRST_CALL_ID } from './connection.ts';
import { isRepeatable } from './repeatable.ts';
import type { MethodName, Params, Result, SegmentChange } from './types.ts';
import { type Watch, Watches } from './watches.ts';
import type { Message } from './wire.ts';

export interface ClientOptions {
  /** Of the server, such as http://127.0.0.1:7700. */
  readonly url: string;
  readonly key: string;
  /** Of every call that says no other. */
  readonly timeoutMs?: number;
  /** Ends the first attempt to connect. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  /** The answer is not waited for any more; the server may still carry out the call. */
  readonly signal?: AbortSignal;
}

interface PendingCall {
  readonly id: number;
  readonly method: MethodName;
  readonly params: object;
  /** Does nothing from the second time on. */
  readonly settle: (error: unknown, result?: unknown) => void;
  /** Set once settled; then it only holds a place until the server has answered. */
  isSettled: boolean;
}

/**
 * A client of one server, over one WebSocket. When the connection is lost it connects again, with growing pauses, until
 * it is closed. Calls made meanwhile wait; of those under way, reads are repeated and others reject with `unavailable`,
 * since no one knows whether the server carried them out.
 *
 * Every error is a MusterError, but for a call that its own signal ended: that rejects with the signal's reason.
 */
export class MusterClient {
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timeoutMs: number;
  readonly #watches = new Watches((name) => this.call('segment.watch', { name }));
  #connection: Connection | undefined;
  #isReady = false;
  #attempts = 0;
  #cancelReconnect: () => void = () => {};
  #nextId = FIRST_CALL_ID;
  /** In the order they will be sent. */
  #waiting = new Map<number, PendingCall>();
  readonly #sent = new Map<number, PendingCall>();
  #closed: MusterError | undefined;

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? realRandom;
    this.#timeoutMs = options.timeoutMs ?? QUERY_TIMEOUT_MS;
  }

  /** Resolves once the server has taken the key; rejects when the first attempt fails. */
  static async connect(options: ClientOptions): Promise<MusterClient> {
    const { signal } = options;
    signal?.throwIfAborted();
    const client = new MusterClient(options);
    const abort = () => client.close();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((ready, failed) => client.#open({ ready, failed }));
    } catch (error) {
      client.close();
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    return client;
  }

  call<M extends MethodName>(method: M, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    return new Promise<Result<M>>((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed !== undefined) throw this.#closed;
      if (this.#waiting.size >= CLIENT_CALLS_WAITING_MAX) {
        throw new MusterError('rate_limited', `${CLIENT_CALLS_WAITING_MAX} calls are waiting already`);
      }
      const id = this.#nextId;
      this.#nextId = (id + 1) >>> 0;
      const abort = () => call.settle(signal?.reason);
      const cancelTimer = this.#clock.schedule(timeoutMs, () =>
        call.settle(new MusterError('timeout', `no answer within ${timeoutMs} ms`)),
      );
      const call: PendingCall = {
        id,
        method,
        params: { ...params, timeoutMs },
        isSettled: false,
        settle: (error, result) => {
          call.isSettled = true;
          this.#waiting.delete(id);
          cancelTimer();
          signal?.removeEventListener('abort', abort);
          if (error === undefined) resolve(result as Result<M>);
          else reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.set(id, call);
      this.#sendWaiting();
    });
  }

  /**
   * Tells of every user that enters or leaves a live segment, until `signal` aborts. Resolves once the server watches.
   * After a lost connection it watches again by itself; changes in between are not told.
   */
  async watch(name: string, onChange: (change: SegmentChange) => void, signal?: AbortSignal): Promise<Watch> {
    signal?.throwIfAborted();
    return this.#watches.add(name, onChange, signal);
  }

  /** Calls not answered yet reject. */
  close(): void {
    this.#end(new MusterError('unavailable', 'the client is closed'));
  }

  #open(first?: { readonly ready: () => void; readonly failed: (error: MusterError) => void }): void {
    const { url, key } = this.#options;
    const options = { url, key, clock: this.#clock, openMsMax: this.#timeoutMs };
    this.#connection = new Connection(options, {
      ready: () => {
        this.#isReady = true;
        this.#attempts = 0;
        first?.ready();
        this.#watches.restore();
        this.#sendWaiting();
      },
      message: (message) => this.#receive(message),
      lost: (error) => {
        const wasReady = this.#isReady;
        this.#isReady = false;
        if (first !== undefined && !wasReady) first.failed(error);
        else this.#lost(error);
      },
    });
  }

  #lost(error: MusterError): void {
    if (this.#closed !== undefined) return;
    this.#watches.lost();
    const unsettled = [...this.#sent.values()].filter(({ isSettled }) => !isSettled);
    this.#sent.clear();
    const repeated = unsettled.filter(({ method }) => isRepeatable(method));
    this.#waiting = new Map([...repeated.map((call) => [call.id, call] as const), ...this.#waiting]);
    const reason = new MusterError(
      'unavailable',
      `the connection was lost during the call: ${error.message}`,
    );
    for (const call of unsettled) if (!isRepeatable(call.method)) call.settle(reason);
    if (error.code === 'unauthorized' || error.code === 'forbidden') this.#end(error);
    else this.#cancelReconnect = this.#clock.schedule(this.#pauseMs(), () => this.#open());
  }

  /** Doubling, the upper half by chance, so that the clients of a server that restarts come one by one. */
  #pauseMs(): number {
    const fullMs = Math.min(RECONNECT_MAX_MS, RECONNECT_BASE_MS * 2 ** this.#attempts++);
    return Math.round((fullMs / 2) * (1 + this.#random.fraction()));
  }

  #sendWaiting(): void {
    if (!this.#isReady) return;
    for (const call of this.#waiting.values()) {
      if (this.#sent.size + this.#watches.subscriptionCount >= RPC_CALLS_MAX) return;
      const { id, method, params } = call;
      this.#waiting.delete(id);
      this.#sent.set(id, call);
      this.#connection!.send({ kind: 'request', id, method, params });
    }
  }

  #receive(message: Message): void {
    if (message.kind === 'response') {
      const call = this.#sent.get(message.id);
      this.#sent.delete(message.id);
      if (message.error === undefined) call?.settle(undefined, message.result);
      else call?.settle(errorOf(message.error));
      this.#sendWaiting();
    } else if (message.kind === 'notification' && message.method === 'segment.changed') {
      this.#watches.tell(message.params as SegmentChange);
    }
  }

  #end(error: MusterError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#cancelReconnect();
    this.#connection?.close();
    for (const call of [...this.#waiting.values(), ...this.#sent.values()]) call.settle(error);
    this.#sent.clear();
    this.#watches.end(error);
  }
}

function errorOf({ code, message, path }: MusterError['body']): MusterError {
  return new MusterError(code, message, path === undefined ? {} : { path });
}
