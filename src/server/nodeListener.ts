import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import {
  BODY_BYTES_MAX,
  HEADERS_BYTES_MAX,
  SECOND_MS,
  SOCKET_BUFFER_BYTES_MAX,
  SOCKET_IDLE_SECONDS,
} from '../base/limits.ts';
import { Bodies } from './bodies.ts';
import { type Connection, Exchange, type ExchangeContext } from './exchange.ts';
import { cannotListen } from './freePort.ts';
import { errorReply, type Reply, type RequestHead } from './http.ts';
import {
  type Listener,
  type ListenerOptions,
  patienceOf,
  type Service,
  SLOW_CONSUMER,
  type Socket,
  type SocketHandler,
} from './listener.ts';
import { UnderWay } from './underWay.ts';

/** As long as uWebSockets.js lets a connection be idle or take over its headers. */
const IDLE_MS = 10 * SECOND_MS;
const NOTHING = new Uint8Array();

/** Over node:http and ws: slower, but wherever Node runs. */
export function nodeListener(service: Service, options: ListenerOptions): Listener {
  const patience = patienceOf(options);
  const underWay = new UnderWay(options.clock);
  const context: ExchangeContext = {
    router: service.router,
    bodies: new Bodies(),
    clock: options.clock,
    patience,
    done: (exchange, status) => underWay.remove(exchange, status),
  };
  const server = createServer({
    maxHeaderSize: HEADERS_BYTES_MAX,
    headersTimeout: Math.min(IDLE_MS, patience.bodyReadMs),
    requestTimeout: patience.bodyReadMs,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: Math.min(SECOND_MS, patience.bodyReadMs),
  });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const exchange = new Exchange(headOf(request), context, new NodeConnection(request, response, underWay));
    underWay.add(exchange);
    response.on('close', () => exchange.aborted());
    request.on('data', (chunk: Buffer) => exchange.data(chunk, false));
    request.on('end', () => exchange.data(NOTHING, true));
    exchange.begin(bodyBytesOf(request));
  });
  const sockets = upgrades(server, service, underWay, options.clock);

  return {
    kind: 'node:http',
    load: () => underWay.load(context.bodies),
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.on('error', (cause) => reject(cannotListen({ host, port }, cause)));
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
      }),
    async close(patienceMs = patience.closeMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await underWay.drain(patienceMs);
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Opens the WebSockets that the service accepts. */
function upgrades(server: Server, service: Service, underWay: UnderWay, clock: Clock): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: BODY_BYTES_MAX });
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, first: Buffer) => {
    // A connection that fails is closed, and that is all there is to do.
    connection.on('error', () => connection.destroy());
    const head = headOf(request);
    const accepted =
      head.path === service.sockets.path
        ? underWay.accept(service.sockets, head)
        : errorReply(new MusterError('not_found', 'no such path'));
    if ('status' in accepted) connection.end(rawReply(accepted));
    else sockets.handleUpgrade(request, connection, first, (ws) => openSocket(ws, accepted, underWay, clock));
  });
  return sockets;
}

function openSocket(ws: WebSocket, handler: SocketHandler, underWay: UnderWay, clock: Clock): void {
  const socket = new NodeSocket(ws);
  underWay.addSocket(handler, socket);
  ws.on('message', (data: Buffer, isBinary: boolean) => handler.message(isBinary ? data : data.toString()));
  // The 'close' that follows says all that matters.
  ws.on('error', () => ws.terminate());
  ws.on('close', () => {
    underWay.removeSocket(handler);
    handler.closed();
  });
  keepAlive(ws, clock);
  handler.opened(socket);
}

function headOf(request: IncomingMessage): RequestHead {
  const url = request.url!;
  const queryStart = url.indexOf('?');
  return {
    method: request.method!,
    path: queryStart < 0 ? url : url.slice(0, queryStart),
    header: (name) => String(request.headers[name] ?? ''),
    remoteAddress: () => request.socket.remoteAddress ?? '',
  };
}

function bodyBytesOf(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  return Number(request.headers['content-length'] ?? 0);
}

class NodeConnection implements Connection {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #underWay: UnderWay;

  constructor(request: IncomingMessage, response: ServerResponse, underWay: UnderWay) {
    this.#request = request;
    this.#response = response;
    this.#underWay = underWay;
  }

  send(reply: Reply): void {
    if (this.#underWay.isDraining) this.#response.shouldKeepAlive = false;
    const contentLength = Buffer.byteLength(reply.body);
    this.#response.writeHead(reply.status, { ...reply.headers, 'content-length': contentLength });
    this.#response.end(reply.body);
  }

  refuse(reply: Reply): void {
    this.#response.writeHead(reply.status, { ...reply.headers, connection: 'close' });
    this.#response.write(reply.body);
  }

  finish(): void {
    this.#response.end();
  }

  drop(): void {
    this.#request.destroy();
  }
}

/** A refused upgrade, which has no ServerResponse. */
function rawReply(reply: Reply): string {
  const headers = { ...reply.headers, connection: 'close', 'content-length': Buffer.byteLength(reply.body) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${reply.status} Refused\r\n${lines.join('')}\r\n${reply.body}`;
}

class NodeSocket implements Socket {
  readonly #ws: WebSocket;

  constructor(ws: WebSocket) {
    this.#ws = ws;
  }

  send(message: Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.#ws.bufferedAmount > SOCKET_BUFFER_BYTES_MAX) {
      this.close(SLOW_CONSUMER, 'too slow to read');
    } else {
      // A failed write closes the connection, which is told by its own event.
      this.#ws.send(message, () => {});
    }
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }
}

/** Pings twice per idle time, and gives up on a client that was silent between two. */
function keepAlive(ws: WebSocket, clock: Clock): void {
  let heard = true;
  let cancel: () => void;
  const hear = () => {
    heard = true;
  };
  const check = () => {
    if (!heard) {
      ws.terminate();
      return;
    }
    heard = false;
    ws.ping();
    wait();
  };
  const wait = () => {
    cancel = clock.schedule((SOCKET_IDLE_SECONDS * SECOND_MS) / 2, check);
  };
  wait();
  ws.on('pong', hear);
  ws.on('message', hear);
  ws.on('close', () => cancel());
}
