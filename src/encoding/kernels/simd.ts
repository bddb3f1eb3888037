import type { Kernels } from './kernels.ts';
import { plainKernels } from './plain.ts';
import { cellKernels } from './simdCells.ts';
import { chainKernels } from './simdChains.ts';
import { encodeKernels } from './simdEncode.ts';
import { gatherKernels } from './simdGather.ts';
import { intervalKernels } from './simdIntervals.ts';
import { matchKernels } from './simdMatches.ts';
import { SimdMemory } from './simdMemory.ts';
import { placedKernels } from './simdPlaced.ts';
import { runsKernels } from './simdRuns.ts';
import { selectKernels } from './simdSelect.ts';
import { selectedKernels } from './simdSelected.ts';
import { spreadKernels } from './simdSpread.ts';
import { newSimdTally } from './simdTally.ts';
import { walkedKernels } from './simdWalked.ts';
import { hasSimd } from './wasm.ts';

/** Of a thread, for arrays of queries and of blocks being made; none of it is touched before it is used. */
const ARENA_BYTES = 32 << 20;

export interface SimdKernels extends Kernels {
  /** What is kept there is read and written without being copied. */
  readonly arena: Uint8Array<ArrayBuffer>;
  /** Rows that go through the memory at a time. */
  pieceRows(bits: number): number;
}

let shared: SimdKernels | undefined;

/** The kernels in WebAssembly, one instance a thread; undefined where the host has no SIMD. */
export function simdKernels(): SimdKernels | undefined {
  shared ??= simdKernelsWithArena(ARENA_BYTES);
  return shared;
}

/**
 * An instance of its own, with so much room for what is to be scanned without being copied. What jumps about in its input
 * gains from WebAssembly only where that lies in its memory anyway, or is read several times once it was copied there.
 */
export function simdKernelsWithArena(arenaBytes: number): SimdKernels | undefined {
  if (!hasSimd()) return undefined;
  const memory = new SimdMemory(arenaBytes);
  return {
    name: 'simd',
    arena: memory.arena,
    near: memory.near,
    pieceRows: (bits) => memory.pieceRows(bits),
    ...selectKernels(memory),
    ...runsKernels(memory),
    ...gatherKernels(memory),
    ...selectedKernels(memory),
    ...spreadKernels(memory),
    ...encodeKernels(memory),
    ...placedKernels(memory),
    ...walkedKernels(memory),
    ...chainKernels(memory),
    ...cellKernels(memory),
    ...intervalKernels(memory),
    ...matchKernels(memory),
    reduceRuns: plainKernels.reduceRuns,
    newTally: newSimdTally,
  };
}
