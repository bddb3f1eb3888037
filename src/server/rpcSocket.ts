import { setMaxListeners } from 'node:events';
import { badRequest, type ErrorBody, MusterError } from '../base/errors.ts';
import { MESSAGE_PACK_VALUES_MAX, RPC_CALLS_MAX, SOCKET_AUTH_MS_MAX } from '../base/limits.ts';
import { type Message, packMessage, unpackMessage } from '../client/wire.ts';
import { writeKeyOf } from '../ingest/keys.ts';
import { authenticate, type Carried, call } from './call.ts';
import { errorReply, INTERNAL, type Reply, type RequestHead } from './http.ts';
import type { Socket, SocketHandler, SocketRoute } from './listener.ts';
import { methodNamed } from './methods.ts';

export const PROTOCOL_ERROR = 1002;
export const UNSUPPORTED_DATA = 1003;
export const NOT_AUTHENTICATED = 4001;

/** MessagePack-RPC over a WebSocket at `/rpc` (INTERFACE §3). */
export function rpcSocketRoute(carried: Carried): SocketRoute {
  return {
    path: '/rpc',
    accept: (head) => acceptRpc(carried, head),
  };
}

function acceptRpc(carried: Carried, head: RequestHead): SocketHandler | Reply {
  const key = writeKeyOf(head.header('authorization'), undefined);
  try {
    if (key !== undefined) authenticate(carried.api, key);
    return new RpcSession(carried, key);
  } catch (error) {
    if (error instanceof MusterError) return errorReply(error);
    throw error;
  }
}

type Request = Extract<Message, { kind: 'request' }> & { readonly bytes: number };

/**
 * One connection. Calls run side by side and are answered as they finish. The key is looked up for every call, so that
 * one that was revoked ends here too.
 */
class RpcSession implements SocketHandler {
  readonly #carried: Carried;
  readonly #gone = new AbortController();
  #key: string | undefined;
  #socket: Socket | undefined;
  #cancelAuthTimer: () => void = () => {};
  #calls = 0;
  #subscriptions = 0;
  #drained: (() => void) | undefined;

  constructor(carried: Carried, key: string | undefined) {
    this.#carried = carried;
    this.#key = key;
    // One listener a call, which is no leak.
    setMaxListeners(RPC_CALLS_MAX + 1, this.#gone.signal);
  }

  opened(socket: Socket): void {
    this.#socket = socket;
    if (this.#key !== undefined) return;
    this.#cancelAuthTimer = this.#carried.clock.schedule(SOCKET_AUTH_MS_MAX, () =>
      socket.close(NOT_AUTHENTICATED, 'no key was given in time'),
    );
  }

  message(data: Uint8Array | string): void {
    if (typeof data === 'string') {
      this.#socket!.close(UNSUPPORTED_DATA, 'messages are binary');
      return;
    }
    const request = this.#requestOf(data);
    if (request !== undefined) void this.#answer({ ...request, bytes: data.length });
  }

  closed(): void {
    this.#cancelAuthTimer();
    this.#gone.abort();
  }

  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      if (this.#calls === 0) resolve();
    });
  }

  /** Whoever sends what is no request speaks another protocol: there is no id to answer to. */
  #requestOf(data: Uint8Array): Extract<Message, { kind: 'request' }> | undefined {
    try {
      const message = unpackMessage(data, MESSAGE_PACK_VALUES_MAX);
      if (message.kind === 'request') return message;
      throw badRequest('clients send requests only', '[0]');
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      this.#socket!.close(PROTOCOL_ERROR, error.message);
      return undefined;
    }
  }

  async #answer(request: Request): Promise<void> {
    const { id } = request;
    this.#calls++;
    try {
      this.#send({ kind: 'response', id, error: undefined, result: await this.#result(request) });
    } catch (error) {
      this.#send({ kind: 'response', id, error: this.#errorBody(error), result: null });
    } finally {
      this.#calls--;
      if (this.#calls === 0) this.#drained?.();
    }
  }

  async #result({ method, params, bytes }: Request): Promise<unknown> {
    if (this.#drained !== undefined) throw new MusterError('unavailable', 'the server is closing');
    if (this.#calls + this.#subscriptions > RPC_CALLS_MAX) {
      throw new MusterError('rate_limited', `a connection has at most ${RPC_CALLS_MAX} calls under way`);
    }
    if (method === 'auth') return this.#authenticate(params);
    const result = await call(this.#carried, {
      principal: authenticate(this.#carried.api, this.#key),
      method,
      params,
      bytes,
      signal: this.#gone.signal,
      notify: (name, body) => this.#send({ kind: 'notification', method: name, params: body }),
    });
    if (methodNamed(method)?.subscribes) this.#subscriptions++;
    return result;
  }

  #authenticate(params: unknown): unknown {
    const { key } = Object(params) as { key?: unknown };
    if (typeof key !== 'string') throw badRequest('must be text', 'key');
    const { account, role } = authenticate(this.#carried.api, key);
    this.#key = key;
    this.#cancelAuthTimer();
    return { account, role };
  }

  #errorBody(error: unknown): ErrorBody {
    if (error instanceof MusterError) return error.body;
    this.#carried.failed(error);
    return INTERNAL;
  }

  #send(message: Message): void {
    this.#socket!.send(packMessage(message));
  }
}
