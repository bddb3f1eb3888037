import type { LeftOut } from '../question.ts';

/** Of Muster's side, until the operation exists. */
export const PENDING: LeftOut = { leftOut: 'the operation is not there yet' };
