// A pass of a stable counting sort.

/**
 * Puts keys, and an entry that goes with each, in the order of a digit: of the bits of `mask` from bit `shift` on. `places` has
 * room for a number more than there are digits.
 */
export function sortByDigit(
  keys: usize,
  entries: usize,
  count: u32,
  shift: u32,
  mask: u32,
  places: usize,
  targetKeys: usize,
  targetEntries: usize,
): void {
  memory.fill(places, 0, ((mask as usize) + 2) << 2);
  const end = keys + ((count as usize) << 2);
  for (let at = keys; at < end; at += 4) {
    const place = places + ((((load<u32>(at) >>> shift) & mask) as usize) << 2);
    store<u32>(place, load<u32>(place, 4) + 1, 4);
  }
  let before: u32 = 0;
  for (let digit: u32 = 0; digit <= mask; digit++) {
    const place = places + ((digit as usize) << 2);
    before += load<u32>(place);
    store<u32>(place, before);
  }
  for (; keys < end; keys += 4) {
    const key = load<u32>(keys);
    const place = places + ((((key >>> shift) & mask) as usize) << 2);
    const to = load<u32>(place) as usize;
    store<u32>(place, (to as u32) + 1);
    store<u32>(targetKeys + (to << 2), key);
    store<u32>(targetEntries + (to << 2), load<u32>(entries));
    entries += 4;
  }
}
