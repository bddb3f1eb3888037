import { NAME_BYTES_MAX } from '../base/limits.ts';
import type { DeclareRecord } from '../log/record.ts';
import type { CollectingView } from './accepted.ts';
import { fitsBytes, wellFormed } from './json.ts';

/**
 * Resolves the names of one request against the account's schema and gathers those seen for the first time. Each
 * method answers with the name to store, or undefined when the name is unfit or the account has no room for it. The
 * view may lag a little; tablets apply the limits again, exactly.
 */
export class Names {
  readonly #view: CollectingView;
  readonly #newEvents = new Set<string>();
  /** By event, which may itself be new or not. */
  readonly #newProperties = new Map<string, Set<string>>();
  readonly #newTraits = new Set<string>();

  constructor(view: CollectingView) {
    this.#view = view;
  }

  /** `event` is already known to be fit. */
  event(event: string): string | undefined {
    if (this.#view.isDeclared(event) || this.#newEvents.has(event)) return event;
    if (!this.#view.hasRoomForEvent(this.#newEvents.size)) return undefined;
    this.#newEvents.add(event);
    return event;
  }

  property(event: string, name: string): string | undefined {
    if (this.#view.isPropertyDeclared(event, name)) return name;
    const property = fitName(name);
    if (property === undefined || this.#view.isPropertyDeclared(event, property)) return property;
    let added = this.#newProperties.get(event);
    if (added?.has(property)) return property;
    if (!this.#view.hasRoomForProperty(event, added?.size ?? 0)) return undefined;
    if (added === undefined) {
      added = new Set();
      this.#newProperties.set(event, added);
    }
    added.add(property);
    return property;
  }

  trait(name: string): string | undefined {
    if (this.#view.isTraitDeclared(name)) return name;
    const trait = fitName(name);
    if (trait === undefined || this.#view.isTraitDeclared(trait) || this.#newTraits.has(trait)) return trait;
    if (!this.#view.hasRoomForTrait(this.#newTraits.size)) return undefined;
    this.#newTraits.add(trait);
    return trait;
  }

  /** What the log must declare before the calls that use it; undefined when nothing is new. */
  declare(atMs: number): DeclareRecord | undefined {
    const events = [...new Set([...this.#newEvents, ...this.#newProperties.keys()])];
    if (events.length === 0 && this.#newTraits.size === 0) return undefined;
    return {
      kind: 'declare',
      atMs,
      events: events.map((event) => ({ event, properties: [...(this.#newProperties.get(event) ?? [])] })),
      traits: [...this.#newTraits],
    };
  }
}

/** `__proto__` is unfit: assigning it to an object would not make a property. */
export function fitName(name: string): string | undefined {
  return name !== '' && name !== '__proto__' && fitsBytes(name, NAME_BYTES_MAX)
    ? wellFormed(name)
    : undefined;
}
