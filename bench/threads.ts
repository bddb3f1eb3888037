import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { initHash } from '../src/base/hash.ts';
import type { Definition } from '../src/client/types.ts';
import { type LargeAnswer, type LargeLoaded, type LargePlan, LargeThread } from './largeThread.ts';
import { Load, type LoadOrder, type LoadPlan, type LoadResult } from './load.ts';
import { type Answer, LoadedTablet, type Loading, type TabletPlan } from './loadedTablet.ts';

/** The threads beside the bench's own: what each is started with, is asked, and answers. */
interface Roles {
  load: {
    plan: LoadPlan;
    started: { readonly jsonBodies: readonly string[] };
    question: LoadOrder;
    answer: LoadResult;
  };
  tablet: { plan: TabletPlan; started: Loading; question: unknown; answer: Answer };
  large: { plan: LargePlan; started: LargeLoaded; question: Definition; answer: LargeAnswer };
}
type Role = keyof Roles;

/** Bodies handed back for comparison. */
const BODIES_SHOWN_MAX = 200;

export class BenchThread<R extends Role> {
  readonly started: Roles[R]['started'];
  readonly #worker: Worker;

  private constructor(worker: Worker, started: Roles[R]['started']) {
    this.#worker = worker;
    this.started = started;
  }

  /** `program` is the bench itself. Resolves when the thread is ready for questions. */
  static async start<R extends Role>(program: URL, role: R, plan: Roles[R]['plan']): Promise<BenchThread<R>> {
    const worker = new Worker(program, { workerData: { role, plan } });
    const [started] = await once(worker, 'message');
    return new BenchThread(worker, started as Roles[R]['started']);
  }

  /** One question at a time. */
  async ask(question: Roles[R]['question']): Promise<Roles[R]['answer']> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage(question);
    return (await answer)[0] as Roles[R]['answer'];
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The program of such a thread. An error ends it, and rejects what it was asked. */
export async function runThread(): Promise<void> {
  await initHash();
  const { role, plan } = workerData as { [R in Role]: { role: R; plan: Roles[R]['plan'] } }[Role];
  if (role === 'load') {
    const load = new Load(plan);
    answerWith({ jsonBodies: load.bodies.slice(0, BODIES_SHOWN_MAX) }, (order: LoadOrder) =>
      load.send(order),
    );
  } else if (role === 'large') {
    const thread = new LargeThread(plan);
    answerWith(thread.loaded, (segment: Definition) => thread.count(segment));
  } else {
    const tablet = new LoadedTablet(plan);
    answerWith(tablet.loading, (segment: unknown) => tablet.count(segment));
  }
}

function answerWith<Q>(started: unknown, answer: (question: Q) => unknown): void {
  parentPort!.on('message', async (question: Q) => parentPort!.postMessage(await answer(question)));
  parentPort!.postMessage(started);
}
