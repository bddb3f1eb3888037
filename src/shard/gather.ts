import { sleep } from '../base/clock.ts';
import { MusterError } from '../base/errors.ts';
import type { OperationName, Operations } from '../tablet/operations.ts';
import { epochsAgree, type MergeEpochs } from '../tablet/transfers.ts';
import type { AccountEntry } from './directory.ts';
import type { Failure, Peer, Question, TabletAnswer } from './messages.ts';
import type { Shard } from './shard.ts';

/** Tries to get a whole picture: every tablet answers, and no merge is half done. */
const TRIES_MAX = 7;
/** Before a second try; doubles with every one. Merges under way take about as long as the log takes to sync. */
const PAUSE_MS = 5;
/** A hold outlasts the pause and the try it is for by this much: a try asks its peers before it reads. */
const HOLD_MARGIN_MS = 25;

/**
 * Questions that concern tablets of several shards: scattered to their owners, gathered here (map in the tablets,
 * reduce by whoever asked).
 */
export class Gather {
  readonly #shard: Shard;
  readonly #asked = new Map<number, Asked>();
  readonly #answering = new Map<string, AbortController>();
  #nextId = 1;

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  /** One part per tablet of the account, in the order of their prefixes. Rejects as `whole` does. */
  async ask<K extends OperationName>(question: {
    readonly account: string;
    readonly operation: K;
    readonly args: Operations[K]['args'];
    readonly signal: AbortSignal;
  }): Promise<readonly Operations[K]['part'][]> {
    const { signal, ...rest } = question;
    const answers = await this.whole(async (hold) => {
      const answers = await this.#scatter({ ...rest, tablet: undefined, ...hold }, signal);
      return answers.length === answers[0]?.tablets ? answers : undefined;
    });
    return answers
      .toSorted((a, b) => (a.tablet < b.tablet ? -1 : 1))
      .map(({ part }) => part as Operations[K]['part']);
  }

  /** What one tablet answers; undefined when its owner does not know it, yet or any more. */
  async askOne<K extends OperationName>(question: {
    readonly account: string;
    readonly tablet: string;
    readonly operation: K;
    readonly args: Operations[K]['args'];
    readonly signal: AbortSignal;
    readonly holdMs?: number;
  }): Promise<Answer<K> | undefined> {
    const { signal, ...rest } = question;
    const answers = await this.#scatter(rest, signal);
    return answers.find(({ tablet }) => tablet === question.tablet) as Answer<K> | undefined;
  }

  /** What the tablet answers in which users of this id live. Rejects as `whole` does. */
  async askHome<K extends OperationName>(question: {
    readonly account: string;
    readonly userId: string;
    readonly operation: K;
    readonly args: Operations[K]['args'];
    readonly signal: AbortSignal;
  }): Promise<Answer<K>> {
    const { userId, ...rest } = question;
    const [answer] = await this.whole(async (hold) => {
      const tablet = this.#entry(question.account).state.tree.tabletOf(userId);
      const answer = await this.askOne({ ...rest, tablet, ...hold });
      return answer && ([answer] as const);
    });
    return answer;
  }

  /**
   * Repeats `read` until it gives answers (undefined: some are missing) of tablets that know of the same splits, and in
   * which every merge among them is done or not begun. From the second try on it gets a time to hold back more of
   * either. Rejects with `unavailable`.
   */
  async whole<T extends readonly TabletAnswer[]>(
    read: (hold: { readonly holdMs?: number }) => Promise<T | undefined>,
  ): Promise<T> {
    const { clock } = this.#shard;
    let hold = {};
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const startedMs = clock.monotonicMs();
      const answers = await read(hold);
      if (answers !== undefined && agree(answers)) return answers;
      const pauseMs = PAUSE_MS * 2 ** attempt;
      const tookMs = clock.monotonicMs() - startedMs;
      hold = { holdMs: Math.ceil(2 * tookMs + 2 * pauseMs + HOLD_MARGIN_MS) };
      await sleep(clock, pauseMs);
    }
    const message = 'the tablets do not come to rest: users are being merged, or tablets made';
    throw new MusterError('unavailable', message, { retryAfterSeconds: 1 });
  }

  /** Handles a message of a peer that is about questions. */
  receive(message: Peer, from: number): void {
    switch (message.kind) {
      case 'ask':
        void this.#answerPeer(message.id, message.question, from);
        return;
      case 'answer':
        this.#asked.get(message.id)?.answered(message.tablets);
        return;
      case 'failed':
        this.#asked.get(message.id)?.failed(message.error);
        return;
      case 'cancel':
        this.#answering.get(`${from}.${message.id}`)?.abort(new MusterError('timeout', 'the asker gave up'));
        return;
      default:
    }
  }

  async #answerPeer(id: number, question: Question, from: number): Promise<void> {
    const abort = new AbortController();
    this.#answering.set(`${from}.${id}`, abort);
    try {
      const tablets = await this.#shard.answer(question, abort.signal);
      this.#shard.postPeer(from, { kind: 'answer', id, tablets });
    } catch (error) {
      if (!(error instanceof MusterError)) this.#shard.onFatal(error);
      this.#shard.postPeer(from, { kind: 'failed', id, error: failureOf(error) });
    } finally {
      this.#answering.delete(`${from}.${id}`);
    }
  }

  /** When one shard fails, the others are told to give up. */
  async #scatter(question: Question, asked: AbortSignal): Promise<TabletAnswer[]> {
    asked.throwIfAborted();
    const shards = this.#shardsFor(question);
    const failed = new AbortController();
    const signal = shards.length > 1 ? AbortSignal.any([asked, failed.signal]) : asked;
    const parts = shards.map(
      (shard): Promise<readonly TabletAnswer[]> =>
        shard === this.#shard.index
          ? this.#shard.answer(question, signal)
          : this.#askPeer(shard, question, signal),
    );
    try {
      return (await Promise.all(parts)).flat();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  }

  #shardsFor({ account, tablet }: Question): readonly number[] {
    const entry = this.#entry(account);
    if (tablet !== undefined) return [this.#shard.directory.ownerOf(entry, tablet)];
    const { leaves } = entry.state.tree;
    return [...new Set(leaves.map((leaf) => this.#shard.directory.ownerOf(entry, leaf)))];
  }

  #entry(account: string): AccountEntry {
    const entry = this.#shard.directory.get(account);
    if (entry === undefined) throw new MusterError('not_found', `no account ${account}`);
    return entry;
  }

  #askPeer(shard: number, question: Question, signal: AbortSignal): Promise<readonly TabletAnswer[]> {
    const id = this.#nextId++;
    return new Promise<readonly TabletAnswer[]>((resolve, reject) => {
      const onAbort = () => {
        this.#shard.postPeer(shard, { kind: 'cancel', id });
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#asked.set(id, {
        answered: resolve,
        failed: ({ code, message, ...where }) => reject(new MusterError(code, message, where)),
        done: () => signal.removeEventListener('abort', onAbort),
      });
      this.#shard.postPeer(shard, { kind: 'ask', id, question });
    }).finally(() => {
      this.#asked.get(id)?.done();
      this.#asked.delete(id);
    });
  }
}

export type Answer<K extends OperationName> = TabletAnswer & { readonly part: Operations[K]['part'] };

interface Asked {
  readonly answered: (tablets: readonly TabletAnswer[]) => void;
  readonly failed: (error: Failure) => void;
  readonly done: () => void;
}

/**
 * Whether the answers show each user once. Of a tablet that is not among them nothing is counted, so nothing need agree
 * with it.
 */
function agree(answers: readonly TabletAnswer[]): boolean {
  if (answers.some(({ tablets }) => tablets !== answers[0]!.tablets)) return false;
  const asked = new Set(answers.map(({ tablet }) => tablet));
  const amongAsked = (counters: MergeEpochs['done']) =>
    Object.fromEntries(Object.entries(counters).filter(([neighbour]) => asked.has(neighbour)));
  const epochs = answers.map(({ tablet, epochs: { done, received } }): [string, MergeEpochs] => [
    tablet,
    { done: amongAsked(done), received: amongAsked(received) },
  ]);
  return epochsAgree(new Map(epochs));
}

/** What the asker is told: expected failures as they are, anything else as internal. */
function failureOf(error: unknown): Failure {
  if (error instanceof MusterError) return { ...error.body, retryAfterSeconds: error.retryAfterSeconds };
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}
