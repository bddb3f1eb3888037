import { MusterError } from '../base/errors.ts';
import { QUERIES_RUNNING_MAX, QUERIES_WAITING_MAX } from '../base/limits.ts';

interface Queue {
  running: number;
  /** The oldest first; each starts its query. */
  readonly waiting: Set<() => void>;
}

/**
 * How many queries of one account this thread works on at once; more wait in the order they came. An account that asks
 * for more than that is `rate_limited` rather than `unavailable`: the host is well, and other accounts are not affected.
 */
export class Admission {
  readonly #queues = new Map<string, Queue>();

  /** Rejects with `rate_limited` when too many wait, and with the signal's reason when that comes first. */
  async run<T>(account: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const queue = this.#queueOf(account);
    if (queue.running < QUERIES_RUNNING_MAX) queue.running++;
    else await turnIn(queue, account, signal);
    try {
      return await work();
    } finally {
      const [next] = queue.waiting;
      if (next !== undefined) {
        queue.waiting.delete(next);
        next();
      } else if (--queue.running === 0) this.#queues.delete(account);
    }
  }

  #queueOf(account: string): Queue {
    let queue = this.#queues.get(account);
    if (queue === undefined) {
      queue = { running: 0, waiting: new Set() };
      this.#queues.set(account, queue);
    }
    return queue;
  }
}

/** Resolves when one that runs has ended and left its place to this one. */
function turnIn({ waiting }: Queue, account: string, signal: AbortSignal): Promise<void> {
  if (waiting.size >= QUERIES_WAITING_MAX) {
    const message = `${QUERIES_RUNNING_MAX + waiting.size} queries of account ${account} are under way`;
    throw new MusterError('rate_limited', message, { retryAfterSeconds: 1 });
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      waiting.delete(start);
      reject(signal.reason);
    };
    const start = () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    waiting.add(start);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
