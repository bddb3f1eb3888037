import { badRequest, MusterError } from '../base/errors.ts';
import { BODY_BYTES_MAX, EVENT_BYTES_MAX } from '../base/limits.ts';
import type { DeadLetter, ImportRecord } from '../log/record.ts';
import type { Accepted, CollectingView } from './accepted.ts';
import { Calls, type CallType, isCallType } from './calls.ts';
import { checkBulk, isObject, type JsonObject, jsonText, optionalObject } from './json.ts';

/** What a batch says once for all its items; an item's own fields win. */
export interface Shared {
  readonly context?: JsonObject | undefined;
  readonly sentAt?: unknown;
  readonly receivedAtMs: number;
}

/** One request under way: its items, one after the other, become calls or dead letters. */
export class Collecting {
  readonly #nowMs: number;
  readonly #calls: Calls;
  readonly #letters: DeadLetter[] = [];
  #items = 0;
  /** JSON may grow when written anew (1e20), so that the letters of a request need a bound of their own. */
  #letterBytesLeft = BODY_BYTES_MAX;

  constructor(view: CollectingView, nowMs: number) {
    this.#nowMs = nowMs;
    this.#calls = new Calls(view, nowMs);
  }

  /** An item that is a request of its own: throws bad_request when it is not well made. */
  addAlone(type: CallType, item: JsonObject): void {
    checkBulk(item, '$');
    this.#add(type, { ...item, type }, { receivedAtMs: this.#nowMs });
  }

  /** An item among others: a dead letter when anything is wrong with it. */
  addShared(item: unknown, endpoint: 'batch' | 'import', shared: Shared): void {
    try {
      checkBulk(item, '$');
      if (!isObject(item)) throw badRequest('must be an object', '$');
      this.#add(typeOf(item, endpoint), item, shared);
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      this.#bury(isObject(item) ? withShared(item, shared) : item, shared, error.message, error.path);
    }
  }

  accepted(progress?: ImportRecord): Accepted {
    const declare = this.#calls.declare(this.#nowMs);
    return {
      receivedAtMs: this.#nowMs,
      items: this.#items,
      calls: this.#calls.list,
      ...(declare && { declare }),
      letters: this.#letters,
      ...(progress && { progress }),
      droppedValues: this.#calls.droppedValues,
    };
  }

  #add(type: CallType, fields: JsonObject, shared: Shared): void {
    const context = mergedContext(shared.context, optionalObject(fields.context, '$.context'));
    const { sentAt, receivedAtMs } = shared;
    const refusal = this.#calls.add({ type, fields, context, batchSentAt: sentAt, receivedAtMs });
    if (refusal === undefined) this.#items++;
    else this.#bury(withShared(fields, shared), shared, refusal, undefined);
  }

  #bury(item: unknown, { receivedAtMs }: Shared, reason: string, path: string | undefined): void {
    const text = jsonText(item, Math.min(EVENT_BYTES_MAX, this.#letterBytesLeft));
    this.#letterBytesLeft -= Buffer.byteLength(text);
    this.#letters.push({ reason, ...(path !== undefined && { path }), item: text, receivedAtMs });
  }
}

/** Lines of an import may leave out that they are tracks. */
function typeOf(item: JsonObject, endpoint: 'batch' | 'import'): CallType {
  const type = item.type ?? (endpoint === 'import' && item.event !== undefined ? 'track' : undefined);
  if (isCallType(type)) return type;
  throw badRequest('must be track, identify, page, screen, group or alias', '$.type');
}

/** The item as it reads without its batch, so that it can be replayed alone. */
function withShared(item: JsonObject, shared: Shared): JsonObject {
  const context = isObject(item.context) ? mergedContext(shared.context, item.context) : shared.context;
  return {
    ...item,
    ...(context && { context }),
    ...(shared.sentAt !== undefined && { sentAt: item.sentAt ?? shared.sentAt }),
  };
}

/** Objects are merged into each other, of anything else the item's wins. Recursion ends with the shallower one. */
function mergedContext(shared: JsonObject | undefined, own: JsonObject | undefined): JsonObject | undefined {
  if (shared === undefined || own === undefined) return own ?? shared;
  const entries = Object.entries(own).map(([key, value]) => {
    const base = Object.hasOwn(shared, key) ? shared[key] : undefined;
    return [key, isObject(base) && isObject(value) ? mergedContext(base, value) : value];
  });
  return { ...shared, ...Object.fromEntries(entries) };
}
