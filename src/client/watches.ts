import type { MusterError } from '../base/errors.ts';
import type { SegmentChange } from './types.ts';

export interface Watch {
  /** Resolves when the watch has ended: with nothing when it was aborted, else with the reason. */
  readonly ended: Promise<MusterError | undefined>;
}

interface Watcher {
  readonly onChange: (change: SegmentChange) => void;
  /** Only the first call counts. */
  readonly end: (error?: MusterError) => void;
}

/** Who wants to hear of which live segment. The server is asked once a segment and connection. */
export class Watches {
  readonly #ask: (name: string) => Promise<unknown>;
  readonly #watchers = new Map<string, Set<Watcher>>();
  /** Of the current connection; the server ends them with it and not before. */
  readonly #subscriptions = new Map<string, Promise<unknown>>();

  constructor(ask: (name: string) => Promise<unknown>) {
    this.#ask = ask;
  }

  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** Resolves once the server has agreed. */
  async add(name: string, onChange: Watcher['onChange'], signal: AbortSignal | undefined): Promise<Watch> {
    let end: Watcher['end'] = () => {};
    const ended = new Promise<MusterError | undefined>((resolve) => {
      end = resolve;
    });
    const watcher = { onChange, end };
    this.#watchers.set(name, (this.#watchers.get(name) ?? new Set()).add(watcher));
    const remove = () => {
      const watchers = this.#watchers.get(name);
      if (watchers?.delete(watcher) && watchers.size === 0) this.#watchers.delete(name);
      end();
    };
    signal?.addEventListener('abort', remove, { once: true });
    void ended.then(() => signal?.removeEventListener('abort', remove));
    try {
      await this.#subscribe(name);
    } catch (error) {
      remove();
      throw error;
    }
    return { ended };
  }

  tell(change: SegmentChange): void {
    for (const { onChange } of this.#watchers.get(change.name) ?? []) onChange(change);
  }

  lost(): void {
    this.#subscriptions.clear();
  }

  /** On a new connection. A watch that the server now refuses has ended, and its watchers are told. */
  restore(): void {
    for (const name of this.#watchers.keys()) this.#subscribe(name).catch(() => {});
  }

  end(error: MusterError): void {
    for (const name of [...this.#watchers.keys()]) this.#endAll(name, error);
  }

  #subscribe(name: string): Promise<unknown> {
    const current = this.#subscriptions.get(name);
    if (current !== undefined) return current;
    const subscription = this.#ask(name).catch((error: MusterError) => {
      // Else the connection was lost, and the next one restores.
      if (this.#subscriptions.get(name) === subscription) this.#endAll(name, error);
      throw error;
    });
    this.#subscriptions.set(name, subscription);
    return subscription;
  }

  #endAll(name: string, error: MusterError): void {
    for (const { end } of this.#watchers.get(name) ?? []) end(error);
    this.#watchers.delete(name);
    this.#subscriptions.delete(name);
  }
}
