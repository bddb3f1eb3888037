import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { realClock } from '../../../src/base/clock.ts';
import { initHash } from '../../../src/base/hash.ts';
import { TABLET_USERS_MAX } from '../../../src/base/limits.ts';
import { Slicer } from '../../../src/shard/slicer.ts';
import type { Member, OperationName, Operations } from '../../../src/tablet/operations.ts';
import { PrefixTree } from '../../../src/tablet/placement.ts';
import { sessionUserId } from '../../loadedEvents.ts';
import { type SessionOptions, sessionColumns } from '../../sessions.ts';
import { AT_MS } from './dialect.ts';
import type { Engine, Way } from './engine.ts';
import type { MusterAnswer, MusterAsk, MusterThreadPlan, MusterThreadStarted } from './musterThread.ts';
import { isLeftOut, type Muster, type Question } from './question.ts';

/** The prefix of none. */
const NO_TABLET = '-';

interface Waiting {
  readonly resolve: (parts: readonly { readonly tablet: string; readonly part: unknown }[]) => void;
  readonly reject: (error: Error) => void;
}

/** Muster's tablets in worker threads, as many as given, each with its share of the sessions. */
export class MusterEngine implements Engine, Muster {
  readonly name = 'Muster';
  readonly started: MusterThreadStarted;
  readonly #workers: readonly Worker[];
  readonly #tree: PrefixTree;
  readonly #waiting = new Map<number, Waiting>();
  readonly #slicer = new Slicer(realClock);
  #nextId = 1;

  /** `program` runs `runMusterThread` in a worker. */
  static async start(program: URL, options: SessionOptions, threads: number): Promise<MusterEngine> {
    await initHash();
    const columns = sessionColumns(options);
    // As many as an account of so many users has come to by splits.
    const tablets = 2 ** Math.ceil(Math.log2(Math.max(threads, options.users / TABLET_USERS_MAX)));
    const workers = Array.from({ length: threads }, (_, index) => {
      const plan: MusterThreadPlan = { columns, tablets, threads, index };
      return new Worker(program, { workerData: plan });
    });
    const started = await Promise.all(workers.map((worker) => once(worker, 'message')));
    return new MusterEngine(
      workers,
      tablets,
      started.map(([each]) => each as MusterThreadStarted),
    );
  }

  private constructor(workers: readonly Worker[], tablets: number, started: readonly MusterThreadStarted[]) {
    this.#workers = workers;
    this.#tree = PrefixTree.even(tablets);
    this.started = {
      events: started.reduce((sum, { events }) => sum + events, 0),
      bytes: started.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    for (const worker of workers) worker.on('message', (answer: MusterAnswer) => this.#answered(answer));
  }

  ways(question: Question): readonly Way[] | string {
    const { muster } = question;
    if (isLeftOut(muster)) return muster.leftOut;
    const ask = (user: number) => muster.ask(this, sessionUserId(user));
    const askNothing = async (user: number) => {
      await this.#ask(this.#home(sessionUserId(user)).worker, NO_TABLET, 'timeline', undefined);
    };
    return [{ layout: 'tablets', form: '', ask, askNothing }];
  }

  members({ members }: Question): Promise<readonly number[]> | undefined {
    return members && this.#members(members.definition);
  }

  async all<K extends OperationName>(
    operation: K,
    args: Operations[K]['args'],
  ): Promise<Operations[K]['part'][]> {
    const answers = await Promise.all(
      this.#workers.map((worker) => this.#ask(worker, undefined, operation, args)),
    );
    return answers
      .flat()
      .toSorted((a, b) => (a.tablet < b.tablet ? -1 : 1))
      .map(({ part }) => part as Operations[K]['part']);
  }

  async home<K extends OperationName>(
    userId: string,
    operation: K,
    args: Operations[K]['args'],
  ): Promise<Operations[K]['part']> {
    const { worker, tablet } = this.#home(userId);
    const [answer] = await this.#ask(worker, tablet, operation, args);
    return answer!.part as Operations[K]['part'];
  }

  steps<T>(steps: Generator<void, T>): Promise<T> {
    return this.#slicer.run(steps);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #home(userId: string): { readonly worker: Worker; readonly tablet: string } {
    const tablet = this.#tree.tabletOf(userId);
    return { worker: this.#workers[this.#tree.leaves.indexOf(tablet) % this.#workers.length]!, tablet };
  }

  async #members(segment: unknown): Promise<readonly number[]> {
    const limit = Number.MAX_SAFE_INTEGER;
    const args = { segment, atMs: AT_MS, nowMs: AT_MS, from: 0, limit, traits: undefined };
    const parts = await this.all('members', args);
    const members = parts.flatMap(({ pages }) => pages.flatMap((page) => JSON.parse(page) as Member[]));
    return members.map(({ id }) => Number(id.slice(1)));
  }

  #ask(worker: Worker, tablet: string | undefined, operation: OperationName, args: unknown) {
    const id = this.#nextId++;
    return new Promise<readonly { readonly tablet: string; readonly part: unknown }[]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const ask: MusterAsk = { id, tablet, operation, args };
      worker.postMessage(ask);
    });
  }

  #answered(answer: MusterAnswer): void {
    const { resolve, reject } = this.#waiting.get(answer.id)!;
    this.#waiting.delete(answer.id);
    if ('parts' in answer) resolve(answer.parts);
    else reject(new Error(answer.error));
  }
}
