import { setFlagsFromString } from 'node:v8';
import { KERNELS_BASE64 } from './generated.ts';

/** What is used of WebAssembly; Node's own types leave it out. */
interface WebAssemblyHost {
  validate(program: Uint8Array): boolean;
  Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory;
  Module: new (program: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** The exports of assembly/index.ts: what each means its twin in plain.ts says. */
export interface Exports {
  readonly SET: number;
  readonly INPUT: number;
  readonly INPUT_BYTES: number;
  readonly LISTED: number;
  readonly OUTPUT: number;
  readonly OUTPUT_BYTES: number;
  readonly STEP: number;
  readonly STEP_BYTES: number;
  readonly RUNS: number;
  readonly RUNS_BYTES: number;
  readonly CODES: number;
  readonly CODES_BYTES: number;
  readonly NEAR: number;
  readonly NEAR_BYTES: number;
  readonly ARENA: number;
  equal8(lanes: number, code: number, count: number, words: number): void;
  prepare(bits: number, from: number, span: number): void;
  selectRange(packed: number, bits: number, from: number, span: number, count: number, words: number): void;
  selectRangeBounds(
    packed: number,
    bits: number,
    from: number,
    span: number,
    count: number,
    words: number,
    groups: number,
  ): number;
  and(words: number, others: number, vectorCount: number): void;
  prepareSet(bits: number): void;
  selectSet(packed: number, bits: number, count: number, words: number): void;
  unpack(packed: number, bits: number, count: number, target: number): void;
  unpackSums(
    packed: number,
    bits: number,
    skip: number,
    count: number,
    least: number,
    start: number,
    target: number,
  ): number;
  fillRuns(runs: number, runCount: number, starts: number, wordCount: number, words: number): void;
  fillStarts(runs: number, starts: number, vectorCount: number, words: number): void;
  positions(words: number, wordCount: number, base: number, target: number): number;
  positionsOf(words: number, base: number, rows: number, count: number, first: number, target: number): void;
  countUsers(rows: number, firsts: number, wordCount: number, found: number): number;
  countBefore(rows: number, firsts: number, wordCount: number, before: number): number;
  addIntervals(
    users: number,
    starts: number,
    userCount: number,
    times: number,
    kinds: number,
    bit: number,
    bounds: number,
    ofPiece: number,
    pieceMs: number,
    counts: number,
    latest: number,
  ): void;
  countCohorts(
    users: number,
    starts: number,
    userCount: number,
    times: number,
    kinds: number,
    bounds: number,
    ofPiece: number,
    pieceMs: number,
    periods: number,
    cohorts: number,
    counted: number,
    sizes: number,
    returned: number,
  ): void;
  countPlaces(ordinals: number, count: number, first: number, ends: number): void;
  addUp(numbers: number, count: number): void;
  placeEvents(
    ordinals: number,
    count: number,
    first: number,
    next: number,
    before: number,
    times: number,
    toTimes: number,
    kinds: number,
    toKinds: number,
    toOrigins: number,
  ): void;
  keepFilled(ends: number, count: number, first: number, ordinals: number): number;
  walkChains(
    starts: number,
    userCount: number,
    times: number,
    kinds: number,
    stepCount: number,
    windowMs: number,
    state: number,
    levels: number,
    stepTimes: number,
    firstEvents: number,
  ): void;
  scaleIntegers(numbers: number, count: number, base: number, unit: number): void;
  scaleDoubles(numbers: number, count: number, base: number, unit: number): void;
  lookUp(numbers: number, count: number, first: number, table: number): void;
  countCells(
    rows: number,
    count: number,
    starts: number,
    properties: number,
    tags: number,
    events: number,
    numbers: number,
    counts: number,
    seen: number,
    eventWords: number,
  ): void;
  placeCells(
    rows: number,
    count: number,
    starts: number,
    properties: number,
    tags: number,
    payloads: number,
    ends: number,
    targetTags: number,
    targetPayloads: number,
    events: number,
    setOf: number,
    setStarts: number,
    sets: number,
    setRows: number,
    targetRows: number,
  ): void;
  sortByDigit(
    keys: number,
    entries: number,
    count: number,
    shift: number,
    mask: number,
    places: number,
    targetKeys: number,
    targetEntries: number,
  ): void;
  takeIntegers(source: number, places: number, count: number, target: number): void;
  takeDoubles(source: number, places: number, count: number, target: number): void;
  addDifferences(before: number, ordinals: number, count: number, counts: number): void;
  addSizes(places: number, sizes: number, count: number, sums: number): void;
  addNumbers(
    ordinals: number,
    kinds: number,
    bit: number,
    numbers: number,
    count: number,
    sums: number,
  ): void;
  listUsers(ordinals: number, count: number, users: number, starts: number): number;
  selectNumbers(
    numbers: number,
    groupCount: number,
    low: number,
    high: number,
    isWithin: number,
    words: number,
  ): void;
  countRuns(words: number, base: number, offsets: number, runCount: number, counts: number): void;
  gather(packed: number, bits: number, rows: number, first: number, count: number, target: number): void;
  ranks(words: number, rows: number, first: number, count: number, before: number, target: number): void;
  gatherRanked(
    words: number,
    before: number,
    packed: number,
    bits: number,
    rows: number,
    first: number,
    count: number,
  ): void;
  gatherSplit(
    words: number,
    before: number,
    packed: number,
    bits: number,
    low: number,
    lowBits: number,
    rows: number,
    first: number,
    count: number,
    target: number,
  ): void;
  markStarts(
    lengths: number,
    count: number,
    least: number,
    end: number,
    flags: number,
    vectorCount: number,
    words: number,
  ): void;
  places(words: number, rows: number, first: number, count: number, before: number): number;
  listRows(
    selected: number,
    firsts: number,
    wordCount: number,
    first: number,
    before: number,
    rows: number,
    users: number,
  ): number;
  markKinds(selected: number, bitmaps: number, kindCount: number, wordCount: number, target: number): void;
  classRuns(codes: number, ends: number, count: number, table: number, shift: number, last: number): number;
  unpackLanes8(packed: number, bits: number, count: number, target: number): void;
  narrow(codes: number, count: number, bytes: number): void;
  lookUpBytes(bytes: number, count: number, table: number, target: number): void;
  listWanted(
    eventMasks: number,
    buckets: number,
    eventCount: number,
    valueMasks: number,
    valueCount: number,
    timeMasks: number,
    timeCount: number,
    wanted: number,
  ): void;
  listRuns(
    from: number,
    to: number,
    buckets: number,
    values: number,
    valueEnds: number,
    wanted: number,
    runs: number,
  ): number;
  listPairs(
    from: number,
    runs: number,
    runCount: number,
    events: number,
    times: number,
    timeEnds: number,
    users: number,
    userEnds: number,
    eventMasks: number,
    valueMasks: number,
    timeMasks: number,
    ordinalBits: number,
    state: number,
    pairs: number,
    pairsEnd: number,
  ): number;
  tallyRows(
    from: number,
    to: number,
    events: number,
    values: number,
    valueEnds: number,
    times: number,
    timeEnds: number,
    users: number,
    userEnds: number,
    eventMasks: number,
    valueMasks: number,
    timeMasks: number,
    planes: number,
    digits: number,
  ): void;
  tallyAtLeast(
    users: number,
    userCount: number,
    thresholds: number,
    digits: number,
    ruleCount: number,
    words: number,
    ruleBytes: number,
  ): void;
  addCodes(
    selected: number,
    wordCount: number,
    packed: number,
    bits: number,
    factor: number,
    target: number,
  ): void;
  addRunCodes(
    selected: number,
    wordCount: number,
    starts: number,
    row: number,
    before: number,
    packed: number,
    bits: number,
    factor: number,
    target: number,
  ): void;
  rankRows(selected: number, firsts: number, wordCount: number, before: number, target: number): void;
  countGroups(
    users: number,
    codes: number,
    intervals: number,
    sizes: number,
    count: number,
    width: number,
    tallies: number,
    several: number,
  ): number;
  addRunPlaces(
    selected: number,
    wordCount: number,
    starts: number,
    row: number,
    before: number,
    packed: number,
    bits: number,
    places: number,
    target: number,
    others: number,
  ): number;
  placeLengths(
    starts: number,
    intervalCount: number,
    base: number,
    length: number,
    places: number,
    count: number,
  ): void;
  placeRuns(
    selected: number,
    wordCount: number,
    row: number,
    starts: number,
    before: number,
    codes: number,
    places: number,
    secondStarts: number,
    secondBefore: number,
    secondCodes: number,
    secondPlaces: number,
    firsts: number,
    usersBefore: number,
    apart: number,
    together: number,
    targets: number,
    seconds: number,
    users: number,
    sizes: number,
    others: number,
  ): number;
  repeat(codes: number, ends: number, runCount: number, row: number, to: number, target: number): number;
  bounds(codes: number, vectorCount: number, target: number): void;
  runs(codes: number, count: number, lowBits: number, base: number, runCodes: number, ends: number): number;
  pack(codes: number, bits: number, count: number, target: number): void;
  prepareSpread(): void;
  expand(dense: number, n: number, rows: number, wordCount: number, words: number): number;
  compress(
    words: number,
    rows: number,
    wordCount: number,
    pending: number,
    used: number,
    dense: number,
  ): number;
}

/** Memory comes in pages. */
const PAGE_BYTES = 65_536;
/** What the kernels lay out for themselves, and a little more. */
export const SCRATCH_BYTES = 22 * PAGE_BYTES;

const host = (globalThis as unknown as { WebAssembly: WebAssemblyHost }).WebAssembly;
let compiled: object | undefined;
const program = new Uint8Array(Buffer.from(KERNELS_BASE64, 'base64'));

export function hasSimd(): boolean {
  return host.validate(program);
}

/**
 * Compiled once a process, for the best code at once: that takes some 20 ms, where V8 would begin with code that takes twice
 * as long to run, and compile what runs often on a core that queries need. Other programs are left to it.
 */
function module(): object {
  if (compiled === undefined) {
    setFlagsFromString('--no-liftoff');
    setFlagsFromString('--no-wasm-lazy-compilation');
    compiled = new host.Module(program);
    setFlagsFromString('--liftoff');
    setFlagsFromString('--wasm-lazy-compilation');
  }
  return compiled;
}

/** The kernels with a memory of their own, of so many bytes or a little more, which never grows. */
export function instantiate(byteLength: number): { readonly memory: Memory; readonly exports: Exports } {
  const pages = Math.ceil(byteLength / PAGE_BYTES);
  const memory = new host.Memory({ initial: pages, maximum: pages });
  const { exports } = new host.Instance(module(), { env: { memory } });
  const parts = Object.entries(exports as Record<string, object>);
  // Constants are exported as what has a value, which takes longer to read than a number.
  const plain = parts.map(([name, part]) => [name, 'value' in part ? part.value : part]);
  return { memory, exports: Object.fromEntries(plain) as Exports };
}
