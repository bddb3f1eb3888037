import { assert } from '../base/assert.ts';
import { MusterError } from '../base/errors.ts';
import { PATH_CHARS_MAX } from '../base/limits.ts';
import {
  errorReply,
  type Handler,
  type HttpRequest,
  INTERNAL,
  json,
  type Reply,
  type RequestHead,
  type Route,
} from './http.ts';

/** A request that has its handler: what is left to do once the body is here. */
export interface Matched {
  readonly handler: Handler;
  readonly parameter: string;
}

interface Path {
  /** The path up to its parameter, and what follows it. */
  readonly prefix: string;
  readonly suffix: string;
  readonly handlers: Map<string, Handler>;
}

/** Finds the route of a request, and turns whatever happens to it into a reply. */
export class Router {
  readonly #fixed = new Map<string, Map<string, Handler>>();
  readonly #patterns: Path[] = [];
  readonly #failed: (error: unknown) => void;

  /** `failed` is told of every error that is no MusterError: a bug, after which the thread should stop. */
  constructor(routes: readonly Route[], failed: (error: unknown) => void) {
    this.#failed = failed;
    for (const route of routes) this.#handlersAt(route.path).set(route.method, route.handle);
  }

  /** From the head alone: the handler, or the reply when there is none to call. */
  match(head: RequestHead): Matched | Reply {
    const found = this.#find(head.path);
    if (found === undefined) return withCors(head, errorReply(new MusterError('not_found', 'no such path')));
    const handler = found.handlers.get(head.method === 'HEAD' ? 'GET' : head.method);
    if (handler !== undefined) return { handler, parameter: found.parameter };
    const methods = [...found.handlers.keys(), 'OPTIONS'].join(', ');
    if (head.method === 'OPTIONS') {
      return withCors(head, { status: 204, headers: { allow: methods, ...PREFLIGHT }, body: '' });
    }
    const body = { code: 'bad_request', message: `${head.method} is not one of ${methods}` };
    return withCors(head, json(405, body, { allow: methods }));
  }

  /** Never rejects. */
  async answer(matched: Matched, request: HttpRequest): Promise<Reply> {
    try {
      return withCors(request, await matched.handler(request));
    } catch (error) {
      return this.refusal(request, error);
    }
  }

  /** The reply to a request that failed with `error`. */
  refusal(head: RequestHead, error: unknown): Reply {
    if (error instanceof MusterError) return withCors(head, errorReply(error));
    this.#failed(error);
    return withCors(head, json(500, INTERNAL));
  }

  #handlersAt(path: string): Map<string, Handler> {
    const [prefix, suffix] = path.split(/:[^/]+/);
    if (suffix === undefined) {
      const handlers = this.#fixed.get(path) ?? new Map<string, Handler>();
      this.#fixed.set(path, handlers);
      return handlers;
    }
    assert(path.split(':').length === 2, 'a path has one parameter at the most');
    const handlers = new Map<string, Handler>();
    this.#patterns.push({ prefix: prefix!, suffix, handlers });
    return handlers;
  }

  #find(path: string): { handlers: Map<string, Handler>; parameter: string } | undefined {
    const handlers = this.#fixed.get(path);
    if (handlers !== undefined) return { handlers, parameter: '' };
    if (path.length > PATH_CHARS_MAX) return undefined;
    for (const { prefix, suffix, handlers } of this.#patterns) {
      if (!path.startsWith(prefix) || !path.endsWith(suffix)) continue;
      const parameter = decode(path.slice(prefix.length, path.length - suffix.length));
      if (parameter !== undefined) return { handlers, parameter };
    }
    return undefined;
  }
}

function decode(part: string): string | undefined {
  if (part === '' || part.includes('/')) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

// Browsers collect from any site (INTERFACE §2): the key says which account, no cookie says anything.
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'authorization, content-type, x-retry-count, anonymousid',
  'access-control-max-age': '900',
};

function withCors(head: RequestHead, reply: Reply): Reply {
  if (!head.path.startsWith('/v1/')) return reply;
  const origin = head.header('origin');
  if (origin === '') return reply;
  const headers = {
    ...reply.headers,
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Retry-After',
    vary: 'Origin',
  };
  return { ...reply, headers };
}
