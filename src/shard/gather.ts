import type { ErrorBody } from '../base/errors.ts';
import { MusterError } from '../base/errors.ts';
import type { OperationName, Operations } from '../tablet/operations.ts';
import { epochsAgree } from '../tablet/transfers.ts';
import type { Peer, Question, TabletAnswer } from './messages.ts';
import type { Shard } from './shard.ts';

/** Tries to get a picture in which no merge is half done; each holds new merges back for longer. */
const TRIES_MAX = 6;

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

  /** One part per tablet of the account, in the order of their prefixes. */
  async ask<K extends OperationName>(question: {
    readonly account: string;
    readonly operation: K;
    readonly args: Operations[K]['args'];
    readonly signal: AbortSignal;
  }): Promise<readonly Operations[K]['part'][]> {
    const { account, operation, args, signal } = question;
    for (let attempt = 0; ; attempt++) {
      const holdTransfersMs = 25 * attempt;
      const answers = await this.#scatter(
        { account, tablet: undefined, operation, args, ...(attempt > 0 ? { holdTransfersMs } : {}) },
        signal,
      );
      const epochs = new Map(answers.map(({ tablet, epochs }) => [tablet, epochs]));
      if (attempt === TRIES_MAX || epochsAgree(epochs)) {
        answers.sort((a, b) => (a.tablet < b.tablet ? -1 : 1));
        return answers.map(({ part }) => part as Operations[K]['part']);
      }
    }
  }

  /** The part of one tablet. */
  async askOne<K extends OperationName>(question: {
    readonly account: string;
    readonly tablet: string;
    readonly operation: K;
    readonly args: Operations[K]['args'];
    readonly signal: AbortSignal;
  }): Promise<Operations[K]['part']> {
    const { signal, ...rest } = question;
    const [answer] = await this.#scatter(rest, signal);
    return answer!.part as Operations[K]['part'];
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
      this.#shard.postPeer(from, { kind: 'failed', id, error: errorBodyOf(error) });
    } finally {
      this.#answering.delete(`${from}.${id}`);
    }
  }

  async #scatter(question: Question, signal: AbortSignal): Promise<TabletAnswer[]> {
    signal.throwIfAborted();
    const shards = this.#shardsFor(question);
    const remote = shards.filter((shard) => shard !== this.#shard.index);
    const parts = remote.map((shard) => this.#askPeer(shard, question, signal));
    if (remote.length < shards.length) parts.push(this.#shard.answer(question, signal));
    return (await Promise.all(parts)).flat();
  }

  #shardsFor({ account, tablet }: Question): readonly number[] {
    const entry = this.#shard.directory.get(account);
    if (entry === undefined) throw new MusterError('not_found', `no account ${account}`);
    if (tablet !== undefined) return [this.#shard.directory.ownerOf(entry, tablet)];
    return [...new Set(entry.tree.leaves.map((leaf) => this.#shard.directory.ownerOf(entry, leaf)))];
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
        failed: ({ code, message, path }) =>
          reject(new MusterError(code, message, path === undefined ? {} : { path })),
        done: () => signal.removeEventListener('abort', onAbort),
      });
      this.#shard.postPeer(shard, { kind: 'ask', id, question });
    }).finally(() => {
      this.#asked.get(id)?.done();
      this.#asked.delete(id);
    });
  }
}

interface Asked {
  readonly answered: (tablets: readonly TabletAnswer[]) => void;
  readonly failed: (error: ErrorBody) => void;
  readonly done: () => void;
}

/** What may be told to the asker: expected failures as they are, anything else as internal. */
export function errorBodyOf(error: unknown): ErrorBody {
  if (error instanceof MusterError) return error.body;
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}
