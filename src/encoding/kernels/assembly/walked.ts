// What selected events add up to for their users. Numbers have 32 bits unless something else is said.

/** numbers[i] = base + unit * numbers[i], modulo 2^32. */
export function scaleIntegers(numbers: usize, count: u32, base: u32, unit: u32): void {
  const end = numbers + ((count as usize) << 2);
  const bases = i32x4.splat(base);
  const units = i32x4.splat(unit);
  for (; numbers + 16 <= end; numbers += 16) {
    v128.store(numbers, i32x4.add(bases, i32x4.mul(v128.load(numbers), units)));
  }
  for (; numbers < end; numbers += 4) store<u32>(numbers, base + unit * load<u32>(numbers));
}

/** The same of doubles. */
export function scaleDoubles(numbers: usize, count: u32, base: f64, unit: f64): void {
  const end = numbers + ((count as usize) << 3);
  const bases = f64x2.splat(base);
  const units = f64x2.splat(unit);
  for (; numbers + 16 <= end; numbers += 16) {
    v128.store(numbers, f64x2.add(bases, f64x2.mul(v128.load(numbers), units)));
  }
  for (; numbers < end; numbers += 8) store<f64>(numbers, base + unit * load<f64>(numbers));
}

/** numbers[i] = table[numbers[i] - first]. */
export function lookUp(numbers: usize, count: u32, first: u32, table: usize): void {
  for (const end = numbers + ((count as usize) << 2); numbers < end; numbers += 4) {
    store<u32>(numbers, load<u32>(table + (((load<u32>(numbers) - first) as usize) << 2)));
  }
}

/** target[i] = source[places[i]]. */
export function takeIntegers(source: usize, places: usize, count: u32, target: usize): void {
  for (const end = places + ((count as usize) << 2); places < end; places += 4) {
    store<u32>(target, load<u32>(source + ((load<u32>(places) as usize) << 2)));
    target += 4;
  }
}

/** The same of doubles. */
export function takeDoubles(source: usize, places: usize, count: u32, target: usize): void {
  for (const end = places + ((count as usize) << 2); places < end; places += 4) {
    store<f64>(target, load<f64>(source + ((load<u32>(places) as usize) << 3)));
    target += 8;
  }
}

/** counts[ordinals[i]] += before[i] - before[i - 1], the first of which is 0. */
export function addDifferences(before: usize, ordinals: usize, count: u32, counts: usize): void {
  let last: u32 = 0;
  for (const end = before + ((count as usize) << 2); before < end; before += 4) {
    const number = load<u32>(before);
    const at = counts + ((load<u32>(ordinals) as usize) << 2);
    store<u32>(at, load<u32>(at) + number - last);
    last = number;
    ordinals += 4;
  }
}

/** sums[places[i]] += sizes[i]. */
export function addSizes(places: usize, sizes: usize, count: u32, sums: usize): void {
  for (const end = places + ((count as usize) << 2); places < end; places += 4) {
    const at = sums + ((load<u32>(places) as usize) << 2);
    store<u32>(at, load<u32>(at) + load<u32>(sizes));
    sizes += 4;
  }
}

/** sums[ordinals[i]] += numbers[i], doubles, where that is a number and kinds[i] has the bit. Without branches. */
export function addNumbers(
  ordinals: usize,
  kinds: usize,
  bit: u32,
  numbers: usize,
  count: u32,
  sums: usize,
): void {
  for (const end = ordinals + ((count as usize) << 2); ordinals < end; ordinals += 4) {
    const number = load<f64>(numbers);
    const at = sums + ((load<u32>(ordinals) as usize) << 3);
    const sum = load<f64>(at);
    const isCounted = (((load<u32>(kinds) & bit) !== 0) as u32) & ((number === number) as u32);
    store<f64>(at, select<f64>(sum + number, sum, isCounted !== 0));
    kinds += 4;
    numbers += 8;
  }
}

/**
 * Of ascending ordinals the different ones, and where each starts, and behind the last start the end; returns how many.
 * Written for each, and written over by the next user: where one begins cannot be predicted.
 */
export function listUsers(ordinals: usize, count: u32, users: usize, starts: usize): u32 {
  const begin = users;
  let before: u32 = u32.MAX_VALUE;
  for (let i: u32 = 0; i < count; i++) {
    const ordinal = load<u32>(ordinals);
    store<u32>(users, ordinal);
    store<u32>(starts, i);
    const more = ((ordinal !== before) as usize) << 2;
    users += more;
    starts += more;
    before = ordinal;
    ordinals += 4;
  }
  store<u32>(starts, count);
  return ((users - begin) as u32) >>> 2;
}

/**
 * Bits of doubles from `low` to `high`, or of those that are not, which NaN is neither. As many as are whole groups of 16,
 * a bitmap of 16 bits each.
 */
export function selectNumbers(
  numbers: usize,
  groupCount: u32,
  low: f64,
  high: f64,
  isWithin: bool,
  words: usize,
): void {
  const lows = f64x2.splat(low);
  const highs = f64x2.splat(high);
  const others = isWithin ? i64x2.splat(0) : i64x2.splat(-1);
  for (let group: u32 = 0; group < groupCount; group++) {
    const a = verdicts4(numbers, lows, highs, others);
    const b = verdicts4(numbers + 32, lows, highs, others);
    const c = verdicts4(numbers + 64, lows, highs, others);
    const d = verdicts4(numbers + 96, lows, highs, others);
    const verdicts = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
    store<u16>(words, i8x16.bitmask(verdicts) as u16);
    numbers += 128;
    words += 2;
  }
}

@inline
function verdicts4(numbers: usize, lows: v128, highs: v128, others: v128): v128 {
  const first = verdicts2(v128.load(numbers), lows, highs, others);
  const second = verdicts2(v128.load(numbers, 16), lows, highs, others);
  return v128.shuffle<u32>(first, second, 0, 2, 4, 6);
}

@inline
function verdicts2(numbers: v128, lows: v128, highs: v128, others: v128): v128 {
  const within = v128.and(f64x2.ge(numbers, lows), f64x2.le(numbers, highs));
  return v128.and(v128.xor(within, others), f64x2.eq(numbers, numbers));
}
