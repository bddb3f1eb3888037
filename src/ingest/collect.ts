import { badRequest } from '../base/errors.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_EVENTS_MAX,
  BODY_BYTES_MAX,
  EVENT_BYTES_MAX,
  IMPORT_BYTES_MAX,
} from '../base/limits.ts';
import type { ImportRecord } from '../log/record.ts';
import type { Accepted, CollectingView } from './accepted.ts';
import type { CallType } from './calls.ts';
import { Collecting } from './collecting.ts';
import { checkBulk, isObject, type JsonObject, optionalObject } from './json.ts';

export interface CollectRequest {
  /** The endpoint. Of a batch's items each says its own type. */
  readonly type: CallType | 'batch' | 'import';
  /** As JSON.parse made it. */
  readonly body: unknown;
  /** Length of the body, inflated. */
  readonly bytes: number;
  readonly receivedAtMs: number;
  readonly view: CollectingView;
}

/**
 * Checks one request to the collecting API and turns it into calls. An item of a batch that cannot be accepted becomes
 * a dead letter beside the others; a single call that is not well made throws bad_request, as does a body that is over
 * the limits or no batch at all. Pure.
 */
export function collect({ type, body, bytes, receivedAtMs, view }: CollectRequest): Accepted {
  if (!isObject(body)) throw badRequest('the body must be a JSON object', '$');
  const bytesMax = bytesMaxOf(type);
  if (bytes > bytesMax) throw badRequest(`is over ${bytesMax} bytes, the most for ${type}`, '$');
  const collecting = new Collecting(view, receivedAtMs);
  if (type !== 'batch' && type !== 'import') {
    collecting.addAlone(type, body);
    return collecting.accepted();
  }
  const { batch, sentAt } = body;
  if (!Array.isArray(batch)) throw badRequest('must be an array', '$.batch');
  if (batch.length > BATCH_EVENTS_MAX)
    throw badRequest(`may hold at most ${BATCH_EVENTS_MAX} items`, '$.batch');
  const shared = { context: sharedContext(body.context, batch.length), sentAt, receivedAtMs };
  for (const item of batch) collecting.addShared(item, type, shared);
  return collecting.accepted(type === 'import' ? progressOf(body.import, receivedAtMs) : undefined);
}

function bytesMaxOf(type: CollectRequest['type']): number {
  if (type === 'batch') return BATCH_BYTES_MAX;
  return type === 'import' ? IMPORT_BYTES_MAX : EVENT_BYTES_MAX;
}

/** A batch's context is repeated in every item, so their product is what must stay within bounds. */
function sharedContext(raw: unknown, items: number): JsonObject | undefined {
  const context = optionalObject(raw, '$.context');
  if (context === undefined) return undefined;
  checkBulk(context, '$.context');
  if (Buffer.byteLength(JSON.stringify(context)) * items <= BODY_BYTES_MAX) return context;
  throw badRequest(`repeated in ${items} items, it is over ${BODY_BYTES_MAX} bytes`, '$.context');
}

/** Which lines of which import a body holds, as `importFile.ts` writes it. */
function progressOf(raw: unknown, atMs: number): ImportRecord | undefined {
  const progress = optionalObject(raw, '$.import');
  if (progress === undefined) return undefined;
  const { id, from, to, finished } = progress;
  if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id))
    throw badRequest('must be a SHA-256, hex', '$.import.id');
  if (!isLine(from)) throw badRequest('must be a line number', '$.import.from');
  if (!isLine(to) || to < from) throw badRequest('must be a line number, not below from', '$.import.to');
  if (typeof finished !== 'boolean') throw badRequest('must be true or false', '$.import.finished');
  return { kind: 'import', atMs, id, from, to, finished };
}

function isLine(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
