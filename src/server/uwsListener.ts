import type {
  HttpRequest as UwsRequest,
  HttpResponse as UwsResponse,
  WebSocket as UwsSocket,
  us_listen_socket,
  WebSocketBehavior,
} from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import { BODY_BYTES_MAX, SOCKET_BUFFER_BYTES_MAX, SOCKET_IDLE_SECONDS } from '../base/limits.ts';
import { Bodies } from './bodies.ts';
import { type Connection, Exchange, type ExchangeContext } from './exchange.ts';
import { cannotListen, freePort } from './freePort.ts';
import { HEADER_NAMES, type Reply, type RequestHead } from './http.ts';
import {
  type Listener,
  type ListenerOptions,
  patienceOf,
  type Service,
  SLOW_CONSUMER,
  type Socket,
  type SocketHandler,
  type Uws,
} from './listener.ts';
import { UnderWay } from './underWay.ts';

/**
 * Over uWebSockets.js. Its rules shape this file: a request may be read only until its handler returns, a response may
 * not be touched once aborted or ended, data is gone when its callback returns, and writes outside a callback are
 * corked to leave in one packet. It closes connections that are idle for 10 s or send a body slower than 16 KB/s, and
 * those that send the next request before the last was answered.
 */
export function uwsListener(uws: Uws, service: Service, options: ListenerOptions): Listener {
  const patience = patienceOf(options);
  const underWay = new UnderWay(options.clock);
  const context: ExchangeContext = {
    router: service.router,
    bodies: new Bodies(),
    clock: options.clock,
    patience,
    done: (exchange, status) => underWay.remove(exchange, status),
  };
  const app = uws.App();
  let listening: us_listen_socket | undefined;

  app.any('/*', (response, request) => {
    const head = headOf(request, response);
    const exchange = new Exchange(head, context, new UwsConnection(response, head, underWay));
    underWay.add(exchange);
    response.onAborted(() => exchange.aborted());
    response.onData((chunk, isLast) => exchange.data(new Uint8Array(chunk.slice(0)), isLast));
    exchange.begin(bodyBytesOf(request));
  });
  app.ws(service.sockets.path, socketBehavior(uws, service, underWay));

  return {
    kind: 'uWebSockets.js',
    load: () => underWay.load(context.bodies),
    async listen({ host, port }) {
      const shared = port === 0 ? await freePort({ host, port }) : port;
      app.listen(host, shared, (token) => {
        if (token !== false) listening = token;
      });
      if (listening === undefined) throw cannotListen({ host, port });
      return shared;
    },
    async close(patienceMs = patience.closeMs) {
      if (listening !== undefined) uws.us_listen_socket_close(listening);
      listening = undefined;
      await underWay.drain(patienceMs);
      app.close();
    },
  };
}

function headOf(request: UwsRequest, response: UwsResponse): RequestHead {
  const headers: Record<string, string> = {};
  for (const name of HEADER_NAMES) headers[name] = request.getHeader(name);
  return {
    method: request.getCaseSensitiveMethod(),
    path: request.getUrl(),
    header: (name) => headers[name]!,
    remoteAddress: () => Buffer.from(response.getRemoteAddressAsText()).toString(),
  };
}

/** The parser has refused a length that is not a number, and one beside a transfer encoding. */
function bodyBytesOf(request: UwsRequest): number | undefined {
  if (request.getHeader('transfer-encoding') !== '') return undefined;
  return Number(request.getHeader('content-length'));
}

class UwsConnection implements Connection {
  readonly #response: UwsResponse;
  readonly #head: RequestHead;
  readonly #underWay: UnderWay;

  constructor(response: UwsResponse, head: RequestHead, underWay: UnderWay) {
    this.#response = response;
    this.#head = head;
    this.#underWay = underWay;
  }

  send(reply: Reply): void {
    const isLast = this.#underWay.isDraining;
    this.#response.cork(() => {
      writeHead(this.#response, reply);
      if (this.#head.method === 'HEAD') {
        this.#response.endWithoutBody(Buffer.byteLength(reply.body), isLast);
      } else {
        this.#response.end(reply.body, isLast);
      }
    });
  }

  refuse(reply: Reply): void {
    this.#response.cork(() => {
      writeHead(this.#response, reply);
      this.#response.writeHeader('connection', 'close');
      this.#response.write(reply.body);
    });
  }

  /** With nothing more read, the connection is idle to the library, and closed soon. */
  finish(): void {
    this.#response.pause();
    this.#response.cork(() => this.#response.end());
  }

  drop(): void {
    this.#response.close();
  }
}

function writeHead(response: UwsResponse, reply: Reply): void {
  response.writeStatus(`${reply.status} ${STATUS_CODES[reply.status]}`);
  for (const name in reply.headers) response.writeHeader(name, reply.headers[name]!);
}

interface SocketData {
  readonly handler: SocketHandler;
  socket: UwsSocketPort | undefined;
}

function socketBehavior(uws: Uws, service: Service, underWay: UnderWay): WebSocketBehavior<SocketData> {
  return {
    maxPayloadLength: BODY_BYTES_MAX,
    // Its own limit would drop the close frame too; `send` below has ours.
    maxBackpressure: 0,
    idleTimeout: SOCKET_IDLE_SECONDS,
    sendPingsAutomatically: true,
    compression: uws.DISABLED,
    upgrade(response, request, context) {
      const accepted = underWay.accept(service.sockets, headOf(request, response));
      if ('status' in accepted) {
        writeHead(response, accepted);
        response.end(accepted.body, true);
        return;
      }
      const data: SocketData = { handler: accepted, socket: undefined };
      const key = request.getHeader('sec-websocket-key');
      const extensions = request.getHeader('sec-websocket-extensions');
      response.upgrade(data, key, '', extensions, context);
    },
    open(ws) {
      const data = ws.getUserData();
      data.socket = new UwsSocketPort(ws);
      underWay.addSocket(data.handler, data.socket);
      data.handler.opened(data.socket);
    },
    message(ws, message, isBinary) {
      const { handler } = ws.getUserData();
      handler.message(isBinary ? new Uint8Array(message) : Buffer.from(message).toString());
    },
    close(ws) {
      const { handler, socket } = ws.getUserData();
      socket!.forget();
      underWay.removeSocket(handler);
      handler.closed();
    },
  };
}

class UwsSocketPort implements Socket {
  #ws: UwsSocket<SocketData> | undefined;

  constructor(ws: UwsSocket<SocketData>) {
    this.#ws = ws;
  }

  send(message: Uint8Array): void {
    if (this.#ws === undefined) return;
    if (this.#ws.getBufferedAmount() > SOCKET_BUFFER_BYTES_MAX) this.close(SLOW_CONSUMER, 'too slow to read');
    else this.#ws.send(message, true);
  }

  close(code: number, reason: string): void {
    this.#ws?.end(code, reason);
  }

  /** A closed socket may not be touched. */
  forget(): void {
    this.#ws = undefined;
  }
}
