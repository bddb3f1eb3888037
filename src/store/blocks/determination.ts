import type { Values } from '../../encoding/contract.ts';
import type { EventSet } from './blockFormat.ts';
import type { OpenBlock, OpenColumn } from './blockReader.ts';

/** A sample of a block: so many stretches of so many rows, since values repeat within a trail. */
const SAMPLE_STRETCHES = 128;
const STRETCH_ROWS = 64;
/** A value that so many rows of the sample have had before must mostly go with the same value of the other column. */
const REPEATS_MIN = 0.1;
const EXCEPTIONS_MAX = 1 / 16;
/** Rows looked at between two yields. */
const STEP_ROWS = 1 << 15;

/**
 * Which properties, by a sample of the block, are determined by another one, which itself is not: property code →
 * property code. A product's name goes with its code, an order's country with the order.
 */
export function* determinedPropertiesSteps(block: OpenBlock): Generator<void, ReadonlyMap<number, number>> {
  const samples: Sample[] = [];
  for (const column of block.columns) {
    const sample = sampleOf(column);
    if (sample !== undefined) samples.push(sample);
    yield;
  }
  // What has more values determines what has fewer, and texts determine numbers.
  samples.sort((a, b) => b.distinct - a.distinct || Number(b.isCodes) - Number(a.isCodes));
  const keys: Sample[] = [];
  const determinedBy = new Map<number, number>();
  for (const sample of samples) {
    // Of those that do, the one with the fewest values has the shortest map.
    const key = keys.findLast((each) => determines(each, sample));
    if (key !== undefined) determinedBy.set(sample.propertyCode, key.propertyCode);
    else if (sample.isCodes) keys.push(sample);
    yield;
  }
  return determinedBy;
}

interface Sample {
  readonly propertyCode: number;
  readonly eventSet: EventSet | undefined;
  readonly isCodes: boolean;
  /** The sampled values, numbered from 0 in the order of their first appearance. */
  readonly values: Uint32Array;
  readonly distinct: number;
}

/** undefined for a column with numbers and other values, and for one that is always the same. */
function sampleOf({ shape, codes, numbers }: OpenColumn): Sample | undefined {
  const column = codes ?? numbers;
  if (column === undefined || (codes !== undefined && numbers !== undefined)) return undefined;
  const { propertyCode, eventSet, rowCount } = shape;
  const stretches = Math.min(SAMPLE_STRETCHES, Math.ceil(rowCount / STRETCH_ROWS));
  const rows = new Uint32Array(stretches * STRETCH_ROWS);
  let count = 0;
  for (let i = 0; i < stretches; i++) {
    const from = Math.floor((i * rowCount) / stretches);
    const to = Math.min(from + STRETCH_ROWS, rowCount);
    for (let row = from; row < to; row++) rows[count++] = row;
  }
  const sampled = new Float64Array(count);
  column.gather(rows.subarray(0, count), sampled);
  const numberOf = new Map<number, number>();
  const values = Uint32Array.from(sampled, (value) => {
    const number = numberOf.get(value) ?? numberOf.size;
    numberOf.set(value, number);
    return number;
  });
  if (numberOf.size === 1) return undefined;
  return { propertyCode, eventSet, isCodes: codes !== undefined, values, distinct: numberOf.size };
}

function determines(key: Sample, sample: Sample): boolean {
  if (key.eventSet !== sample.eventSet) return false;
  const map = new Int32Array(key.distinct).fill(-1);
  let repeats = 0;
  let exceptions = 0;
  for (let i = 0; i < sample.values.length; i++) {
    const of = key.values[i]!;
    const value = sample.values[i]!;
    if (map[of] === -1) map[of] = value;
    else {
      repeats++;
      if (map[of] !== value) exceptions++;
    }
  }
  return repeats >= REPEATS_MIN * sample.values.length && exceptions <= EXCEPTIONS_MAX * repeats;
}

/** Values as a map from another column's codes, and the rows in which it does not hold. */
export interface Determination {
  /** A value for each code. */
  readonly map: Float64Array;
  /** Ascending. */
  readonly exceptionRows: Uint32Array;
  readonly exceptionValues: Float64Array;
}

/** undefined when too many rows are exceptions. `codes`, below `codeCount`, are those of the same rows. */
export function* determinationSteps(
  values: Values,
  codes: Uint32Array,
  codeCount: number,
): Generator<void, Determination | undefined> {
  const map = new Float64Array(codeCount);
  const votes = new Int32Array(codeCount);
  for (let from = 0; from < values.length; from += STEP_ROWS) {
    vote(values, codes, from, Math.min(from + STEP_ROWS, values.length), map, votes);
    yield;
  }
  const exceptionRows = new Uint32Array(Math.floor(values.length * EXCEPTIONS_MAX));
  const exceptionValues = new Float64Array(exceptionRows.length);
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (!Object.is(map[codes[row]!], value)) {
      if (count === exceptionRows.length) return undefined;
      exceptionRows[count] = row;
      exceptionValues[count++] = value;
    }
    if (row % STEP_ROWS === STEP_ROWS - 1) yield;
  }
  return {
    map,
    exceptionRows: exceptionRows.slice(0, count),
    exceptionValues: exceptionValues.slice(0, count),
  };
}

/** For each code the value that most of its rows have, if most have one (R. Boyer and J Moore's majority vote). */
function vote(
  values: Values,
  codes: Uint32Array,
  from: number,
  to: number,
  map: Float64Array,
  votes: Int32Array,
): void {
  for (let row = from; row < to; row++) {
    const code = codes[row]!;
    const value = values[row]!;
    if (votes[code] === 0) {
      map[code] = value;
      votes[code] = 1;
    } else if (Object.is(map[code], value)) votes[code]!++;
    else votes[code]!--;
  }
}
