import { equalTo, type Filter } from '../../encoding/contract.ts';

/** A filter for the codes that have a 1 in the table, as simple as they let it be. */
export function codeFilter(table: Uint8Array): Filter {
  const first = table.indexOf(1);
  if (first === -1) return { kind: 'in', values: new Set() };
  const last = table.lastIndexOf(1);
  if (first === last) return equalTo(first);
  const gap = table.indexOf(0, first);
  return gap === -1 || gap > last ? { kind: 'range', from: first, to: last + 1 } : { kind: 'set', table };
}
