import { Packr } from 'msgpackr';
import { badRequest, type ErrorBody, STATUS_OF } from '../base/errors.ts';
import { unpack } from './unpack.ts';

/**
 * MessagePack-RPC, one message a binary WebSocket frame:
 *
 *   request        [0, id, method, [params]]        id: whole number in [0, 2^32)
 *   response       [1, id, error | null, result]    error: {code, message, path?}
 *   notification   [2, method, [params]]
 *
 * Plain MessagePack without extensions, so any implementation reads it; what is undefined is left out, as in JSON.
 */
export type Message =
  | { readonly kind: 'request'; readonly id: number; readonly method: string; readonly params: unknown }
  | {
      readonly kind: 'response';
      readonly id: number;
      readonly error: ErrorBody | undefined;
      readonly result: unknown;
    }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown };

const REQUEST = 0;
const RESPONSE = 1;
const NOTIFICATION = 2;

const PACKER_OPTIONS = {
  useRecords: false,
  variableMapSize: true,
  skipValues: [undefined],
  encodeUndefinedAsNil: true,
};
const packer = new Packr(PACKER_OPTIONS);

/** One value as MessagePack. The bytes are the caller's. */
export function pack(value: unknown): Uint8Array {
  return packer.pack(value);
}

export function packMessage(message: Message): Uint8Array {
  switch (message.kind) {
    case 'request':
      return pack([REQUEST, message.id, message.method, paramsArray(message.params)]);
    case 'response':
      return pack([RESPONSE, message.id, message.error ?? null, message.result ?? null]);
    case 'notification':
      return pack([NOTIFICATION, message.method, paramsArray(message.params)]);
  }
}

/** Throws MusterError `bad_request` for anything that is not a message. `valuesMax` bounds what it may hold. */
export function unpackMessage(bytes: Uint8Array, valuesMax?: number): Message {
  const message = unpack(bytes, valuesMax);
  if (!Array.isArray(message)) throw badRequest('a message is an array', '[]');
  const [kind, ...rest] = message as readonly unknown[];
  if (kind === REQUEST && rest.length === 3) {
    return { kind: 'request', id: idOf(rest[0]), method: methodOf(rest[1]), params: onlyParam(rest[2]) };
  }
  if (kind === RESPONSE && rest.length === 3) {
    return { kind: 'response', id: idOf(rest[0]), error: errorOf(rest[1]), result: rest[2] };
  }
  if (kind === NOTIFICATION && rest.length === 2) {
    return { kind: 'notification', method: methodOf(rest[0]), params: onlyParam(rest[1]) };
  }
  throw badRequest('not a MessagePack-RPC message', '[0]');
}

function paramsArray(params: unknown): readonly unknown[] {
  return params === undefined ? [] : [params];
}

function idOf(id: unknown): number {
  if (typeof id === 'number' && id >>> 0 === id) return id;
  throw badRequest('an id is a whole number in [0, 2^32)', '[1]');
}

function methodOf(method: unknown): string {
  if (typeof method === 'string') return method;
  throw badRequest('a method is text', '[method]');
}

function onlyParam(params: unknown): unknown {
  if (Array.isArray(params) && params.length <= 1) return params[0];
  throw badRequest('params are an array of one object at the most', '[params]');
}

function errorOf(error: unknown): ErrorBody | undefined {
  if (error === null) return undefined;
  const { code, message, path } = Object(error) as Partial<Record<keyof ErrorBody, unknown>>;
  if (!isCode(code) || typeof message !== 'string')
    throw badRequest('an error is {code, message, path?}', '[2]');
  return typeof path === 'string' ? { code, message, path } : { code, message };
}

function isCode(code: unknown): code is ErrorBody['code'] {
  return typeof code === 'string' && Object.hasOwn(STATUS_OF, code);
}
