import type { TransferContent, TransferRecord } from '../log/record.ts';
import { SetHash, StateHash } from '../store/stateHash.ts';
import { childrenOf, isHome } from './placement.ts';

/**
 * A tablet's side of merges across tablets (decision 2a). Transfers from one tablet to another are numbered from 1, go
 * out in that order and are taken in that order, so one number per neighbour says what has been taken.
 *
 * When either tablet of a pair splits, each child goes on with the parent's numbers: what was taken stays taken, and
 * what was not is numbered anew under the children's names (docs/decisions/0004-tablet-split.md).
 */
export class Transfers {
  /** Per target: transfers not yet known to be taken, oldest first. */
  readonly #pending = new Map<string, TransferRecord[]>();
  readonly #sent = new Map<string, number>();
  readonly #done = new Map<string, number>();
  readonly #received = new Map<string, number>();

  /** Numbers a transfer and keeps it until it is done. */
  send(transfer: {
    readonly atMs: number;
    readonly source: string;
    readonly target: string;
    readonly anonymousId: string;
    readonly userId: string;
    readonly deletions?: number;
    readonly content: TransferContent;
  }): OutgoingTransfer {
    const { target, ...rest } = transfer;
    const sequence = (this.#sent.get(target) ?? 0) + 1;
    this.#sent.set(target, sequence);
    const record: TransferRecord = { kind: 'transfer', ...rest, sequence };
    const pending = this.#pending.get(target);
    if (pending === undefined) this.#pending.set(target, [record]);
    else pending.push(record);
    return { target, record };
  }

  /** The transfer that is done now; undefined when this was known before. */
  done(target: string, sequence: number): TransferRecord | undefined {
    const [oldest] = this.#pending.get(target) ?? [];
    if (oldest?.sequence !== sequence) return undefined;
    this.#pending.get(target)!.shift();
    // Until the last piece the user is still seen here: a query must not find the tablets in agreement.
    if (oldest.content.kind !== 'user' || oldest.content.last) this.#done.set(target, sequence);
    return oldest;
  }

  /** Whether this transfer is new here. A repeated one is not. */
  receive(source: string, sequence: number): boolean {
    if (sequence !== (this.#received.get(source) ?? 0) + 1) return false;
    this.#received.set(source, sequence);
    return true;
  }

  /**
   * A known user is deleted: of what is under way to it only the numbers are left. What is in the log's queue already
   * is for the target to refuse (erasures.ts). Whether there was anything.
   */
  erase(userId: string): boolean {
    let isAny = false;
    for (const records of this.#pending.values()) {
      for (const [i, record] of records.entries()) {
        if (record.userId !== userId || record.content.kind === 'erased') continue;
        records[i] = { ...record, content: { kind: 'erased' } };
        isAny = true;
      }
    }
    return isAny;
  }

  /** What the owner must bring to the log, again after a restart; per target in order. */
  pending(): OutgoingTransfer[] {
    return [...this.pendingBeyond(new Map())];
  }

  /** Those of `pending` that are numbered above what is given for their target. */
  *pendingBeyond(brought: ReadonlyMap<string, number>): Generator<OutgoingTransfer> {
    for (const [target, records] of this.#pending) {
      const first = records[0]?.sequence ?? 0;
      const known = Math.max(0, (brought.get(target) ?? 0) + 1 - first);
      for (let i = known; i < records.length; i++) yield { target, record: records[i]! };
    }
  }

  /** Another tablet has split: what was under way to it goes to its children. Gives what is to be brought again. */
  onSplit(tablet: string): OutgoingTransfer[] {
    const children = childrenOf(tablet);
    const received = this.#received.get(tablet);
    const stream = this.#streamTo(tablet);
    for (const counters of [this.#received, this.#sent, this.#done, this.#pending]) counters.delete(tablet);
    return children.flatMap((target) => {
      if (received !== undefined) this.#received.set(target, received);
      if (stream === undefined) return [];
      return this.#goOn(target, stream, (record) => isHome(target, record.userId));
    });
  }

  /** What `child`, whose these are while new, has of a tablet that splits. */
  inherit(parent: Transfers, child: string): void {
    for (const [source, sequence] of parent.#received) this.#received.set(source, sequence);
    for (const target of parent.#sent.keys()) {
      const renamed = (record: TransferRecord) => ({ ...record, source: child });
      this.#goOn(target, parent.#streamTo(target)!, (record) => isHome(child, record.anonymousId), renamed);
    }
  }

  /** Nothing is to be brought any more: the children do that. */
  end(): void {
    this.#pending.clear();
  }

  /** For queries: two tablets show a merged user once when the target's `received` equals the source's `done`. */
  epochs(): MergeEpochs {
    return { done: Object.fromEntries(this.#done), received: Object.fromEntries(this.#received) };
  }

  #streamTo(target: string): Stream | undefined {
    const sent = this.#sent.get(target);
    if (sent === undefined) return undefined;
    const pending = this.#pending.get(target) ?? [];
    return { pending, taken: sent - pending.length, done: this.#done.get(target) ?? 0 };
  }

  /** Continues with those that are `own` of a stream which has ended. */
  #goOn(
    target: string,
    { pending, taken, done }: Stream,
    isOwn: (record: TransferRecord) => boolean,
    renamed: (record: TransferRecord) => TransferRecord = (record) => record,
  ): OutgoingTransfer[] {
    const own = pending.filter(isOwn);
    // At most one user is taken by half: the one whose next piece is the oldest that is pending.
    const isHalfTaken = done < taken && isOwn(pending[0]!);
    const records = own.map((record, i) => ({ ...renamed(record), sequence: taken + 1 + i }));
    this.#sent.set(target, taken + records.length);
    this.#done.set(target, isHalfTaken ? done : taken);
    this.#pending.set(target, records);
    return records.map((record) => ({ target, record }));
  }

  hashInto(hash: StateHash): void {
    const member = new StateHash();
    for (const counters of [this.#sent, this.#done, this.#received]) {
      const members = new SetHash();
      for (const [neighbour, sequence] of counters) members.add(member.text(neighbour).number(sequence));
      hash.set(members);
    }
    for (const { target, record } of this.pending()) hash.text(target).text(JSON.stringify(record));
  }
}

/** What has come of the transfers to one target. */
interface Stream {
  /** The oldest first. */
  readonly pending: readonly TransferRecord[];
  /** How many the target has. */
  readonly taken: number;
  /** The last one after which no user was taken by half. */
  readonly done: number;
}

export interface OutgoingTransfer {
  readonly target: string;
  readonly record: TransferRecord;
}

export interface MergeEpochs {
  readonly done: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
}

/** Whether what these tablets (by prefix bits) answered shows every merged user exactly once. */
export function epochsAgree(tablets: ReadonlyMap<string, MergeEpochs>): boolean {
  for (const [source, { done }] of tablets) {
    for (const [target, sequence] of Object.entries(done)) {
      if ((tablets.get(target)?.received[source] ?? 0) !== sequence) return false;
    }
  }
  for (const [target, { received }] of tablets) {
    for (const [source, sequence] of Object.entries(received)) {
      if ((tablets.get(source)?.done[target] ?? 0) !== sequence) return false;
    }
  }
  return true;
}
