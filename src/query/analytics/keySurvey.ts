import { BREAKDOWN_VALUES_ASKED_MAX, BREAKDOWN_VALUES_MAX } from '../../base/limits.ts';
import type { Scalar, Value } from '../../base/value.ts';
import type { EventPagesOptions } from '../eventPages.ts';
import { NO_VALUE } from '../valueIds.ts';
import { eventBatches } from './eventBatches.ts';
import { elementsOf, KeyIds, type KeySource, tooManyValues } from './keyIds.ts';
import { type KeyWeights, topKeysSteps } from './topKeys.ts';

/** Values looked at between two yields. */
const VALUES_PER_STEP = 1 << 12;

/** What a tablet's wanted events are told apart by, before it is known what matters of it. */
export interface KeySketch {
  /** The time of the earliest; Infinity without any. */
  readonly earliestMs: number;
  /** Of each key source, of each kind: the number of its events by value. */
  readonly weights: readonly (readonly KeyWeights[])[];
}

export function* surveyKeys(
  options: EventPagesOptions,
  sources: readonly KeySource[],
): Generator<void, KeySketch> {
  const { view, kinds } = options;
  const counters = sources.map((source) => {
    const ids = new KeyIds(view, source);
    return { ids, counter: new KeyCounter(ids, kinds.length) };
  });
  let earliestMs = Number.POSITIVE_INFINITY;
  let batchIds = new Uint32Array(0);
  const needsUsers = sources.some(({ source }) => source === 'profile');
  yield* eventBatches({ ...options, needsUsers }, (batch) => {
    const { count, timesMs } = batch;
    earliestMs = Math.min(earliestMs, earliestOf(timesMs, count));
    if (batchIds.length < count) batchIds = new Uint32Array(batch.rows.length);
    for (const { ids, counter } of counters) {
      ids.readBatch(batch, batchIds);
      counter.add(batchIds, batch.kinds, count);
    }
  });
  const weights: (readonly KeyWeights[])[] = [];
  for (const { counter } of counters) weights.push(yield* counter.weightsSteps());
  return { earliestMs, weights };
}

/** Keys that answers tell apart: slots 0 to keys.length − 1, then one for the other values and one for none. */
export interface ChosenKeys {
  readonly keys: readonly Scalar[];
  readonly hasOther: boolean;
  readonly hasNone: boolean;
}

/** The keys of all tablets with the most events of the kind. */
export function* chooseKeysSteps(
  sketches: readonly KeySketch[],
  source: number,
  kind: number,
  { top, path }: { readonly top: number; readonly path: string },
): Generator<void, ChosenKeys> {
  const weights = sketches.map((sketch) => sketch.weights[source]![kind]!);
  const asked = weights.reduce((sum, { keys }) => sum + keys.length, 0);
  if (asked > BREAKDOWN_VALUES_ASKED_MAX) throw tooManyValues(path);
  const { keys, slots } = yield* topKeysSteps(weights, top);
  const count = keys.length - 2;
  const has = (slot: number) => slots.some((own) => own.includes(slot));
  return { keys: keys.slice(0, count), hasOther: has(count), hasNone: has(count + 1) };
}

export function earliestOf(timesMs: Float64Array, count: number): number {
  let earliestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) if (timesMs[i]! < earliestMs) earliestMs = timesMs[i]!;
  return earliestMs;
}

/** Counts events of each kind by their ids. */
export class KeyCounter {
  readonly #ids: KeyIds;
  /** By kind, by id. */
  readonly #counts: Uint32Array[];

  constructor(ids: KeyIds, kindCount: number) {
    this.#ids = ids;
    this.#counts = Array.from({ length: kindCount }, () => new Uint32Array(1));
  }

  add(ids: Uint32Array, kinds: Uint32Array, count: number): void {
    const { end } = this.#ids.values;
    for (const [kind, counts] of this.#counts.entries()) {
      const own = counts.length >= end ? counts : longer(counts, end);
      this.#counts[kind] = own;
      countIds(ids, kinds, count, (1 << kind) >>> 0, own);
    }
  }

  /** So many more events of a kind, of each id. */
  addCounts(kind: number, ids: Uint32Array, counts: Uint32Array): void {
    const { end } = this.#ids.values;
    if (this.#counts[kind]!.length < end) this.#counts[kind] = longer(this.#counts[kind]!, end);
    const own = this.#counts[kind]!;
    for (let i = 0; i < counts.length; i++) if (counts[i] !== 0) own[ids[i]!]! += counts[i]!;
  }

  /** By kind. */
  *weightsSteps(): Generator<void, readonly KeyWeights[]> {
    const weights: KeyWeights[] = [];
    for (const counts of this.#counts) weights.push(yield* weightsOf(counts, this.#ids));
    return weights;
  }
}

function countIds(
  ids: Uint32Array,
  kinds: Uint32Array,
  count: number,
  bit: number,
  counts: Uint32Array,
): void {
  for (let i = 0; i < count; i++) counts[ids[i]!]! += (kinds[i]! & bit) === 0 ? 0 : 1;
}

function* weightsOf(counts: Uint32Array, { values, source }: KeyIds): Generator<void, KeyWeights> {
  const weights = new Map<Value | undefined, number>();
  const add = (key: Value | undefined, count: number) => weights.set(key, (weights.get(key) ?? 0) + count);
  for (let id = 0; id < counts.length; id++) {
    if (id % VALUES_PER_STEP === 0) yield;
    const count = counts[id]!;
    if (count === 0) continue;
    const elements = id === NO_VALUE ? [] : elementsOf(values.valueOf(id));
    if (elements.length === 0) add(undefined, count);
    for (const element of elements) add(element, count);
    if (weights.size > BREAKDOWN_VALUES_MAX) throw tooManyValues(source.path);
  }
  return { keys: [...weights.keys()], weights: Float64Array.from(weights.values()) };
}

function longer(counts: Uint32Array, length: number): Uint32Array {
  const target = new Uint32Array(Math.max(length, 2 * counts.length));
  target.set(counts);
  return target;
}
