import { Drop } from 'liquidjs';
import { isoTime } from '../base/time.ts';
import type { Value } from '../base/value.ts';
import { visibleFromMs } from '../query/users.ts';
import { walkTrail } from '../store/trail.ts';
import type { TabletView } from '../store/view.ts';

/** The event that a message is about. */
export interface MessageEvent {
  readonly name: string;
  readonly timeMs: number;
  readonly properties: Readonly<Record<string, Value>>;
}

/** What the templates of one message may name (INTERFACE §6): user, event, last, campaign, message. */
export function templateScope(
  view: TabletView,
  ordinal: number,
  about: { readonly event: MessageEvent | undefined; readonly campaign: string; readonly messageId: string },
): object {
  return {
    user: { ...nested(view.profiles.all(ordinal)), id: view.users.refOf(ordinal).id },
    event: about.event && eventScope(about.event),
    last: new LastEvents(view, ordinal),
    campaign: { name: about.campaign },
    message: { id: about.messageId },
  };
}

function eventScope({ name, timeMs, properties }: MessageEvent): object {
  return { ...nested(properties), name, time: isoTime(timeMs) };
}

/** `{"repo.name": x}` becomes `{repo: {name: x}}`, as it was before it was flattened on its way in. */
function nested(flat: Readonly<Record<string, Value>>): Json {
  const root: Json = {};
  for (const [name, value] of Object.entries(flat)) {
    const parts = name.split('.');
    if (parts.includes('__proto__')) continue;
    const last = parts.pop()!;
    parts.reduce(innerObject, root)[last] = value;
  }
  return root;
}

interface Json {
  [key: string]: Value | Json;
}

function innerObject(object: Json, key: string): Json {
  const existing = Object.hasOwn(object, key) ? object[key] : undefined;
  if (typeof existing === 'object' && !Array.isArray(existing)) return existing as Json;
  const inner: Json = {};
  object[key] = inner;
  return inner;
}

/** `last["Event Name"]`: looked up only when a template asks. */
class LastEvents extends Drop {
  readonly #view: TabletView;
  readonly #ordinal: number;

  constructor(view: TabletView, ordinal: number) {
    super();
    this.#view = view;
    this.#ordinal = ordinal;
  }

  override liquidMethodMissing(name: string | number): object | undefined {
    const event = lastEvent(this.#view, this.#ordinal, String(name));
    return event && eventScope(event);
  }
}

/** The user's latest event of this name that is still retained. */
function lastEvent(view: TabletView, ordinal: number, name: string): MessageEvent | undefined {
  const code = view.schema.eventCode(name);
  const ordinals = [ordinal, ...view.users.mergedInto(ordinal)];
  const fromMs = visibleFromMs(view.settings, view.clockMs);
  if (code === undefined) return undefined;
  for (const { part, row, timeMs } of walkTrail(view.events, ordinals, { fromMs, newestFirst: true })) {
    if (part.eventAt(row) !== code) continue;
    const properties = part
      .propertiesAt(row)
      .map(([property, value]) => [view.schema.propertyName(property), value]);
    return { name, timeMs, properties: Object.fromEntries(properties) };
  }
  return undefined;
}
