import { scratch } from './arena.ts';
import { bitLength, KIND } from './codes.ts';
import { compressedDraft } from './compressed.ts';
import type { Draft } from './contract.ts';
import { DELTA_CODES_END, DELTA_SCAN_NS, deltaParts, deltasDraft } from './deltas.ts';
import { BITS_PER_ONE_MAX, onesDraft } from './ones.ts';
import { packedDraft } from './packed.ts';
import { runStartsDraft, STARTS_SCAN_NS } from './runStarts.ts';
import { cutRuns, RUN_SCAN_NS, type RunParts, runParts, runsDraft } from './runs.ts';
import { RUNS_PER_ROW_MAX, runsEstimates, type Shape, shapeOf } from './shape.ts';
import { splitDraft } from './split.ts';
import { zerosDraft } from './zeros.ts';

/**
 * Hot columns are filtered by queries all the time, and stay as they are scanned quickly. Warm ones are read a row at a
 * time, and only their bytes count. Cold ones are seldom read at all: they may be compressed too.
 */
export type Temperature = 'hot' | 'warm' | 'cold';

/**
 * How codes are encoded is chosen by measuring: what is smallest, but in hot ones a nanosecond that a filter needs for a
 * row counts as much as HOT_BITS_PER_NS bits of that row.
 */
const HOT_BITS_PER_NS = 1;
/** What is made of parts must be better than what is not by so much. */
const PARTS_GAIN = 0.95;
/** Compressed must be smaller by a tenth. */
const COMPRESSED_GAIN = 0.9;
/** With fewer bits of a high part, filters find many rows on their edges, whose low parts they look at. */
const HOT_HIGH_BITS_MIN = 6;
/** Fewer rows are packed at once. */
const PARTS_ROWS_MIN = 16;

/** What is to be least, in bits of a row. */
export function cost(draft: Draft, rowCount: number, temperature: Temperature): number {
  return costOf((draft.bytes * 8) / rowCount, draft.scanNsPerRow, temperature);
}

function costOf(bitsPerRow: number, scanNsPerRow: number, temperature: Temperature): number {
  return temperature === 'hot' ? bitsPerRow + HOT_BITS_PER_NS * scanNsPerRow : bitsPerRow;
}

/** At least one code, none greater than `max`. Of the kinds up to `kindMax`, see codes.ts. */
export function codesDraft(
  codes: Uint32Array,
  max: number,
  temperature: Temperature,
  kindMax: number = KIND.ones,
): Draft {
  const bits = bitLength(max);
  const plain = flatDraft(codes, bits, temperature);
  if (bits === 0 || codes.length < PARTS_ROWS_MIN || kindMax < KIND.deltas) return plain;
  const shape = shapeOf(codes);
  let best = plain;
  let leastCost = PARTS_GAIN * cost(plain, codes.length, temperature);
  const consider = (draft: Draft | undefined) => {
    if (draft === undefined || cost(draft, codes.length, temperature) >= leastCost) return;
    best = draft;
    leastCost = cost(draft, codes.length, temperature);
  };
  if (shape.ascends && kindMax >= KIND.ones) consider(onesOf(codes, leastCost, temperature));
  if (shape.ascends && max < DELTA_CODES_END) {
    // What was seen of differences mostly says that they are too wide, without a look at all.
    const bitsMin = bitLength(Math.max(0, shape.differenceMax - shape.differenceMin));
    if (costOf(bitsMin, DELTA_SCAN_NS, temperature) <= leastCost) {
      consider(deltasOf(codes, max, temperature, leastCost));
    }
  }
  if (kindMax >= KIND.runs) {
    const highBitsMin = temperature === 'hot' ? HOT_HIGH_BITS_MIN : 1;
    const lowBitsMax = kindMax >= KIND.split ? Math.max(0, bits - highBitsMin) : 0;
    const lowBits = lowBitsOf(shape, bits, temperature, { costMax: leastCost, lowBitsMin: 0, lowBitsMax });
    if (lowBits !== undefined) consider(runsOf(codes, bits, lowBits, temperature));
  }
  return best;
}

/** Codes that do not fit 32 bits: high * 2^32 + low. */
export interface WideCodes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

/** Codes up to `max`, which needs more than 32 bits. */
export function wideCodesDraft({ high, low }: WideCodes, max: number, temperature: Temperature): Draft {
  const bits = bitLength(max);
  const range = { costMax: Infinity, lowBitsMin: bits - 32, lowBitsMax: 32 };
  const lowBits = lowBitsOf(shapeOf(low, high), bits, temperature, range) ?? 32;
  const parts = highParts(high, low, lowBits);
  const highDraft = codesDraft(parts, Math.floor(max / 2 ** lowBits), temperature, KIND.runs);
  return splitDraft(lowBits, highDraft, lowDraft(low, lowBits, temperature));
}

/** (high * 2^32 + low) / 2^lowBits, rounded down: below 2^32. */
function highParts(high: Uint32Array, low: Uint32Array, lowBits: number): Uint32Array {
  if (lowBits === 32) return high;
  const parts = scratch(low.length);
  for (let row = 0; row < parts.length; row++) {
    parts[row] = (high[row]! << (32 - lowBits)) | (low[row]! >>> lowBits);
  }
  return parts;
}

/** Of codes of up to so many bits, a code a row. */
function flatDraft(codes: Uint32Array, bits: number, temperature: Temperature): Draft {
  if (bits === 0) return zerosDraft;
  if (temperature === 'hot') return packedDraft(codes, scannedBits(bits));
  const packed = packedDraft(codes, bits);
  if (temperature === 'warm') return packed;
  return compressedDraft(codes, bits, COMPRESSED_GAIN * packed.bytes) ?? packed;
}

/** Lanes of a power of two of bits are scanned three times as quickly: worth a seventh more bytes (7 bits to 8). */
function scannedBits(bits: number): number {
  const wide = 2 ** Math.ceil(Math.log2(bits));
  return wide * 7 <= bits * 8 ? wide : bits;
}

/** For parts that are decoded rather than filtered as they lie. */
function unscanned(temperature: Temperature): Temperature {
  return temperature === 'hot' ? 'warm' : temperature;
}

/** undefined when it would cost more, or they do not all ascend. */
function onesOf(codes: Uint32Array, costMax: number, temperature: Temperature): Draft | undefined {
  const max = codes[codes.length - 1]!;
  if (max > BITS_PER_ONE_MAX * codes.length) return undefined;
  const draft = onesDraft(codes);
  if (cost(draft, codes.length, temperature) >= costMax) return undefined;
  for (let row = 1; row < codes.length; row++) if (codes[row]! <= codes[row - 1]!) return undefined;
  return draft;
}

/** undefined when it would cost more. At least two codes. */
function deltasOf(
  codes: Uint32Array,
  max: number,
  temperature: Temperature,
  costMax = Infinity,
): Draft | undefined {
  const { least, most } = differencesOf(codes);
  const bits = bitLength(most - least);
  if (costOf(bits, DELTA_SCAN_NS, temperature) > costMax) return undefined;
  const { checkpoints, differences } = deltaParts(codes, least);
  return deltasDraft(
    least,
    flatDraft(checkpoints, bitLength(max), 'warm'),
    flatDraft(differences, bits, unscanned(temperature)),
  );
}

/** At least two codes, all below DELTA_CODES_END. */
function differencesOf(codes: Uint32Array): { readonly least: number; readonly most: number } {
  let least = codes[1]! - codes[0]!;
  let most = least;
  for (let row = 2; row < codes.length; row++) {
    const difference = (codes[row]! - codes[row - 1]!) | 0;
    if (difference < least) least = difference;
    if (difference > most) most = difference;
  }
  // A least difference that saves no bit would only have to be added again.
  const isIdle = least > 0 && bitLength(most - least) === bitLength(most);
  return { least: isIdle ? 0 : least, most };
}

/** How many low bits to leave out of runs so that they cost least; undefined when that is too much. */
function lowBitsOf(
  shape: Shape,
  bits: number,
  temperature: Temperature,
  range: { readonly costMax: number; readonly lowBitsMin: number; readonly lowBitsMax: number },
): number | undefined {
  let { costMax } = range;
  let best: number | undefined;
  for (const { lowBits, bitsPerRow, runsPerRow } of runsEstimates(shape, bits, range)) {
    const scanNs = Math.min(runsPerRow * RUN_SCAN_NS, STARTS_SCAN_NS);
    const estimate = costOf(bitsPerRow, scanNs, temperature);
    if (estimate >= costMax) continue;
    costMax = estimate;
    best = lowBits;
  }
  return best;
}

/** Runs of codes of so many bits, or of their high parts and the low bits beside them; undefined when there are none. */
function runsOf(
  codes: Uint32Array,
  bits: number,
  lowBits: number,
  temperature: Temperature,
): Draft | undefined {
  const parts = runParts(codes, lowBits);
  const runCount = parts.ends.length;
  if (runCount < 2 || runCount > RUNS_PER_ROW_MAX * codes.length) return undefined;
  const runs = leastRuns(parts, codes.length, bits - lowBits, temperature);
  return lowBits === 0 ? runs : splitDraft(lowBits, runs, lowDraft(codes, lowBits, temperature));
}

/** With ends as a bit a row, or as differences between them, by what both are likely to cost; `bits` of a run's code. */
function leastRuns(parts: RunParts, rowCount: number, bits: number, temperature: Temperature): Draft {
  const { ends } = parts;
  const draftOf = (runs: RunParts, endsDraft: Draft) =>
    runsDraft(
      rowCount,
      runs.ends.length,
      codesDraft(runs.codes, 2 ** bits - 1, temperature, KIND.deltas),
      endsDraft,
    );
  const { rowsMax, leastCost } = leastCut(ends, bits, temperature);
  const startsCost = costOf(rowCount + ends.length * bits, rowCount * STARTS_SCAN_NS, temperature);
  if (startsCost <= leastCost) return draftOf(parts, runStartsDraft(ends, rowCount));
  const cut = rowsMax === Infinity ? parts : cutRuns(parts, rowsMax);
  const scanNsPerRow = (RUN_SCAN_NS * cut.ends.length) / rowCount;
  return draftOf(cut, { ...deltasOf(cut.ends, rowCount, temperature)!, scanNsPerRow });
}

const CUT_BITS_MAX = 16;

/** After how many rows to cut runs, whose codes have `bits`, so that they cost least, and what all of them cost then. */
function leastCut(
  ends: Uint32Array,
  bits: number,
  temperature: Temperature,
): { readonly rowsMax: number; readonly leastCost: number } {
  // cuts[b]: how often runs are cut when none may have more than 2^b rows.
  const cuts = new Uint32Array(CUT_BITS_MAX + 1);
  let longest = 1;
  for (let run = 1; run < ends.length; run++) {
    const over = ends[run]! - ends[run - 1]! - 1;
    if (over >= longest) longest = over + 1;
    for (let b = 0, rest = over; rest > 0; b++, rest >>>= 1) cuts[b]! += rest;
  }
  const bitsOfRun = (b: number) => bits + b + (temperature === 'hot' ? HOT_BITS_PER_NS * RUN_SCAN_NS : 0);
  let rowsMax = Infinity;
  const endBits = bitLength(longest - 1);
  let leastCost = ends.length * bitsOfRun(endBits);
  for (let b = 1; b < endBits; b++) {
    const runCount = ends.length + cuts[b]!;
    if (runCount * bitsOfRun(b) >= leastCost) continue;
    rowsMax = 2 ** b;
    leastCost = runCount * bitsOfRun(b);
  }
  return { rowsMax, leastCost };
}

/** The lowest bits of every code. */
function lowDraft(codes: Uint32Array, lowBits: number, temperature: Temperature): Draft {
  if (temperature !== 'cold') return packedDraft(codes, lowBits);
  const low = scratch(codes.length);
  const mask = 2 ** lowBits - 1;
  for (let row = 0; row < low.length; row++) low[row] = codes[row]! & mask;
  return flatDraft(low, lowBits, temperature);
}
