import { assert } from '../../base/assert.ts';
import { NO_CODE } from '../texts/dictionary.ts';
import { sealSharedCodesSteps, setSharedCode, sharedCode, sharedCodesExtent } from './blockFormat.ts';
import type { UnresolvedBlock } from './blockJob.ts';

/** Texts between two yields. */
const STEP_TEXTS = 1 << 13;

/**
 * Writes the dictionary's codes of the result's shared texts (TextDictionary.addSteps) into one of its blocks, once.
 * There must be one for each: what a full dictionary has no room for has to stay in its block, see JobOptions.
 */
export function* resolveSteps(block: UnresolvedBlock, codes: Uint32Array): Generator<void, void> {
  const { bytes, sharedCount, unresolved } = block;
  const extent = sharedCodesExtent(bytes.length, sharedCount);
  for (let i = 0; i < unresolved.length; i++) {
    const at = unresolved[i]!;
    const code = codes[sharedCode(bytes, extent, at)];
    assert(code !== undefined && code !== NO_CODE, 'every shared text has a code');
    setSharedCode(bytes, extent, at, code);
    if (i % STEP_TEXTS === STEP_TEXTS - 1) yield;
  }
  yield* sealSharedCodesSteps(bytes, extent);
}
