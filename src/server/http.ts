import { type ErrorBody, type MusterError, STATUS_OF } from '../base/errors.ts';

/** What handlers may read. A listener copies these and no others, since reading a header costs. */
export const HEADER_NAMES = [
  'accept',
  'authorization',
  'content-encoding',
  'content-type',
  'host',
  'origin',
  'x-forwarded-proto',
] as const;
export type HeaderName = (typeof HEADER_NAMES)[number];

export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Empty when missing. */
  header(name: HeaderName): string;
  /** The peer's address as text. */
  remoteAddress(): string;
}

export interface HttpRequest extends RequestHead {
  /** What stands for the `:name` of the route's path, decoded. */
  readonly parameter: string;
  /** Whole; owned by the handler. */
  readonly body: Uint8Array;
  /** Aborts when the client goes away before its reply. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** A rejection with MusterError becomes its reply; any other is a bug. */
export type Handler = (request: HttpRequest) => Reply | Promise<Reply>;

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Begins with `/`; at most one part may be a parameter: `/rpc/:method`. */
  readonly path: string;
  readonly handle: Handler;
}

export function json(status: number, value: unknown, headers: Reply['headers'] = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

export function errorReply(error: MusterError): Reply {
  return json(STATUS_OF[error.code], error.body, retryAfter(error));
}

export function retryAfter(error: MusterError): Record<string, string> {
  return error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) };
}

/** What a caller may know of a bug. */
export const INTERNAL: ErrorBody = { code: 'internal', message: 'internal error' };
