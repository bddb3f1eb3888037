import { realClock } from '../src/base/clock.ts';
import type { Definition } from '../src/client/types.ts';
import { oracleEvaluate } from '../src/query/oracle.ts';
import { Slicer } from '../src/shard/slicer.ts';
import { bytesByName, bytesByPart, memoryOf, sumByName } from '../src/tablet/memory.ts';
import type { Operations } from '../src/tablet/operations.ts';
import type { Tablet } from '../src/tablet/tablet.ts';
import { askTablet } from './askTablet.ts';
import { finished } from './bulk.ts';
import { threadCpuMs } from './cpu.ts';
import { LargeAccount, type LargeOptions } from './largeAccount.ts';
import { SESSION_PERIOD } from './sessions.ts';

/** What a thread is started with. */
export interface LargePlan extends LargeOptions {
  readonly threads: number;
  /** It holds every tablet whose place, modulo `threads`, this is. */
  readonly index: number;
  /** Held against the oracle for the users of the sample. */
  readonly segments: Readonly<Record<string, Definition>>;
}

export interface LargeLoaded {
  readonly events: number;
  readonly loadMs: number;
  /** By part, and of profiles by trait. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly traitBytes: Readonly<Record<string, number>>;
  /** Members of each segment that are in the sample, as the oracle counts them. */
  readonly sampled: Readonly<Record<string, number>>;
}

export interface LargeAnswer {
  readonly count: number;
  readonly total: number;
  /** Of the thread since its start. */
  readonly threadCpuMs: number;
}

const AT_MS = SESSION_PERIOD.endMs;

/** Some of the tablets of a large account, asked as a shard asks its own: one after the other, in slices. */
export class LargeThread {
  readonly loaded: LargeLoaded;
  readonly #tablets: Tablet[] = [];
  readonly #slicer = new Slicer(realClock);

  constructor({ threads, index, segments, ...options }: LargePlan) {
    const startedMs = performance.now();
    const account = new LargeAccount(options);
    const sampled: Record<string, number> = {};
    for (let place = index; place < options.tablets; place += threads) {
      const { tablet, sampled: users } = account.load(place);
      this.#tablets.push(tablet);
      for (const [name, segment] of Object.entries(segments)) {
        const times = { atMs: AT_MS, nowMs: AT_MS, zone: 'UTC' };
        sampled[name] = (sampled[name] ?? 0) + oracleEvaluate(users, segment, times).size;
      }
    }
    const memories = this.#tablets.map((tablet) => finished(memoryOf(tablet)));
    this.loaded = {
      events: this.#tablets.reduce((sum, { events }) => sum + events.rowCount, 0),
      loadMs: performance.now() - startedMs,
      bytes: sumByName(memories.map(bytesByPart)),
      traitBytes: sumByName(memories.map((memory) => bytesByName(memory).profiles!)),
      sampled,
    };
  }

  async count(segment: Definition): Promise<LargeAnswer> {
    const args = { segments: { it: segment }, atMs: AT_MS, nowMs: AT_MS };
    const tablets = this.#tablets;
    const parts = await this.#slicer.run(
      (function* () {
        const parts: Operations['count']['part'][] = [];
        for (const tablet of tablets) parts.push(yield* askTablet(tablet, 'count', args));
        return parts;
      })(),
    );
    return {
      count: parts.reduce((sum, { counts }) => sum + counts.it!, 0),
      total: parts.reduce((sum, { total }) => sum + total, 0),
      threadCpuMs: threadCpuMs(),
    };
  }
}
