import { badRequest, MusterError, STATUS_OF } from '../base/errors.ts';
import { MESSAGE_PACK_VALUES_MAX } from '../base/limits.ts';
import { unpack } from '../client/unpack.ts';
import { pack } from '../client/wire.ts';
import { readBody } from '../ingest/body.ts';
import { writeKeyOf } from '../ingest/keys.ts';
import { authenticate, type Carried, call } from './call.ts';
import { type HttpRequest, json, type Reply, type Route, retryAfter } from './http.ts';

const MESSAGE_PACK = 'application/msgpack';

/** `POST /rpc/METHOD`: the body is the params, the body of a 200 the result (INTERFACE §3). */
export function rpcRoutes(carried: Carried): readonly Route[] {
  return [{ method: 'POST', path: '/rpc/:method', handle: (request) => answer(carried, request) }];
}

async function answer(carried: Carried, request: HttpRequest): Promise<Reply> {
  try {
    const principal = authenticate(carried.api, writeKeyOf(request.header('authorization'), undefined));
    const { value: params, bytes } = await paramsOf(request);
    const { parameter: method, signal } = request;
    return reply(request, 200, await call(carried, { principal, method, params, bytes, signal }));
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    return reply(request, STATUS_OF[error.code], error.body, retryAfter(error));
  }
}

async function paramsOf(request: HttpRequest): Promise<{ value: unknown; bytes: number }> {
  const { body } = request;
  const encoding = request.header('content-encoding');
  if (body.length === 0) return { value: undefined, bytes: 0 };
  if (!isMessagePack(request.header('content-type'))) return readBody(body, encoding);
  if (encoding !== '') throw badRequest('MessagePack is sent without a content encoding', '$');
  return { value: unpack(body, MESSAGE_PACK_VALUES_MAX), bytes: body.length };
}

function reply(request: HttpRequest, status: number, value: unknown, headers: Reply['headers'] = {}): Reply {
  const accept = request.header('accept');
  const packed =
    isMessagePack(accept) || (isMessagePack(request.header('content-type')) && !accept.includes('json'));
  if (!packed) return json(status, value ?? null, headers);
  return { status, headers: { ...headers, 'content-type': MESSAGE_PACK }, body: pack(value) };
}

function isMessagePack(mediaTypes: string): boolean {
  return mediaTypes.includes('msgpack');
}
