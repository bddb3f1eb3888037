import type { Call, LogRecord } from '../src/log/record.ts';
import { applyRecords } from '../src/tablet/apply.ts';
import type { Operations } from '../src/tablet/operations.ts';
import { PrefixTree } from '../src/tablet/placement.ts';
import { Tablet } from '../src/tablet/tablet.ts';
import { askTablet } from './askTablet.ts';
import { threadCpuMs } from './cpu.ts';
import { DECLARED, PERIOD, type SyntheticOptions, syntheticCalls } from './synthetic.ts';

/** One tablet of an account, full of synthetic events. It runs in a thread of its own (threads.ts), as in a server. */
export interface TabletPlan extends SyntheticOptions {
  /** Of the account: a power of two. */
  readonly tablets: number;
  readonly index: number;
}

export interface Loading {
  readonly events: number;
  /** Of applying and sealing, without making the calls. */
  readonly cpuMs: number;
  readonly bytesPerEvent: number;
}

export interface Answer {
  readonly count: number;
  readonly rowsScanned: number;
  /** Of the thread since its start. */
  readonly threadCpuMs: number;
  /** The longest that the question kept the thread from anything else. */
  readonly stepMsMax: number;
}

/** Calls of a record: about a request's. */
const CALLS_PER_RECORD = 500;

/** Fills a tablet through the same `applyRecords` as a server does, without the log in front. */
export class LoadedTablet {
  readonly #tablet: Tablet;
  readonly loading: Loading;
  #position = 0;
  #cpuMs = 0;

  constructor({ tablets, index, ...synthetic }: TabletPlan) {
    const tree = PrefixTree.even(tablets);
    const bits = tree.leaves[index]!;
    this.#tablet = new Tablet('bench', bits);
    this.#apply({ kind: 'declare', atMs: PERIOD.startMs, ...DECLARED });
    let calls: Call[] = [];
    for (const call of syntheticCalls(synthetic)) {
      if (tree.tabletOf(call.user.id) !== bits) continue;
      calls.push(call);
      if (calls.length < CALLS_PER_RECORD) continue;
      this.#apply({ kind: 'calls', atMs: call.timeMs, calls });
      calls = [];
    }
    this.#apply({ kind: 'calls', atMs: PERIOD.endMs, calls });
    const { rowCount } = this.#tablet.events;
    const { head, blocks, dictionary } = this.#tablet.events.memory();
    this.loading = {
      events: rowCount,
      cpuMs: this.#cpuMs,
      bytesPerEvent: (head + blocks + dictionary) / rowCount,
    };
  }

  count(segment: unknown): Answer {
    const args: Operations['count']['args'] = {
      segments: { it: segment },
      atMs: PERIOD.endMs,
      nowMs: PERIOD.endMs,
    };
    const { result, stepMsMax } = timedSteps(askTablet(this.#tablet, 'count', args));
    const { counts, stats } = result;
    return { count: counts.it!, rowsScanned: stats.rowsScanned, threadCpuMs: threadCpuMs(), stepMsMax };
  }

  #apply(record: LogRecord): void {
    const beforeMs = threadCpuMs();
    timedSteps(applyRecords(this.#tablet, [record], this.#position++));
    while (timedSteps(this.#tablet.events.writeSteps()).result);
    this.#cpuMs += threadCpuMs() - beforeMs;
  }
}

function timedSteps<T>(steps: Generator<void, T>): { readonly result: T; readonly stepMsMax: number } {
  let stepMsMax = 0;
  for (;;) {
    const startedMs = performance.now();
    const { done, value } = steps.next();
    stepMsMax = Math.max(stepMsMax, performance.now() - startedMs);
    if (done === true) return { result: value, stepMsMax };
  }
}
