import type { Value } from '../base/value.ts';
import type { UserRef } from '../log/record.ts';
import type { OracleUser } from '../query/oracle.ts';
import { parseSegment } from '../query/parse.ts';
import { type TestEvent, testView } from '../query/testView.ts';
import type { AccountSettings, TabletView } from '../store/view.ts';
import { LiveSegments } from './liveSegments.ts';

const ROWS_PER_PART = 16;

/** A tablet for tests of live segments: plain lists that change, and the segments told of every change. */
export class TestTablet implements TabletView {
  clockMs: number;
  readonly settings: AccountSettings;
  readonly refs: UserRef[];
  readonly rows: TestEvent[] = [];
  readonly traits = new Map<number, Record<string, Value>>();
  readonly merges: [number, number][] = [];
  readonly saved: Record<string, unknown> = {};
  readonly live: LiveSegments;
  #view: TabletView | undefined;

  constructor(options: { clockMs: number; settings: AccountSettings; users: readonly UserRef[] }) {
    this.clockMs = options.clockMs;
    this.settings = options.settings;
    this.refs = [...options.users];
    this.live = new LiveSegments(this);
    this.live.advance(this.clockMs);
  }

  get users() {
    return this.#current().users;
  }

  get schema() {
    return this.#current().schema;
  }

  get profiles() {
    return this.#current().profiles;
  }

  get events() {
    return this.#current().events;
  }

  savedSegment(name: string): unknown {
    return this.saved[name];
  }

  event(ordinal: number, event: string, timeMs: number, properties: Record<string, Value> = {}): void {
    this.rows.push({ ordinal, event, timeMs, properties });
    this.#view = undefined;
    const { schema, users } = this.#current();
    const value = (code: number) => properties[schema.propertyName(code)];
    this.live.onEvent(users.canonical[ordinal]!, schema.eventCode(event)!, timeMs, value, this.clockMs);
  }

  setTraits(ordinal: number, traits: Record<string, Value>): void {
    const canonical = this.users.canonical[ordinal]!;
    this.traits.set(canonical, traits);
    this.live.onTraits(canonical, this.clockMs);
  }

  merge(source: number, target: number): void {
    this.merges.push([source, target]);
    this.traits.set(target, { ...this.traits.get(source), ...this.traits.get(target) });
    this.traits.delete(source);
    this.#view = undefined;
    this.live.onMerge(source, target, this.clockMs);
  }

  save(name: string, definition: unknown): void {
    this.saved[name] = definition;
    finish(this.live.save(name, parseSegment(definition), this.clockMs));
    finish(this.live.onSavedSegment(name, this.clockMs));
  }

  advance(clockMs: number): void {
    this.clockMs = clockMs;
    this.live.advance(clockMs);
  }

  /** Ids of a live segment's members, sorted. */
  members(name: string): string[] {
    return [...this.live.members(name)].map((ordinal) => this.refs[ordinal]!.id).sort();
  }

  oracleUsers(): OracleUser[] {
    const { canonical } = this.users;
    return this.refs.flatMap(({ id }, ordinal) => {
      if (canonical[ordinal] !== ordinal) return [];
      const ordinals = [...this.users.mergedInto(ordinal), ordinal];
      const events = ordinals.flatMap((own) => this.rows.filter((row) => row.ordinal === own));
      return [{ id, events, traits: this.traits.get(ordinal) ?? {} }];
    });
  }

  #current(): TabletView {
    const parts: TestEvent[][] = [];
    for (let at = 0; at < this.rows.length; at += ROWS_PER_PART)
      parts.push(this.rows.slice(at, at + ROWS_PER_PART));
    this.#view ??= testView({ users: this.refs, merges: this.merges, traits: this.traits, parts });
    return this.#view;
  }
}

function finish(steps: Generator<void>): void {
  while (steps.next().done !== true);
}
