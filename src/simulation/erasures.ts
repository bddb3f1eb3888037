import { messageIdOf } from '../delivery/message.ts';
import type { LogEntry } from '../log/log.ts';
import type { DeleteRecord, UserRef } from '../log/record.ts';
import type { Tablet } from '../tablet/tablet.ts';
import { fail } from './failures.ts';
import { Model } from './model.ts';
import { Replica, type ReplicaChange } from './replica.ts';

/** What deletions have taken of one account: none of it is to be seen again. */
export interface Erased {
  /** Of events. */
  readonly serials: Set<number>;
  /** Ids of messages that had no outcome: it says nothing any more. */
  readonly messages: Set<string>;
  /**
   * Ids of messages that came twice: a user who was deleted, came again and entered a segment at the same moment of the
   * tablet's clock, which stands still when the host's goes back.
   */
  readonly again: Set<string>;
  /** Everyone who was deleted, by every id. */
  readonly users: UserRef[];
  /** Deletions that found someone. */
  count: number;
}

interface AccountErasures {
  readonly erased: Erased;
  readonly model: Model;
  /** Ids of messages for those who entered a segment. */
  readonly welcomes: Set<string>;
}

/** Reads a log beside a replica of it and keeps what each deletion is to take: events by the model, messages as they are. */
export class Erasures {
  readonly #of = new Map<string, AccountErasures>();

  constructor(accounts: Iterable<string>) {
    for (const account of accounts) {
      const [serials, messages, again] = [new Set<number>(), new Set<string>(), new Set<string>()];
      const erased = { serials, messages, again, users: [], count: 0 };
      this.#of.set(account, { erased, model: new Model(account, [], messages), welcomes: new Set() });
    }
  }

  /** Of a whole log. */
  static read(accounts: readonly string[], log: readonly LogEntry[]): Erasures {
    const erasures = new Erasures(accounts);
    const replica = new Replica((...deletion) => erasures.note(...deletion));
    for (const entry of log) {
      erasures.read(entry, replica.apply(entry));
    }
    return erasures;
  }

  of(account: string): Erased {
    return this.#of.get(account)!.erased;
  }

  /** The replica is about to apply this. */
  note(account: string, { user }: DeleteRecord, tablets: readonly Tablet[]): void {
    const { erased, model } = this.#of.get(account)!;
    const person = model.personOf(user);
    if (person === undefined) return;
    erased.count++;
    erased.users.push(...person.ids);
    for (const { properties } of person.events)
      if (properties.serial !== undefined) erased.serials.add(properties.serial as number);
    const isOne = (ref: UserRef) => person.ids.some(({ known, id }) => known === ref.known && id === ref.id);
    for (const { outbox, transfers } of tablets) {
      for (const { messageId, user } of outbox.messages()) if (isOne(user)) erased.messages.add(messageId);
      for (const { record } of transfers.pending())
        if (isOne({ known: true, id: record.userId }))
          for (const id of messagesIn(record.content)) erased.messages.add(id);
    }
  }

  /** The replica has applied this. */
  read(entry: LogEntry, changes: readonly ReplicaChange[]): void {
    for (const { model } of this.#of.values()) model.read(entry);
    for (const { account, segment, change, user, atMs } of changes) {
      const { welcomes, erased } = this.#of.get(account)!;
      const id = messageIdOf(account, 'welcome', user, JSON.stringify([segment, change, atMs]));
      if (welcomes.has(id)) erased.again.add(id);
      welcomes.add(id);
    }
  }

  /** Invariant 13: nothing that was erased is among these serials, nor among the tablets' messages. */
  check(account: string, visible: ReadonlyMap<number, number>, tablets: readonly Tablet[]): void {
    const { serials, messages, again } = this.of(account);
    for (const serial of serials)
      if (visible.has(serial)) fail(`event ${serial} is visible, and its user was deleted`);
    for (const { outbox, transfers, account: of } of tablets) {
      if (of.name !== account) continue;
      const kept = [...outbox.messages()].map(({ messageId }) => messageId);
      const moving = transfers.pending().flatMap(({ record }) => messagesIn(record.content));
      const found = [...kept, ...moving].find((id) => messages.has(id) && !again.has(id));
      if (found !== undefined) fail(`message ${found} is there, and its user was deleted`);
    }
  }
}

function messagesIn(content: object): string[] {
  const { outbox = [] } = content as { outbox?: readonly { readonly messageId: string }[] };
  return outbox.map(({ messageId }) => messageId);
}
