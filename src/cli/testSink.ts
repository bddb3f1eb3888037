import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { WEBHOOK_SECRET } from './testServer.ts';

export interface Arrival {
  readonly id: string;
  readonly body: unknown;
}

/** For tests: the other end of a webhook. Remembers every arrival, in order; an unsigned one is answered 400. */
export class TestSink {
  readonly arrivals: Arrival[] = [];
  /** Decides on the answer to an arrival, which is the last of `arrivals`. */
  answer: (arrival: Arrival, response: ServerResponse) => void = (_, response) =>
    response.writeHead(204).end();
  readonly #server: Server;

  static async open(): Promise<TestSink> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TestSink(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    const webhook = new Webhook(WEBHOOK_SECRET);
    server.on('request', async (request, response) => {
      const body = await text(request);
      try {
        webhook.verify(body, request.headers as Record<string, string>);
      } catch {
        response.writeHead(400).end('not signed');
        return;
      }
      const arrival = { id: String(request.headers['webhook-id']), body: JSON.parse(body) as unknown };
      this.arrivals.push(arrival);
      this.answer(arrival, response);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** How often each message arrived, by its id. */
  get timesById(): ReadonlyMap<string, number> {
    const times = new Map<string, number>();
    for (const { id } of this.arrivals) times.set(id, (times.get(id) ?? 0) + 1);
    return times;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
