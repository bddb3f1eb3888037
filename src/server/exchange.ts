import type { Clock } from '../base/clock.ts';
import type { Bodies, Body } from './bodies.ts';
import type { HeaderName, HttpRequest, Reply, RequestHead } from './http.ts';
import type { Patience } from './listener.ts';
import type { Matched, Router } from './router.ts';

/** What an exchange asks of its connection. None is called after the exchange was told `aborted`. */
export interface Connection {
  /** The whole reply. */
  send(reply: Reply): void;
  /** The reply now, though the body is still on its way; `finish` then ends it and the connection. */
  refuse(reply: Reply): void;
  finish(): void;
  /** Closes without a word. */
  drop(): void;
}

export interface ExchangeContext {
  readonly router: Router;
  readonly bodies: Bodies;
  readonly clock: Clock;
  readonly patience: Patience;
  /** Called once, when nothing more will be done for the exchange; with the status of its reply, if it got one. */
  readonly done: (exchange: Exchange, status: number | undefined) => void;
}

type State = 'reading' | 'answering' | 'lingering' | 'done';

/**
 * One HTTP request from its head to its reply, the same over every listener:
 * reading → answering → done, or reading → lingering → done when the body is refused before its end. A refused body is
 * read on for a moment, because closing on a sender makes TCP drop the reply it has not read yet.
 */
export class Exchange implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly #head: RequestHead;
  readonly #context: ExchangeContext;
  readonly #connection: Connection;
  readonly #body: Body;
  #state: State = 'reading';
  #status: number | undefined;
  #matched: Matched | undefined;
  #cancelTimer: (() => void) | undefined;
  #abort: AbortController | undefined;

  constructor(head: RequestHead, context: ExchangeContext, connection: Connection) {
    this.method = head.method;
    this.path = head.path;
    this.#head = head;
    this.#context = context;
    this.#connection = connection;
    this.#body = context.bodies.open();
  }

  /** `bodyBytes`: as declared, undefined when it comes in chunks. The body follows by `data`, even if empty. */
  begin(bodyBytes: number | undefined): void {
    const { router, bodies } = this.#context;
    try {
      if (bodyBytes !== undefined) bodies.expect(bodyBytes);
    } catch (error) {
      this.#refuse(router.refusal(this.#head, error), false);
      return;
    }
    const match = router.match(this.#head);
    if ('status' in match) {
      this.#refuse(match, bodyBytes === 0);
    } else {
      this.#matched = match;
    }
  }

  /** A piece of the body, which is taken over; it may be empty. The timer runs only for bodies in several pieces. */
  data(chunk: Uint8Array, isLast: boolean): void {
    if (this.#state === 'lingering' && isLast) this.#finish();
    if (this.#state !== 'reading') return;
    try {
      if (chunk.length > 0) this.#body.add(chunk);
    } catch (error) {
      this.#refuse(this.#context.router.refusal(this.#head, error), isLast);
      return;
    }
    if (isLast) this.#answer();
    else if (this.#cancelTimer === undefined) {
      this.#schedule(this.#context.patience.bodyReadMs, () => this.#drop());
    }
  }

  #answer(): void {
    this.#state = 'answering';
    this.#cancelTimer?.();
    void this.#context.router.answer(this.#matched!, this).then((reply) => {
      if (this.#state === 'answering') this.#send(reply);
    });
  }

  /** The client has gone away. */
  aborted(): void {
    if (this.#state === 'done') return;
    this.#done();
    this.#abort?.abort();
  }

  header(name: HeaderName): string {
    return this.#head.header(name);
  }

  remoteAddress(): string {
    return this.#head.remoteAddress();
  }

  get parameter(): string {
    return this.#matched!.parameter;
  }

  get body(): Uint8Array {
    return this.#body.whole();
  }

  /** Made when asked for: most requests never look. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#state === 'done') this.#abort.abort();
    return this.#abort.signal;
  }

  #send(reply: Reply): void {
    this.#status = reply.status;
    this.#connection.send(reply);
    this.#done();
  }

  #refuse(reply: Reply, isBodyHere: boolean): void {
    if (isBodyHere) {
      this.#send(reply);
      return;
    }
    this.#state = 'lingering';
    this.#status = reply.status;
    this.#connection.refuse(reply);
    this.#body.release();
    this.#schedule(this.#context.patience.lingerMs, () => this.#finish());
  }

  #schedule(delayMs: number, run: () => void): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#context.clock.schedule(delayMs, run);
  }

  #finish(): void {
    this.#done();
    this.#connection.finish();
  }

  #drop(): void {
    this.#done();
    this.#connection.drop();
  }

  #done(): void {
    this.#state = 'done';
    this.#cancelTimer?.();
    this.#body.release();
    this.#context.done(this, this.#status);
  }
}
