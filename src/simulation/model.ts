import type { Value } from '../base/value.ts';
import type { LogEntry } from '../log/log.ts';
import type { EventCall, LogRecord, OutcomeRecord, TraitsCall, UserRef } from '../log/record.ts';
import { decodeRecords, decodeSections } from '../log/sections.ts';

/**
 * The naive reading of one account's log: plain objects, nothing shared with the tablets, no transfers (they only
 * follow from what is here). What the tablets answer is held against it.
 */
export class Model {
  readonly users = new Map<string, ModelUser>();
  /** Anonymous id → the known user's id. */
  readonly #owners = new Map<string, string>();
  readonly #messageIds = new Set<string>();
  /** How each message ended, by its id. */
  readonly outcomes = new Map<string, OutcomeRecord['result']['kind']>();

  readonly #account: string;
  readonly #erasedMessages: ReadonlySet<string>;

  /** `erasedMessages`: their users were deleted before they had an outcome. May grow while the log is read. */
  constructor(account: string, log: readonly LogEntry[], erasedMessages: ReadonlySet<string>) {
    this.#account = account;
    this.#erasedMessages = erasedMessages;
    for (const entry of log) this.read(entry);
  }

  /** The log goes on. */
  read({ frame }: LogEntry): void {
    for (const section of decodeSections(frame)) {
      if (section.account !== this.#account) continue;
      for (const record of decodeRecords(section.records)) this.#record(record);
    }
  }

  /** All ids and events of whom a deletion of this user takes; undefined when that is nobody. */
  personOf(user: UserRef): { readonly ids: UserRef[]; readonly events: readonly ModelEvent[] } | undefined {
    const owned = [...this.#owners].flatMap(([id, owner]) => (user.known && owner === user.id ? [id] : []));
    const found = this.users.get(`${user.known ? 'known' : 'anonymous'} ${user.id}`);
    if (found === undefined && owned.length === 0) return undefined;
    const ids = [user, ...owned.map((id) => ({ known: false, id }))];
    return { ids, events: found?.events ?? [] };
  }

  /** Whether the id stands for someone with an event or a trait. */
  has(user: UserRef): boolean {
    const found = this.users.get(this.#keyOf(user));
    return found !== undefined && (found.events.length > 0 || found.traits.size > 0);
  }

  #record(record: LogRecord): void {
    if (record.kind === 'delete') this.#delete(record.user);
    if (record.kind === 'outcome') {
      const { result, messageId, user, atMs } = record;
      if (result.kind === 'retry' || this.outcomes.has(messageId)) return;
      this.outcomes.set(messageId, result.kind);
      if (this.#erasedMessages.has(messageId)) return;
      const names = { sent: 'Message Sent', failed: 'Message Failed', skipped: 'Message Skipped' };
      this.#user(user).events.push({ event: names[result.kind], timeMs: atMs, properties: { messageId } });
    }
    if (record.kind !== 'calls') return;
    for (const call of record.calls) {
      if (call.messageId !== undefined) {
        if (this.#messageIds.has(call.messageId)) continue;
        this.#messageIds.add(call.messageId);
      }
      if (call.kind === 'alias') this.#alias(call.anonymousId, call.userId);
      else if (call.kind === 'event') this.#event(call);
      else this.#traits(call);
    }
  }

  #event({ user, event, timeMs, properties }: EventCall): void {
    this.#user(user).events.push({ event, timeMs, properties });
  }

  /** The simulated workload only sets traits; the rules of their operations have tests of their own. */
  #traits({ user, timeMs, operations }: TraitsCall): void {
    const { traits } = this.#user(user);
    for (const operation of operations) {
      if (operation.op !== 'set') throw new Error(`the model knows no ${operation.op}`);
      const before = traits.get(operation.trait);
      if (before === undefined || before.timeMs <= timeMs) {
        traits.set(operation.trait, { value: operation.value, timeMs });
      }
    }
  }

  #alias(anonymousId: string, userId: string): void {
    if (this.#owners.has(anonymousId)) return;
    const anonymous = this.users.get(`anonymous ${anonymousId}`);
    this.users.delete(`anonymous ${anonymousId}`);
    this.#owners.set(anonymousId, userId);
    const known = this.#user({ known: true, id: userId });
    if (anonymous === undefined) return;
    known.events.push(...anonymous.events);
    for (const [trait, state] of anonymous.traits)
      if (!known.traits.has(trait)) known.traits.set(trait, state);
  }

  /** Of an anonymous id that belongs to someone nothing is deleted. */
  #delete(user: UserRef): void {
    this.users.delete(`${user.known ? 'known' : 'anonymous'} ${user.id}`);
    for (const [id, owner] of this.#owners) if (user.known && owner === user.id) this.#owners.delete(id);
  }

  #keyOf({ known, id }: UserRef): string {
    const owner = known ? id : this.#owners.get(id);
    return owner === undefined ? `anonymous ${id}` : `known ${owner}`;
  }

  #user(ref: UserRef): ModelUser {
    const key = this.#keyOf(ref);
    let user = this.users.get(key);
    if (user === undefined) {
      const known = key.startsWith('known ');
      user = { known, id: key.slice(key.indexOf(' ') + 1), events: [], traits: new Map() };
      this.users.set(key, user);
    }
    return user;
  }
}

export interface ModelUser {
  readonly known: boolean;
  readonly id: string;
  /** In order of arrival. */
  readonly events: ModelEvent[];
  readonly traits: Map<string, { readonly value: Value; readonly timeMs: number }>;
}

export interface ModelEvent {
  readonly event: string;
  readonly timeMs: number;
  readonly properties: Readonly<Record<string, Value>>;
}
