import { COPIED_RUNS_BYTES, copyRuns } from './copiedRuns.ts';
import type { Kernels } from './kernels.ts';
import { PAIR_ORDINAL_BITS } from './matches.ts';
import { plainKernels } from './plain.ts';
import type { SimdMemory } from './simdMemory.ts';
import { MASK_WORDS, TALLY_ROWS } from './tally.ts';

/** Of pairs that are listed at once. */
const PAIRS_BYTES = 1 << 17;
/** Numbers of events are bytes. */
const EVENTS_MAX = 256;
/** Where there are no more events, each is a bucket. */
const BUCKETS = 16;
const NO_BUCKET = 255;
/** In the byte of a bucket, for a value: a rule wants such events with it. */
const WANTED = 255;
/** Values and events of which each is looked at with each; of more, all buckets are looked into. */
const JOINED_MAX = 1 << 16;
/** Numbers, bytes and buckets of events lie one behind the other, and vectors are read past them. */
const EVENT_BYTES = TALLY_ROWS + 64;

/** Rows that few rules want: see assembly/matches.ts. */
export function matchKernels(memory: SimdMemory): Pick<Kernels, 'listMatches'> {
  const { exports, bytes, words } = memory;
  const { CODES, CODES_BYTES, INPUT, NEAR, NEAR_BYTES, OUTPUT, RUNS, STEP } = exports;
  const { listPairs, listRuns, listWanted, lookUpBytes } = exports;
  const runsAt = (list: number) => RUNS + list * COPIED_RUNS_BYTES;
  const [pairsAt, pairsEnd] = [NEAR, NEAR + PAIRS_BYTES];
  const [wantedAt, wantedEnd] = [pairsEnd, NEAR + NEAR_BYTES];
  const stateAt = STEP;
  const bucketOfAt = STEP + 64;
  const eventsAt = INPUT + 4 * TALLY_ROWS;

  /** Bytes of the events whose codes are copied in at OUTPUT. */
  function unpackEvents(bits: number, count: number): void {
    if (bits < 8) {
      exports.prepare(bits, 0, 0);
      exports.unpackLanes8(OUTPUT, bits, count, eventsAt);
    } else if (bits === 8) bytes.copyWithin(eventsAt, OUTPUT, OUTPUT + count);
    else {
      exports.unpack(OUTPUT, bits, count, INPUT);
      exports.narrow(INPUT, count, eventsAt);
    }
  }

  return {
    listMatches(rows, masks, visit) {
      const { events, values, times } = masks;
      const [eventMasks, valueMasks] = [CODES, CODES + events.byteLength];
      const timeMasks = valueMasks + values.byteLength;
      const eventCount = events.length / MASK_WORDS;
      if (
        timeMasks + times.byteLength > CODES + CODES_BYTES ||
        wantedAt + values.byteLength > wantedEnd ||
        eventCount > EVENTS_MAX
      ) {
        plainKernels.listMatches(rows, masks, visit);
        return;
      }
      words.set(events, eventMasks >>> 2);
      words.set(values, valueMasks >>> 2);
      words.set(times, timeMasks >>> 2);
      const [valueCount, timeCount] = [values.length / MASK_WORDS, times.length / MASK_WORDS];
      bytes.set(bucketsOf(events), bucketOfAt);
      if (eventCount * valueCount > JOINED_MAX) bytes.fill(WANTED, wantedAt, wantedAt + values.byteLength);
      else
        listWanted(
          ...([eventMasks, bucketOfAt, eventCount, valueMasks, valueCount] as const),
          ...([timeMasks, timeCount, wantedAt] as const),
        );
      const { packed, bits } = rows.events;
      let [value, time, user] = [0, 0, 0];
      for (let from = 0; from < rows.rowCount; from += TALLY_ROWS) {
        const to = Math.min(from + TALLY_ROWS, rows.rowCount);
        memory.copyIn(packed.subarray((from >>> 3) * bits, Math.ceil((to * bits) / 8)), OUTPUT);
        unpackEvents(bits, to - from);
        let bucketsAt = eventsAt;
        if (eventCount > BUCKETS) {
          bucketsAt += EVENT_BYTES;
          lookUpBytes(eventsAt, to - from, bucketOfAt, bucketsAt);
        }
        value = copyRuns(rows.values, value, from, to, words, runsAt(0));
        time = copyRuns(rows.times, time, from, to, words, runsAt(2));
        user = copyRuns(rows.users, user, from, to, words, runsAt(4));
        const runCount = listRuns(from, to, bucketsAt, runsAt(0), runsAt(1), wantedAt, OUTPUT);
        words.fill(0, stateAt >>> 2, (stateAt >>> 2) + 3);
        while (words[stateAt >>> 2]! < runCount) {
          const count = listPairs(
            ...([from, OUTPUT, runCount, eventsAt, runsAt(2), runsAt(3), runsAt(4), runsAt(5)] as const),
            ...([eventMasks, valueMasks, timeMasks, PAIR_ORDINAL_BITS, stateAt, pairsAt, pairsEnd] as const),
          );
          visit(words.subarray(pairsAt >>> 2, (pairsAt >>> 2) + count));
        }
      }
    },
  };
}

/** Of each event, by number: its own where there are few enough, else those that are wanted in turn. */
function bucketsOf(eventMasks: Uint32Array): Uint8Array {
  const buckets = new Uint8Array(eventMasks.length / MASK_WORDS).fill(NO_BUCKET);
  let next = 0;
  for (let e = 0; e < buckets.length; e++) {
    if (buckets.length <= BUCKETS) buckets[e] = e;
    else if (eventMasks.subarray(MASK_WORDS * e, MASK_WORDS * (e + 1)).some((word) => word !== 0)) {
      buckets[e] = next++ % BUCKETS;
    }
  }
  return buckets;
}
