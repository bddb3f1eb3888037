/**
 * The class of event e and code c is at classes[rows[e] + columns[c]]. Lists those that are not 0, and sets the bits of
 * their rows. Returns how many there are.
 */
export function classify(
  events: usize,
  codes: usize,
  classes: usize,
  rows: usize,
  columns: usize,
  count: u32,
  words: usize,
  found: usize,
): u32 {
  const begin = found;
  for (let first: u32 = 0; first < count; first += 32) {
    const end = min(<u32>32, count - first);
    let word: u32 = 0;
    for (let bit: u32 = 0; bit < end; bit++) {
      const row = load<u32>(rows + ((load<u32>(events) as usize) << 2));
      const column = load<u32>(columns + ((load<u32>(codes) as usize) << 2));
      const rowClass = load<u32>(classes + (((row + column) as usize) << 2));
      store<u32>(found, rowClass);
      const has = (rowClass !== 0) as u32;
      found += (has as usize) << 2;
      word |= has << bit;
      events += 4;
      codes += 4;
    }
    store<u32>(words, word);
    words += 4;
  }
  return ((found - begin) as u32) >>> 2;
}
