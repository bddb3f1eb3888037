import { COPIED_RUNS_BYTES, copyRuns } from './copiedRuns.ts';
import {
  PlainTally,
  TALLY_ROWS,
  TALLY_USERS,
  type TallyMasks,
  type TallyRows,
  tallyBytes,
  thresholdPlanes,
} from './tally.ts';
import { type Exports, instantiate, SCRATCH_BYTES } from './wasm.ts';

/** Vectors may be read past the last user, who is one of 16. */
const SLACK_BYTES = 16 * 256;
/** Between the bits of a rule and those of the next: a power of two would put all of them into the same few lines of a cache. */
const RULE_BYTES = (TALLY_USERS >>> 3) + 64;
/** Kept by a thread for the next who counts: to touch fresh memory costs as much as to count. */
const SPARE_BYTES_MAX = 40 << 20;

interface Instance {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly exports: Exports;
}

const spares: Instance[] = [];

/** A tally whose planes lie in a memory of WebAssembly of its own, where kernels count without copying them. */
export function newSimdTally(userCount: number, countMax: number): SimdTally {
  const byteLength = tallyBytes(userCount, countMax);
  return new SimdTally(take(byteLength), byteLength, countMax);
}

class SimdTally extends PlainTally {
  readonly #instance: Instance;
  readonly #countMax: number;

  constructor(instance: Instance, byteLength: number, countMax: number) {
    const { words, exports } = instance;
    super(words.subarray(exports.ARENA >>> 2, (exports.ARENA + byteLength) >>> 2), countMax);
    this.#instance = instance;
    this.#countMax = countMax;
  }

  override countRows(rows: TallyRows, masks: TallyMasks): void {
    const { bytes, words, exports } = this.#instance;
    const { ARENA, CODES, INPUT, OUTPUT, RUNS, tallyRows, unpack } = exports;
    const eventMasks = CODES;
    const valueMasks = eventMasks + masks.events.byteLength;
    const timeMasks = valueMasks + masks.values.byteLength;
    if (timeMasks + masks.times.byteLength > ARENA) {
      super.countRows(rows, masks);
      return;
    }
    words.set(masks.events, eventMasks >>> 2);
    words.set(masks.values, valueMasks >>> 2);
    words.set(masks.times, timeMasks >>> 2);
    const runsAt = (list: number) => RUNS + list * COPIED_RUNS_BYTES;
    let [value, time, user] = [0, 0, 0];
    const { packed, bits } = rows.events;
    for (let from = 0; from < rows.rowCount; from += TALLY_ROWS) {
      const to = Math.min(from + TALLY_ROWS, rows.rowCount);
      const end = Math.ceil((to * bits) / 8);
      // See SimdMemory.copyIn.
      bytes.fill(packed.subarray((from >>> 3) * bits, end), OUTPUT, OUTPUT + end - (from >>> 3) * bits);
      unpack(OUTPUT, bits, to - from, INPUT);
      value = copyRuns(rows.values, value, from, to, words, runsAt(0));
      time = copyRuns(rows.times, time, from, to, words, runsAt(2));
      user = copyRuns(rows.users, user, from, to, words, runsAt(4));
      tallyRows(
        from,
        to,
        INPUT,
        runsAt(0),
        runsAt(1),
        runsAt(2),
        runsAt(3),
        runsAt(4),
        runsAt(5),
        eventMasks,
        valueMasks,
        timeMasks,
        ARENA,
        this.digits,
      );
    }
  }

  override selectAtLeast(
    from: number,
    to: number,
    thresholds: Uint32Array,
    targets: readonly (Uint32Array | undefined)[],
  ): void {
    const { words, exports } = this.#instance;
    const { ARENA, INPUT, RUNS, tallyAtLeast } = exports;
    const userBytes = 16 * (this.digits + 1);
    words.set(thresholdPlanes(thresholds, this.#countMax), INPUT >>> 2);
    const rulesWritten = (targets.length + 7) & ~7;
    words.fill(0, RUNS >>> 2, (RUNS + rulesWritten * RULE_BYTES) >>> 2);
    tallyAtLeast(ARENA + from * userBytes, to - from, INPUT, this.digits, targets.length, RUNS, RULE_BYTES);
    const wordCount = (to - from + 31) >>> 5;
    for (const [rule, target] of targets.entries()) {
      if (target === undefined) continue;
      const first = (RUNS + rule * RULE_BYTES) >>> 2;
      target.set(words.subarray(first, first + wordCount), from >>> 5);
      if ((to & 31) !== 0) target[to >>> 5]! &= (1 << (to & 31)) - 1;
    }
  }

  override release(): void {
    giveBack(this.#instance);
  }
}

function take(byteLength: number): Instance {
  const needed = (instance: Instance) => instance.exports.ARENA + byteLength + SLACK_BYTES;
  const i = spares.findIndex((spare) => spare.bytes.length >= needed(spare));
  if (i !== -1) {
    const [spare] = spares.splice(i, 1);
    return spare!;
  }
  const { memory, exports } = instantiate(SCRATCH_BYTES + byteLength + SLACK_BYTES);
  return { bytes: Buffer.from(memory.buffer), words: new Uint32Array(memory.buffer), exports };
}

/** Those of a query that is not finished are left to the collector. */
function giveBack(instance: Instance): void {
  if (spareTallyBytes() + instance.bytes.length <= SPARE_BYTES_MAX) spares.push(instance);
}

/** What a thread keeps of tallies that were released. */
export function spareTallyBytes(): number {
  return spares.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
