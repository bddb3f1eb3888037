import type { AccountRecord } from '../log/record.ts';
import { decodeRecords, type Section } from '../log/sections.ts';
import { AccountState, type KeyValue } from '../tablet/account.ts';

/**
 * Every account as one thread knows it, reduced from the account sections of the log. All threads hold one and come to
 * the same placement without asking each other.
 */
export class Directory {
  readonly #accounts = new Map<string, AccountEntry>();
  /** SHA-256 of a key, hex → whose it is. */
  readonly #keys = new Map<string, KeyOwner>();
  readonly #threads: number;

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Applies an account section (one without a tablet), and gives its records. */
  apply(section: Section): readonly AccountRecord[] {
    const records = decodeRecords(section.records) as readonly AccountRecord[];
    for (const record of records) this.#applyRecord(section.account, record);
    return records;
  }

  get(account: string): AccountEntry | undefined {
    return this.#accounts.get(account);
  }

  get accounts(): IterableIterator<AccountEntry> {
    return this.#accounts.values();
  }

  keyOf(sha256: string): KeyOwner | undefined {
    return this.#keys.get(sha256);
  }

  /** The thread that owns a tablet. What comes of it by splits stays there. */
  ownerOf({ number, state }: AccountEntry, tablet: string): number {
    const root = tablet.slice(0, Math.log2(state.settings.tablets));
    return (number + (root === '' ? 0 : Number.parseInt(root, 2))) % this.#threads;
  }

  #applyRecord(account: string, record: AccountRecord): void {
    let entry = this.#accounts.get(account);
    if (entry === undefined) {
      entry = { number: this.#accounts.size, state: new AccountState(account) };
      this.#accounts.set(account, entry);
    }
    const before =
      record.kind === 'control' && record.what === 'key' ? entry.state.keys.get(record.name) : undefined;
    entry.state.apply(record);
    if (record.kind !== 'control') return;
    if (record.what === 'key') {
      if (before !== undefined) this.#forgetKey(account, before);
      const key = entry.state.keys.get(record.name);
      if (key !== undefined) this.#keys.set(key.sha256, { account, id: record.name, key });
    }
  }

  /** A key that has moved to another account since stays that one's. */
  #forgetKey(account: string, { sha256 }: KeyValue): void {
    if (this.#keys.get(sha256)?.account === account) this.#keys.delete(sha256);
  }
}

export interface KeyOwner {
  readonly account: string;
  readonly id: string;
  readonly key: KeyValue;
}

export interface AccountEntry {
  /** In the order of creation. */
  readonly number: number;
  readonly state: AccountState;
}
