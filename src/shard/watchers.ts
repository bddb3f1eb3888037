import type { SegmentChange } from '../tablet/effects.ts';
import type { Peer } from './messages.ts';
import type { Shard } from './shard.ts';

/**
 * Who wants to hear of changes of live segments. Owners of tablets tell their own watchers, and those peers that have
 * said someone there watches the account.
 */
export class Watchers {
  readonly #shard: Shard;
  readonly #local = new Map<string, Set<(change: SegmentChange) => void>>();
  /** Account → shards with watchers. */
  readonly #remote = new Map<string, Set<number>>();

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** Until `signal` aborts. */
  watch(account: string, segment: string, tell: (change: SegmentChange) => void, signal: AbortSignal): void {
    const watching = this.#local.get(account) ?? new Set();
    if (watching.size === 0) {
      this.#local.set(account, watching);
      this.#tellPeers({ kind: 'watch', account, watching: true });
    }
    const listener = (change: SegmentChange) => {
      if (change.segment === segment) tell(change);
    };
    watching.add(listener);
    signal.addEventListener(
      'abort',
      () => {
        watching.delete(listener);
        if (watching.size === 0) this.#tellPeers({ kind: 'watch', account, watching: false });
      },
      { once: true },
    );
  }

  announce(account: string, changes: readonly SegmentChange[]): void {
    this.#tellLocal(account, changes);
    for (const shard of this.#remote.get(account) ?? []) {
      this.#shard.postPeer(shard, { kind: 'changed', account, changes });
    }
  }

  receive(message: Peer, from: number): void {
    if (message.kind === 'changed') this.#tellLocal(message.account, message.changes);
    if (message.kind !== 'watch') return;
    const watching = this.#remote.get(message.account) ?? new Set();
    this.#remote.set(message.account, watching);
    if (message.watching) watching.add(from);
    else watching.delete(from);
  }

  #tellLocal(account: string, changes: readonly SegmentChange[]): void {
    for (const listener of this.#local.get(account) ?? []) for (const change of changes) listener(change);
  }

  #tellPeers(message: Peer): void {
    for (let shard = 0; shard < this.#shard.shards; shard++) {
      if (shard !== this.#shard.index) this.#shard.postPeer(shard, message);
    }
  }
}
