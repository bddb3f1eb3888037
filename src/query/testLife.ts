import { HOUR_MS } from '../base/limits.ts';
import type { SeededRandom } from '../base/random.ts';
import type { Value } from '../base/value.ts';
import { EventStore, type StoreJobOptions } from '../store/events.ts';
import { Profiles } from '../store/profiles/profiles.ts';
import { Schema } from '../store/schema.ts';
import { Users } from '../store/users.ts';
import type { AccountSettings, TabletView } from '../store/view.ts';
import type { OracleEvent, OracleUser } from './oracle.ts';
import { run } from './testStore.ts';

/** What happened, drawn by chance. */
export interface LifeOptions {
  readonly atMs: number;
  readonly settings: AccountSettings;
  readonly saved: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  values(): Readonly<Record<string, Value>>;
}

interface ModelUser {
  readonly id: string;
  readonly known: boolean;
  /** Of users merged into this one, the earlier merge first. */
  readonly mergedEvents: OracleEvent[];
  readonly ownEvents: OracleEvent[];
  traits: Record<string, Value>;
}

const USERS = 12;

/**
 * A tablet that has lived: in the real store, in blocks, waiting heads and a head, with late events, users merged while
 * others go on, users who left or were deleted, and beside it the same as plain lists for the oracle.
 */
export class TestLife {
  readonly view: TabletView;
  readonly #random: SeededRandom;
  readonly #options: LifeOptions;
  readonly #users = new Users();
  readonly #profiles = new Profiles();
  readonly #schema = new Schema();
  readonly #events = new EventStore({ headRowsMax: 12, chunkRows: 256, windowRowsMax: 40 });
  /** By ordinal. */
  readonly #model = new Map<number, ModelUser>();

  constructor(random: SeededRandom, options: LifeOptions) {
    this.#random = random;
    this.#options = options;
    this.view = {
      ...{ users: this.#users, profiles: this.#profiles, schema: this.#schema, events: this.#events },
      settings: options.settings,
      clockMs: options.atMs,
      savedSegment: (name) => options.saved[name],
    };
  }

  live(steps: number): this {
    for (let step = 0; step < steps; step++) {
      const action = this.#random.below(100);
      if (action < 85) this.#event();
      else if (action < 93) this.#traits();
      else if (action < 95) this.#merge();
      else if (action < 97) this.#leave();
      else run(this.#events.writeSteps(this.#jobOptions()));
    }
    return this;
  }

  oracleUsers(): OracleUser[] {
    return [...this.#model.values()].map(({ id, mergedEvents, ownEvents, traits }) => ({
      id,
      events: [...mergedEvents, ...ownEvents],
      traits,
    }));
  }

  /** The canonical ordinal of some user, who is one from now on. */
  #someone(): number {
    const i = this.#random.below(USERS);
    const ref = { known: i >= USERS / 2, id: `user ${i}` };
    const ordinal = this.#users.ensure(ref);
    if (!this.#model.has(ordinal)) {
      this.#model.set(ordinal, { ...ref, mergedEvents: [], ownEvents: [], traits: {} });
    }
    return ordinal;
  }

  #event(): void {
    const ordinal = this.#someone();
    const event = this.#random.pick(this.#options.events);
    const properties = this.#options.values();
    // Few different times, so that users have several events at one.
    const timeMs = this.#options.atMs + (this.#random.below(40) - 36) * 2.5 * HOUR_MS + this.#random.below(2);
    this.#schema.declare({ events: [{ event, properties: Object.keys(properties) }], traits: [] });
    const values = Object.entries(properties).map(
      ([name, value]) => [this.#schema.propertyCode(name)!, value] as const,
    );
    this.#users.noteEvent(ordinal, timeMs);
    if (this.#events.isBehind) run(this.#events.writeSteps(this.#jobOptions()));
    this.#events.append(ordinal, this.#schema.eventCode(event)!, timeMs, values);
    this.#model.get(ordinal)!.ownEvents.push({ event, timeMs, properties });
  }

  #traits(): void {
    const ordinal = this.#someone();
    const values = this.#options.values();
    for (const [trait, value] of Object.entries(values)) {
      this.#profiles.apply(ordinal, { op: 'set', trait, value }, 0);
      this.#model.get(ordinal)!.traits[trait] = value;
    }
  }

  #merge(): void {
    const [source, target] = [this.#someone(), this.#someone()];
    const [from, to] = [this.#model.get(source)!, this.#model.get(target)!];
    if (from.known || !to.known) return;
    this.#users.merge(source, target);
    const extracted = this.#profiles.extract(source);
    if (extracted !== undefined) this.#profiles.mergeFrom(extracted, target);
    this.#profiles.drop(source);
    to.mergedEvents.push(...from.mergedEvents, ...from.ownEvents);
    to.traits = { ...from.traits, ...to.traits };
    this.#model.delete(source);
  }

  /** For another tablet, or for good. */
  #leave(): void {
    const ordinal = this.#someone();
    if (this.#random.chance(0.5)) run(this.#users.erase(ordinal));
    else this.#users.drop(ordinal);
    this.#events.usersLeft(this.#users.goneCount);
    this.#profiles.drop(ordinal);
    this.#model.delete(ordinal);
  }

  #jobOptions(): StoreJobOptions {
    return {
      quiet: false,
      gone: this.#users.goneCount,
      goneDue: this.#random.chance(0.5) ? this.#users.goneCount : 0,
      merged: this.#users.merges.count,
      users: this.#users.count,
      retentionMs: this.#options.settings.retentionMs,
      goneOrdinals: () => this.#users.goneOrdinals(),
      merges: () => this.#users.merges.list(),
    };
  }
}
