import type { Runs } from '../contract.ts';
import { MASK_WORDS, type TallyMasks, type TallyRows } from './tally.ts';
import { unpack } from './unpack.ts';

/** Of a pair the ordinal; the rule is above. */
export const PAIR_ORDINAL_BITS = 25;
/** Pairs that are handed out at once. */
const PAIRS_MAX = 1 << 15;

/** See Kernels.listMatches. */
export function listMatches(
  { rowCount, events, values, times, users }: TallyRows,
  masks: TallyMasks,
  visit: (pairs: Uint32Array) => void,
): void {
  const eventClasses = new Uint32Array(rowCount);
  unpack(events.packed, events.bits, 0, rowCount, eventClasses);
  const [value, time, user] = [new RunCursor(values), new RunCursor(times), new RunCursor(users)];
  const pairs = new Uint32Array(PAIRS_MAX);
  let count = 0;
  for (let row = 0; row < rowCount; row++) {
    const ofEvent = eventClasses[row]! * MASK_WORDS;
    const ofValue = value.classOf(row) * MASK_WORDS;
    const ofTime = time.classOf(row) * MASK_WORDS;
    const ordinal = user.classOf(row);
    if (count + MASK_WORDS * 32 > PAIRS_MAX) {
      visit(pairs.subarray(0, count));
      count = 0;
    }
    for (let w = 0; w < MASK_WORDS; w++) {
      const mask = masks.events[ofEvent + w]! & masks.values[ofValue + w]! & masks.times[ofTime + w]!;
      count = addPairs(ordinal, mask, 32 * w, pairs, count);
    }
  }
  visit(pairs.subarray(0, count));
}

/** Puts a pair for each bit of the mask, the lowest of which is that of `firstRule`, behind `count`. Returns how many there are. */
export function addPairs(
  ordinal: number,
  mask: number,
  firstRule: number,
  pairs: Uint32Array,
  count: number,
): number {
  let end = count;
  for (let rest = mask; rest !== 0; rest &= rest - 1) {
    const rule = firstRule + 31 - Math.clz32(rest & -rest);
    pairs[end++] = (rule << PAIR_ORDINAL_BITS) | ordinal;
  }
  return end;
}

/** The class of each row, which are asked in their order. */
class RunCursor {
  readonly #runs: Runs;
  #run = 0;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  classOf(row: number): number {
    while (this.#runs.ends[this.#run]! <= row) this.#run++;
    return this.#runs.classes[this.#run]!;
  }
}
