import { WebSocket } from 'ws';
import type { Clock } from '../base/clock.ts';
import { badRequest, MusterError } from '../base/errors.ts';
import { HEARTBEAT_MS, SOCKET_BUFFER_BYTES_MAX } from '../base/limits.ts';
import { type Message, packMessage, unpackMessage } from './wire.ts';

export interface ConnectionOptions {
  /** Of the server: http or https. */
  readonly url: string;
  readonly key: string;
  readonly clock: Clock;
  /** For opening and authentication together. */
  readonly openMsMax: number;
}

/** `ready` comes once at the most, `lost` exactly once and last. */
export interface ConnectionEvents {
  ready(): void;
  message(message: Message): void;
  lost(error: MusterError): void;
}

const AUTH_ID = 0;
/** Ids of calls begin here. */
export const FIRST_CALL_ID = AUTH_ID + 1;

/** One authenticated WebSocket to a server, from its opening to its loss. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocket;
  #cancelTimer: () => void;
  #isReady = false;
  #isLost = false;
  #isAlive = true;

  /** Begins to open. Throws MusterError bad_request for a URL that is none. */
  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = new WebSocket(rpcUrl(options.url), {
      perMessageDeflate: false,
      // The server closes a connection that leaves more unread than that, so no answer is longer.
      maxPayload: SOCKET_BUFFER_BYTES_MAX,
    });
    this.#cancelTimer = options.clock.schedule(options.openMsMax, () =>
      this.#lose(new MusterError('timeout', `${options.url} does not answer`)),
    );
    this.#socket
      .on('open', () =>
        this.send({ kind: 'request', id: AUTH_ID, method: 'auth', params: { key: options.key } }),
      )
      .on('message', (data) => this.#receive(data as Buffer))
      .on('ping', () => this.#heard())
      .on('pong', () => this.#heard())
      .on('error', (error) => this.#lose(unreachable(options.url, error)))
      .on('close', (code, reason) => {
        const why = reason.length > 0 ? String(reason) : `code ${code}`;
        this.#lose(new MusterError('unavailable', `${options.url} closed the connection: ${why}`));
      });
  }

  send(message: Message): void {
    this.#socket.send(packMessage(message));
  }

  close(): void {
    this.#lose(new MusterError('unavailable', 'the connection was closed'));
  }

  #receive(data: Buffer): void {
    this.#heard();
    let message: Message;
    try {
      message = unpackMessage(data);
    } catch (cause) {
      this.#lose(
        new MusterError('unavailable', `${this.#options.url} does not speak this protocol`, { cause }),
      );
      return;
    }
    if (this.#isReady) this.#events.message(message);
    else this.#authenticated(message);
  }

  #authenticated(message: Message): void {
    if (message.kind !== 'response' || message.id !== AUTH_ID) return;
    if (message.error !== undefined) {
      this.#lose(new MusterError(message.error.code, message.error.message));
      return;
    }
    this.#cancelTimer();
    this.#isReady = true;
    this.#heartbeat();
    this.#events.ready();
  }

  /** A host that vanished closes nothing: only its silence tells. */
  #heartbeat(): void {
    this.#cancelTimer = this.#options.clock.schedule(HEARTBEAT_MS, () => {
      if (!this.#isAlive) {
        this.#lose(new MusterError('unavailable', `${this.#options.url} has fallen silent`));
        return;
      }
      this.#isAlive = false;
      this.#socket.ping();
      this.#heartbeat();
    });
  }

  #heard(): void {
    this.#isAlive = true;
  }

  #lose(error: MusterError): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#cancelTimer();
    this.#socket.terminate();
    this.#events.lost(error);
  }
}

function rpcUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:\/\//.test(url)) throw badRequest('must be an http or https URL', url);
  return `${url.replace(/^http/, 'ws').replace(/\/$/, '')}/rpc`;
}

function unreachable(url: string, cause: NodeJS.ErrnoException): MusterError {
  // Of a name with several addresses the error has a code and no message.
  const why = cause.code === 'ECONNREFUSED' ? 'connection refused' : cause.message || cause.code;
  return new MusterError('unavailable', `no server at ${url}: ${why}`, { cause });
}
