import type { TraitState } from './traitState.ts';

/** What objects of V8 take, as measured on Node 20: no engine says it for a single object. */

/** A typed array and the buffer of its own, without the bytes in it. */
export const BUFFER_BYTES = 280;
/** An entry of a Map of many. */
export const MAP_ENTRY_BYTES = 40;
/** A text's header, and its place in a list. */
export const TEXT_BYTES = 32;

/** With its entry in a Map. */
export function stateBytes({ set, once, increments, elements }: TraitState): number {
  const starts = (set === undefined ? 0 : 56) + (once === undefined ? 0 : 56);
  return MAP_ENTRY_BYTES + 100 + starts + 72 * increments.length + 80 * elements.length;
}
