import type { DeclareRecord } from '../log/record.ts';
import type { CollectingView } from './accepted.ts';

/** An account's schema for tests: what is declared so far, and how many names it may hold. */
export class TestView implements CollectingView {
  readonly retentionMs?: number;
  readonly #limits: { readonly events: number; readonly properties: number; readonly traits: number };
  readonly #properties = new Map<string, Set<string>>();
  readonly #traits = new Set<string>();

  constructor(options: { retentionMs?: number; events?: number; properties?: number; traits?: number } = {}) {
    if (options.retentionMs !== undefined) this.retentionMs = options.retentionMs;
    this.#limits = { events: 512, properties: 256, traits: 512, ...options };
  }

  apply(declare: DeclareRecord | undefined): void {
    for (const { event, properties } of declare?.events ?? []) {
      this.#properties.set(event, new Set([...(this.#properties.get(event) ?? []), ...properties]));
    }
    for (const trait of declare?.traits ?? []) this.#traits.add(trait);
  }

  isDeclared(event: string): boolean {
    return this.#properties.has(event);
  }

  isPropertyDeclared(event: string, property: string): boolean {
    return this.#properties.get(event)?.has(property) ?? false;
  }

  isTraitDeclared(trait: string): boolean {
    return this.#traits.has(trait);
  }

  hasRoomForEvent(pending: number): boolean {
    return this.#properties.size + pending < this.#limits.events;
  }

  hasRoomForProperty(event: string, pending: number): boolean {
    return (this.#properties.get(event)?.size ?? 0) + pending < this.#limits.properties;
  }

  hasRoomForTrait(pending: number): boolean {
    return this.#traits.size + pending < this.#limits.traits;
  }
}
