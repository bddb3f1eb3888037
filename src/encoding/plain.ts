import { assert } from '../base/assert.ts';
import { constant } from './constant.ts';
import type { Candidate, Encoding, Statistics } from './contract.ts';
import { dictionary } from './dictionary.ts';
import { packed } from './packed.ts';
import { raw } from './raw.ts';

/** Encodings that are scanned as they lie, without decompressing. */
export const PLAIN_ENCODINGS: readonly Encoding[] = [constant, packed, dictionary, raw];

export interface Choice {
  readonly encoding: Encoding;
  readonly candidate: Candidate;
}

/** The encoding that makes least of the values; of two that make the same, the quicker to scan. */
export function smallest(
  encodings: readonly Encoding[],
  values: Float64Array,
  statistics: Statistics,
): Choice {
  let best: Choice | undefined;
  for (const encoding of encodings) {
    const candidate = encoding.analyze(values, statistics);
    if (candidate === undefined) continue;
    if (best === undefined || isBetter(candidate, best.candidate)) best = { encoding, candidate };
    // Nothing is quicker, nor smaller by more than a few bytes a chunk: the other analyses are saved.
    if (candidate.scanNsPerRow === 0) break;
  }
  assert(best !== undefined, 'raw holds anything');
  return best;
}

function isBetter(candidate: Candidate, best: Candidate): boolean {
  if (candidate.bytes !== best.bytes) return candidate.bytes < best.bytes;
  return candidate.scanNsPerRow < best.scanNsPerRow;
}
