/** Of ascending numbers the place of the last that is at most `wanted`; -1 when none is. */
export function lastAtMost(ascending: Uint16Array | Uint32Array | Float64Array, wanted: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The first place in [from, to) of ascending numbers whose number is not below `end`; `to` when all are. */
export function firstFrom(
  ascending: Uint32Array | Float64Array,
  from: number,
  to: number,
  end: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < end) low = middle + 1;
    else high = middle;
  }
  return low;
}
