// Rows of cells, as a head has them, turned into columns. Row r has the cells from starts[r] to starts[r + 1].

/** A property has a count for each tag below TAGS_END (../kernels.ts), of which this is the logarithm. */
const TAGS_SHIFT: usize = 3;

/**
 * Counts the cells of rows: counts[8 * property + tag]++. And sets the bit of each row's event, numbers[events[row]], among
 * the `eventWords` words of `seen` of each of its properties.
 */
export function countCells(
  rows: usize,
  count: u32,
  starts: usize,
  properties: usize,
  tags: usize,
  events: usize,
  numbers: usize,
  counts: usize,
  seen: usize,
  eventWords: u32,
): void {
  for (const end = rows + ((count as usize) << 2); rows < end; rows += 4) {
    const row = (load<u32>(rows) as usize) << 2;
    const event = load<u32>(numbers + ((load<u32>(events + row) as usize) << 2));
    const bit: u32 = (1 as u32) << (event & 31);
    const last = load<u32>(starts + row, 4) as usize;
    for (let cell = load<u32>(starts + row) as usize; cell < last; cell++) {
      const property = load<u32>(properties + (cell << 2));
      const tag = load<u8>(tags + cell) as usize;
      const counted = counts + ((((property as usize) << TAGS_SHIFT) + tag) << 2);
      store<u32>(counted, load<u32>(counted) + 1);
      const word = seen + (((property * eventWords + (event >>> 5)) as usize) << 2);
      store<u32>(word, load<u32>(word) | bit);
    }
  }
}

/**
 * Puts the cells of rows where the next one of their property goes: ends[property]++. To targetRows goes the row of each in
 * its column, setRows[setOf[property]], where each row counts for the sets of its event e, which are those of `sets` from
 * setStarts[e] to setStarts[e + 1].
 */
export function placeCells(
  rows: usize,
  count: u32,
  starts: usize,
  properties: usize,
  tags: usize,
  payloads: usize,
  ends: usize,
  targetTags: usize,
  targetPayloads: usize,
  events: usize,
  setOf: usize,
  setStarts: usize,
  sets: usize,
  setRows: usize,
  targetRows: usize,
): void {
  for (const end = rows + ((count as usize) << 2); rows < end; rows += 4) {
    const row = (load<u32>(rows) as usize) << 2;
    const last = load<u32>(starts + row, 4) as usize;
    for (let cell = load<u32>(starts + row) as usize; cell < last; cell++) {
      const property = (load<u32>(properties + (cell << 2)) as usize) << 2;
      const to = load<u32>(ends + property) as usize;
      store<u32>(ends + property, (to as u32) + 1);
      store<u8>(targetTags + to, load<u8>(tags + cell));
      store<u64>(targetPayloads + (to << 3), load<u64>(payloads + (cell << 3)));
      const set = (load<u32>(setOf + property) as usize) << 2;
      store<u32>(targetRows + (to << 2), load<u32>(setRows + set));
    }
    const event = setStarts + ((load<u32>(events) as usize) << 2);
    const setEnd = sets + ((load<u32>(event, 4) as usize) << 2);
    for (let at = sets + ((load<u32>(event) as usize) << 2); at < setEnd; at += 4) {
      const counted = setRows + ((load<u32>(at) as usize) << 2);
      store<u32>(counted, load<u32>(counted) + 1);
    }
    events += 4;
  }
}
