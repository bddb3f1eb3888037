/**
 * What a trait's cells refer to, as numbers of 32 bits: nothing, a state that its page keeps whole, or an unset value;
 * from SHARED_REFS_FROM on a value of the trait's (sharedValues.ts), from HEAP_REFS_FROM on one of its page's
 * (traitHeap.ts).
 */
export const NO_REF = 0;
export const STATE_REF = 1;
export const UNSET_REF = 2;
/** In place of a reference: the cell is a number, or the text of a moment (moments.ts), itself. */
export const NUMBER_CELL = -1;
export const MOMENT_CELL = -2;
export const SHARED_REFS_FROM = 3;
export const HEAP_REFS_FROM = 1 << 16;
