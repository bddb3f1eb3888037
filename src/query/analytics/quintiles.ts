/**
 * Fifths of numbers that many tablets hold, exactly, without any tablet's sending all of them. A tablet first counts its
 * numbers around some of them; by that each of the four edges between fifths is within a bracket that has few numbers.
 * Those alone are sent then.
 *
 * A number is in fifth 1 + the number of edges below it, where edge k of n numbers is the ⌈k·n/5⌉-th least. So equal
 * numbers are in one fifth, and no fifth but the first begins with less than its share below it.
 */

/** Between the fifths. */
export const EDGES = [1, 2, 3, 4] as const;

/** Numbers of which the ones to count around are chosen: sorting them takes a millisecond. */
const SAMPLE_MAX = 1 << 14;
/** A tablet's numbers are counted around so many, so a bracket has about a thousandth of all. */
const SPLITTERS_MAX = 1 << 11;
const NUMBERS_PER_STEP = 1 << 13;

/** How many of a tablet's numbers are below some of them, ascending: the least and the greatest are among those. */
export interface NumberSketch {
  readonly numbers: Float64Array;
  readonly below: Float64Array;
  readonly atOrBelow: Float64Array;
  readonly count: number;
}

/** Of edge k, [lows[k − 1], highs[k − 1]] has it in it. */
export interface Brackets {
  readonly lows: Float64Array;
  readonly highs: Float64Array;
}

/** Of the numbers' first `count`. */
export function* sketchSteps(all: Float64Array, count: number): Generator<void, NumberSketch> {
  const numbers = all.subarray(0, count);
  const splitters = yield* splittersOf(numbers);
  const below = new Float64Array(splitters.length);
  const equal = new Float64Array(splitters.length);
  for (let from = 0; from < count; from += NUMBERS_PER_STEP) {
    yield;
    countAround(numbers.subarray(from, from + NUMBERS_PER_STEP), splitters, below, equal);
  }
  // below[i] has those between splitters i − 1 and i by now.
  const atOrBelow = new Float64Array(splitters.length);
  let sum = 0;
  for (let i = 0; i < splitters.length; i++) {
    sum += below[i]!;
    below[i] = sum;
    sum += equal[i]!;
    atOrBelow[i] = sum;
  }
  return { numbers: splitters, below, atOrBelow, count };
}

/** The least, the greatest, and some between them. */
function* splittersOf(numbers: Float64Array): Generator<void, Float64Array> {
  if (numbers.length === 0) return new Float64Array(0);
  const stride = Math.ceil(numbers.length / SAMPLE_MAX);
  const sample = new Float64Array(Math.ceil(numbers.length / stride) + 2);
  let [least, greatest] = [numbers[0]!, numbers[0]!];
  for (let i = 0; i < numbers.length; i++) {
    if (i % NUMBERS_PER_STEP === 0) yield;
    const number = numbers[i]!;
    if (number < least) least = number;
    if (number > greatest) greatest = number;
    if (i % stride === 0) sample[i / stride] = number;
  }
  sample[sample.length - 2] = least;
  sample[sample.length - 1] = greatest;
  sample.sort();
  yield;
  const step = Math.max(1, Math.floor(sample.length / SPLITTERS_MAX));
  const chosen = sample.filter((number, i) => {
    // A number that many have is in the sample more than once, and is kept.
    const isOften = number === sample[i + 1];
    return number !== sample[i - 1] && (i % step === 0 || isOften || i + 1 === sample.length);
  });
  return chosen.at(-1) === greatest ? chosen : Float64Array.of(...chosen, greatest);
}

function countAround(
  numbers: Float64Array,
  splitters: Float64Array,
  below: Float64Array,
  equal: Float64Array,
): void {
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    const at = firstAtLeast(splitters, number);
    if (splitters[at] === number) equal[at]!++;
    else below[at]!++;
  }
}

/** The first place of an ascending number that is not below; the length when all are. */
function firstAtLeast(ascending: Float64Array, number: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where the edges are. NaN when there are no numbers at all. */
export function* bracketsSteps(sketches: readonly NumberSketch[]): Generator<void, Brackets> {
  const count = sketches.reduce((sum, sketch) => sum + sketch.count, 0);
  const candidates = new Float64Array(sketches.reduce((sum, { numbers }) => sum + numbers.length, 0));
  let end = 0;
  for (const { numbers } of sketches) {
    candidates.set(numbers, end);
    end += numbers.length;
  }
  yield;
  candidates.sort();
  yield;
  const brackets = {
    lows: new Float64Array(4).fill(Number.NaN),
    highs: new Float64Array(4).fill(Number.NaN),
  };
  if (count === 0) return brackets;
  for (const edge of EDGES) {
    const place = placeOfEdge(edge, count);
    const pastLow = firstWhere(candidates, (number) => atMostBelow(sketches, number) >= place);
    const high = firstWhere(candidates, (number) => atLeastUpTo(sketches, number) >= place);
    // None is below the least, and all are up to the greatest, so both are there.
    brackets.lows[edge - 1] = candidates[pastLow - 1]!;
    brackets.highs[edge - 1] = candidates[high]!;
    yield;
  }
  return brackets;
}

/** From 1 on, in ascending order. */
function placeOfEdge(edge: number, count: number): number {
  return Math.ceil((edge * count) / 5);
}

/** Of a condition that holds from some place on. */
function firstWhere(ascending: Float64Array, holds: (number: number) => boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(ascending[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function atMostBelow(sketches: readonly NumberSketch[], number: number): number {
  let sum = 0;
  for (const { numbers, below, count } of sketches) sum += below[firstAtLeast(numbers, number)] ?? count;
  return sum;
}

function atLeastUpTo(sketches: readonly NumberSketch[], number: number): number {
  let sum = 0;
  for (const { numbers, atOrBelow } of sketches) {
    const at = firstAtLeast(numbers, number);
    sum += (numbers[at] === number ? atOrBelow[at] : atOrBelow[at - 1]) ?? 0;
  }
  return sum;
}

/** That the brackets leave no doubt of is the fifth of a number: 1 to 5; else OPEN. */
export const OPEN = 0;

export function fifthWithin({ lows, highs }: Brackets, number: number): number {
  let fifth = 1;
  for (let k = 0; k < 4; k++) {
    if (number > highs[k]!) fifth++;
    else if (number > lows[k]!) return OPEN;
  }
  return fifth;
}

/** What is known of all numbers by the fifths and brackets. */
export interface FifthCounts {
  readonly brackets: Brackets;
  /** counts[fifth − 1]: numbers of which there is no doubt. */
  readonly counts: Float64Array;
  /** The others, in any order, and how many of each there are. */
  readonly open: Float64Array;
  readonly openCounts: Float64Array;
  /** By edge: the least number past its bracket; Infinity for none. */
  readonly leastPast: Float64Array;
}

export interface Edges {
  /** By edge: the number it is at. */
  readonly at: Float64Array;
  /** By edge: the least number past it, with which the next fifth begins; Infinity when there is none. */
  readonly next: Float64Array;
}

export function* edgesSteps({
  brackets,
  counts,
  open,
  openCounts,
  leastPast,
}: FifthCounts): Generator<void, Edges> {
  const sum = (numbers: Float64Array) => numbers.reduce((total, number) => total + number, 0);
  const count = sum(counts) + sum(openCounts);
  const edges = { at: new Float64Array(4), next: new Float64Array(4) };
  const order = Uint32Array.from(open.keys()).sort((a, b) => open[a]! - open[b]!);
  for (const edge of EDGES) {
    yield;
    const k = edge - 1;
    let left = placeOfEdge(edge, count) - sum(counts.subarray(0, edge));
    let at = brackets.lows[k]!;
    for (const i of order) {
      if (left <= 0) break;
      if (open[i]! > brackets.lows[k]!) at = open[i]!;
      left -= openCounts[i]!;
    }
    const past = order.find((i) => open[i]! > at);
    edges.at[k] = at;
    edges.next[k] = Math.min(leastPast[k]!, past === undefined ? Number.POSITIVE_INFINITY : open[past]!);
  }
  return edges;
}

export function fifthOf({ at }: Edges, number: number): number {
  let fifth = 1;
  for (let k = 0; k < 4; k++) if (number > at[k]!) fifth++;
  return fifth;
}
