import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Delivery {
  readonly messageId: string;
  readonly body: string;
  readonly isSigned: boolean;
  /** On the clock of `performance.now()`. */
  readonly arrivedMs: number;
}

/** What a company would have at the other end of a webhook: takes messages, and checks who they are from. */
export class WebhookSink {
  readonly url: string;
  readonly #server: Server;
  readonly #secret: string;
  /** Messages so far. */
  count = 0;
  #deliver: (delivery: Delivery) => void = () => {};
  /** The first one. */
  readonly delivery = new Promise<Delivery>((resolve) => {
    this.#deliver = resolve;
  });

  private constructor(server: Server, secret: string) {
    this.#server = server;
    this.#secret = secret;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  }

  static async open(secret: string): Promise<WebhookSink> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sink = new WebhookSink(server, secret);
    server.on('request', async (request, response) => {
      const arrivedMs = performance.now();
      const body = await text(request);
      sink.count++;
      sink.#deliver({
        messageId: headerOf(request, 'webhook-id'),
        body,
        isSigned: sink.#isSigned(request, body),
        arrivedMs,
      });
      response.writeHead(204).end();
    });
    return sink;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** By the rules of standardwebhooks.com. */
  #isSigned(request: IncomingMessage, body: string): boolean {
    const content = `${headerOf(request, 'webhook-id')}.${headerOf(request, 'webhook-timestamp')}.${body}`;
    const key = Buffer.from(this.#secret.slice('whsec_'.length), 'base64');
    const expected = Buffer.from(`v1,${createHmac('sha256', key).update(content).digest('base64')}`);
    const found = Buffer.from(headerOf(request, 'webhook-signature'));
    return found.length === expected.length && timingSafeEqual(found, expected);
  }
}

function headerOf(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? '');
}
