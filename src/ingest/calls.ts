import { badRequest } from '../base/errors.ts';
import { MESSAGE_ID_CHARS_MAX, NAME_BYTES_MAX, USER_ID_BYTES_MAX } from '../base/limits.ts';
import type { Call, DeclareRecord, UserRef } from '../log/record.ts';
import type { CollectingView } from './accepted.ts';
import { fitsBytes, type JsonObject, optionalObject, wellFormed } from './json.ts';
import { fitName, Names } from './names.ts';
import { Properties } from './properties.ts';
import { eventTimeMs } from './timestamp.ts';
import { traitsOf } from './traits.ts';

const CALL_TYPES = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const;
export type CallType = (typeof CALL_TYPES)[number];

export function isCallType(type: unknown): type is CallType {
  return CALL_TYPES.includes(type as CallType);
}

/** One Segment call, of checked bulk, with what its batch adds to it. */
export interface Item {
  readonly type: CallType;
  readonly fields: JsonObject;
  readonly context: JsonObject | undefined;
  readonly batchSentAt: unknown;
  readonly receivedAtMs: number;
}

/** Why an item that is well made is still refused. */
export type Refusal = 'too_old' | 'too_many_event_names';

/** What every kind of call carries. */
interface Stamp {
  readonly user: UserRef;
  readonly timeMs: number;
  readonly messageId?: string;
}

/** Turns the items of one request into calls. */
export class Calls {
  readonly list: Call[] = [];
  droppedValues = 0;
  readonly #names: Names;
  /** Events at or before this are past the account's retention. */
  readonly #retiredMs: number;

  constructor(view: CollectingView, nowMs: number) {
    this.#names = new Names(view);
    this.#retiredMs = view.retentionMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - view.retentionMs;
  }

  /** Adds the item's calls, all or none. Throws bad_request, with the path inside the item, when it is not well made. */
  add(item: Item): Refusal | undefined {
    switch (item.type) {
      case 'track':
        return this.#addEvent(item, eventNameOf(item.fields.event));
      case 'page':
        return this.#addEvent(item, 'Page Viewed');
      case 'screen':
        return this.#addEvent(item, 'Screen Viewed');
      case 'identify':
        return this.#addIdentify(item);
      case 'group':
        return this.#addGroup(item);
      case 'alias':
        return this.#addAlias(item);
    }
  }

  declare(atMs: number): DeclareRecord | undefined {
    return this.#names.declare(atMs);
  }

  #addEvent(item: Item, event: string): Refusal | undefined {
    const { fields, context } = item;
    const stamp = stampOf(item);
    const sent = optionalObject(fields.properties, '$.properties');
    if (stamp.timeMs <= this.#retiredMs) return 'too_old';
    if (this.#names.event(event) === undefined) return 'too_many_event_names';
    const properties = new Properties(this.#names, event);
    if (sent !== undefined) properties.addAll('', sent);
    if (item.type !== 'track') {
      properties.add('name', fields.name);
      properties.add('category', fields.category);
    }
    if (context !== undefined) properties.addContext(context);
    this.list.push({ kind: 'event', ...stamp, event, properties: properties.values });
    this.droppedValues += properties.droppedValues;
    return undefined;
  }

  /** Naming both ids says that they are the same person. */
  #addIdentify(item: Item): undefined {
    const { fields, context } = item;
    const stamp = stampOf(item);
    const userId = idOf(fields.userId, '$.userId');
    const anonymousId = idOf(fields.anonymousId, '$.anonymousId');
    // RudderStack sends the traits twice, some SDKs only in the context.
    const traits =
      optionalObject(fields.traits, '$.traits') ?? optionalObject(context?.traits, '$.context.traits');
    this.#addTraits(stamp, '', traits ?? {});
    if (userId !== undefined && anonymousId !== undefined) {
      this.list.push({ kind: 'alias', of: 'identify', anonymousId, userId, timeMs: stamp.timeMs });
    }
  }

  #addGroup(item: Item): undefined {
    const { fields } = item;
    const stamp = stampOf(item);
    const groupId = requiredId(fields.groupId, '$.groupId');
    const traits = optionalObject(fields.traits, '$.traits');
    this.#addTraits(stamp, 'group_', { ...traits, id: groupId });
  }

  #addTraits(stamp: Stamp, prefix: string, traits: JsonObject): void {
    const { operations, droppedValues } = traitsOf(this.#names, prefix, traits, '$.traits');
    this.list.push({ kind: 'traits', ...stamp, operations });
    this.droppedValues += droppedValues;
  }

  #addAlias(item: Item): undefined {
    const { fields } = item;
    const userId = requiredId(fields.userId, '$.userId');
    const previousId = idOf(fields.previousId, '$.previousId');
    const anonymousId = previousId ?? requiredId(fields.anonymousId, '$.previousId');
    if (anonymousId === userId) throw badRequest('must not be the userId', '$.previousId');
    const { timeMs, messageId } = stampOf(item);
    const alias = { kind: 'alias', of: 'alias', anonymousId, userId, timeMs } as const;
    this.list.push(messageId === undefined ? alias : { ...alias, messageId });
  }
}

function stampOf({ fields, batchSentAt, receivedAtMs }: Item): Stamp {
  const user = userOf(fields);
  const messageId = messageIdOf(fields.messageId);
  const timeMs = eventTimeMs(fields, batchSentAt, receivedAtMs);
  return messageId === undefined ? { user, timeMs } : { user, timeMs, messageId };
}

/** A call with both ids is the known user's. */
function userOf(fields: JsonObject): UserRef {
  const userId = idOf(fields.userId, '$.userId');
  if (userId !== undefined) return { known: true, id: userId };
  const anonymousId = idOf(fields.anonymousId, '$.anonymousId');
  if (anonymousId !== undefined) return { known: false, id: anonymousId };
  throw badRequest('userId or anonymousId is required', '$.userId');
}

/** Some SDKs send null or '' for an id they do not have, and numbers for one they have. */
function idOf(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'string') throw badRequest('must be text', path);
  if (!fitsBytes(value, USER_ID_BYTES_MAX)) throw badRequest(`is over ${USER_ID_BYTES_MAX} bytes`, path);
  return wellFormed(value);
}

function requiredId(value: unknown, path: string): string {
  const id = idOf(value, path);
  if (id === undefined) throw badRequest('is required', path);
  return id;
}

function messageIdOf(value: unknown): string | undefined {
  const messageId = idOf(value, '$.messageId');
  if (messageId === undefined || messageId.length <= MESSAGE_ID_CHARS_MAX) return messageId;
  throw badRequest(`is over ${MESSAGE_ID_CHARS_MAX} characters`, '$.messageId');
}

function eventNameOf(value: unknown): string {
  const event = typeof value === 'string' ? fitName(value) : undefined;
  if (event === undefined) throw badRequest(`must be text of 1 to ${NAME_BYTES_MAX} bytes`, '$.event');
  return event;
}
