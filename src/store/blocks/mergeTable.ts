import type { OpenBlock } from './blockReader.ts';

/** Words of a merge in CompactJob's. */
export const MERGE_WORDS = 3;

/** What is known of merges of the ordinals that some blocks have, by ordinal. */
export interface MergeTable {
  /** Who stands for the ordinal, + 1; 0 for itself. */
  readonly canonical: Uint32Array;
  /** The ordinal is the n-th that was merged into that one. */
  readonly origin: Uint32Array;
}

/** Undefined when none of the merges is of an ordinal that these blocks have. */
export function* mergeTableSteps(
  merges: readonly Uint32Array[],
  blocks: readonly OpenBlock[],
): Generator<void, MergeTable | undefined> {
  if (merges.length === 0) return undefined;
  const end = 1 + Math.max(...blocks.map(({ ordinals }) => ordinals.at(ordinals.count - 1)));
  const table = { canonical: new Uint32Array(end), origin: new Uint32Array(end) };
  let isEmpty = true;
  for (const page of merges) {
    for (let at = 0; at < page.length; at += MERGE_WORDS) {
      const ordinal = page[at]!;
      if (ordinal >= end) continue;
      table.canonical[ordinal] = page[at + 1]! + 1;
      table.origin[ordinal] = page[at + 2]!;
      isEmpty = false;
    }
    yield;
  }
  return isEmpty ? undefined : table;
}
