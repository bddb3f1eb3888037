import { type WebSocket, WebSocketServer } from 'ws';
import type { ErrorBody, MusterError } from '../base/errors.ts';
import { type Message, packMessage, unpackMessage } from './wire.ts';

export type Request = Extract<Message, { kind: 'request' }>;

/** What `answer` gives for a call that the test answers later, with `respond`. */
export const later = Symbol('later');

/** For tests: a server that takes any key, and answers calls as a test tells it to. */
export class FakeServer {
  readonly requests: Request[] = [];
  readonly sockets: WebSocket[] = [];
  answer: (request: Request) => unknown = ({ params }) => params;
  authError: ErrorBody | undefined;
  #server: WebSocketServer | undefined;
  #port = 0;
  #told: () => void = () => {};

  async start(): Promise<void> {
    this.#server = new WebSocketServer({ port: this.#port, path: '/rpc' });
    await new Promise((resolve) => this.#server!.once('listening', resolve));
    this.#port = (this.#server.address() as { port: number }).port;
    this.#server.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('message', (data) => this.#receive(socket, data as Buffer));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#server?.clients ?? []) socket.terminate();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  respond(request: Request, result: unknown): void {
    this.#send({ kind: 'response', id: request.id, error: undefined, result });
  }

  notify(params: unknown): void {
    this.#send({ kind: 'notification', method: 'segment.changed', params });
  }

  /** The n-th call (from 1) of this method. */
  async received(method: string, n = 1): Promise<Request> {
    for (;;) {
      const request = this.requests.filter((request) => request.method === method)[n - 1];
      if (request !== undefined) return request;
      await new Promise<void>((resolve) => {
        this.#told = resolve;
      });
    }
  }

  #receive(socket: WebSocket, data: Buffer): void {
    const request = unpackMessage(data) as Request;
    if (request.method === 'auth') {
      const error = this.authError;
      socket.send(packMessage({ kind: 'response', id: request.id, error, result: {} }));
      return;
    }
    this.requests.push(request);
    this.#told();
    try {
      const result = this.answer(request);
      if (result !== later) this.respond(request, result);
    } catch (error) {
      const { body } = error as MusterError;
      this.#send({ kind: 'response', id: request.id, error: body, result: null });
    }
  }

  #send(message: Message): void {
    this.sockets.at(-1)!.send(packMessage(message));
  }
}
