import type { Encoding, Statistics } from './contract.ts';
import { lz4 } from './lz4.ts';
import { type Choice, PLAIN_ENCODINGS, smallest } from './plain.ts';

/** Hot columns are scanned by queries all the time; cold ones are mostly read a row at a time. */
export type Temperature = 'hot' | 'cold';

const ENCODINGS: readonly Encoding[] = [...PLAIN_ENCODINGS, lz4];

export function encodingById(id: number): Encoding | undefined {
  return ENCODINGS.find((encoding) => encoding.id === id);
}

/** What makes least of the values, measured; for hot columns among what is scanned without decompressing. */
export function pick(values: Float64Array, statistics: Statistics, temperature: Temperature): Choice {
  return smallest(temperature === 'hot' ? PLAIN_ENCODINGS : ENCODINGS, values, statistics);
}
