// Events of several parts brought together by user, by counting. `first` is the ordinal whose events come first.

/** ends[ordinals[i] - first + 1]++. */
export function countPlaces(ordinals: usize, count: u32, first: u32, ends: usize): void {
  ends += 4 - ((first as usize) << 2);
  for (const end = ordinals + ((count as usize) << 2); ordinals < end; ordinals += 4) {
    const at = ends + ((load<u32>(ordinals) as usize) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

/** Each number becomes the sum of those up to it. */
export function addUp(numbers: usize, count: u32): void {
  let sum: u32 = 0;
  for (const end = numbers + ((count as usize) << 2); numbers < end; numbers += 4) {
    sum += load<u32>(numbers);
    store<u32>(numbers, sum);
  }
}

/**
 * Each event goes to its user's next place, which is counted on. The first one is event `before` of all. Times are doubles;
 * without any, `toTimes` is 0.
 */
export function placeEvents(
  ordinals: usize,
  count: u32,
  first: u32,
  next: usize,
  before: u32,
  times: usize,
  toTimes: usize,
  kinds: usize,
  toKinds: usize,
  toOrigins: usize,
): void {
  next -= (first as usize) << 2;
  for (let i: u32 = 0; i < count; i++) {
    const at = next + ((load<u32>(ordinals) as usize) << 2);
    const place = load<u32>(at) as usize;
    store<u32>(at, (place as u32) + 1);
    if (toTimes !== 0) {
      store<f64>(toTimes + (place << 3), load<f64>(times));
      times += 8;
    }
    store<u32>(toKinds + (place << 2), load<u32>(kinds));
    store<u32>(toOrigins + (place << 2), before + i);
    ordinals += 4;
    kinds += 4;
  }
}

/**
 * ends[u] is where the events of the u-th ordinal end; afterwards, of those that have events, where they start, and behind
 * the last of them the end. Returns how many there are, whose ordinals it lists.
 */
export function keepFilled(ends: usize, count: u32, first: u32, ordinals: usize): u32 {
  const begin = ordinals;
  let filled = ends;
  let end: u32 = 0;
  for (let u: u32 = 0; u < count; u++) {
    const start = end;
    end = load<u32>(ends);
    ends += 4;
    // Written for each, and written over by the next one that has events.
    store<u32>(ordinals, first + u);
    store<u32>(filled, start);
    const more = ((end > start) as usize) << 2;
    ordinals += more;
    filled += more;
  }
  store<u32>(filled, end);
  return ((ordinals - begin) as u32) >>> 2;
}
