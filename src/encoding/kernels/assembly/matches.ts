// Rows that rules want, where these are few: each is found by the events that its value goes with. Events are bytes, and their
// buckets too, of which there are 16, or 255 for an event that no rule wants.

/** Codes of 32 bits that are less than 256. */
export function narrow(codes: usize, count: u32, bytes: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u8>(bytes, load<u32>(codes) as u8);
    codes += 4;
    bytes++;
  }
}

/** target[i] = table[bytes[i]] */
export function lookUpBytes(bytes: usize, count: u32, table: usize, target: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u8>(target, load<u8>(table + (load<u8>(bytes) as usize)));
    bytes++;
    target++;
  }
}

/** Of each value a vector: 255 in the bytes of the buckets of which a rule wants an event with it, at any time. */
export function listWanted(
  eventMasks: usize,
  buckets: usize,
  eventCount: u32,
  valueMasks: usize,
  valueCount: u32,
  timeMasks: usize,
  timeCount: u32,
  wanted: usize,
): void {
  let ofTimes = i64x2.splat(0);
  for (let t: u32 = 0; t < timeCount; t++) {
    ofTimes = v128.or(ofTimes, v128.load(timeMasks));
    timeMasks += 16;
  }
  for (let v: u32 = 0; v < valueCount; v++) {
    const mask = v128.and(v128.load(valueMasks), ofTimes);
    v128.store(wanted, i64x2.splat(0));
    for (let e: usize = 0; e < (eventCount as usize); e++) {
      if (!v128.any_true(v128.and(mask, v128.load(eventMasks + (e << 4))))) continue;
      store<u8>(wanted + (load<u8>(buckets + e) as usize), 255);
    }
    valueMasks += 16;
    wanted += 16;
  }
}

/**
 * Of runs of rows [from, to) with one value each, those in which a rule may want some: their first row, the value, and a bit for
 * each row of which it may be so. Up to 16 rows at a time. Returns how many.
 */
export function listRuns(
  from: u32,
  to: u32,
  buckets: usize,
  values: usize,
  valueEnds: usize,
  wanted: usize,
  runs: usize,
): u32 {
  const first = runs;
  let row = from;
  while (row < to) {
    const end = min(load<u32>(valueEnds), to);
    const value = load<u32>(values);
    const ofValue = v128.load(wanted + ((value as usize) << 4));
    values += 4;
    valueEnds += 4;
    do {
      const found = i8x16.bitmask(i8x16.swizzle(ofValue, v128.load(buckets + ((row - from) as usize))));
      const bits = found & ((1 << min(end - row, 16)) - 1);
      store<u32>(runs, row);
      store<u32>(runs, value, 4);
      store<u32>(runs, bits, 8);
      runs += select<usize>(12, 0, bits !== 0);
      row += 16;
    } while (row < end);
    row = end;
  }
  return ((runs - first) / 12) as u32;
}

/**
 * pairs[n] = rule << ordinalBits | user, for each row of the runs from `run` on and each rule that wants it, as far as there is
 * room. At `state` are the first run, time and user to look at, which is written again. Returns how many there are.
 */
export function listPairs(
  from: u32,
  runs: usize,
  runCount: u32,
  events: usize,
  times: usize,
  timeEnds: usize,
  users: usize,
  userEnds: usize,
  eventMasks: usize,
  valueMasks: usize,
  timeMasks: usize,
  ordinalBits: u32,
  state: usize,
  pairs: usize,
  pairsEnd: usize,
): u32 {
  const first = pairs;
  let run = load<u32>(state);
  let time = load<u32>(state, 4) as usize;
  let user = load<u32>(state, 8) as usize;
  // A run has up to 16 rows, each of which 128 rules may want.
  for (; run < runCount && pairs + 8192 <= pairsEnd; run++) {
    const at = runs + (run as usize) * 12;
    const ofValue = v128.load(valueMasks + ((load<u32>(at, 4) as usize) << 4));
    for (let bits = load<u32>(at, 8); bits !== 0; bits &= bits - 1) {
      const row = load<u32>(at) + ctz(bits);
      const event = load<u8>(events + ((row - from) as usize)) as usize;
      while (load<u32>(timeEnds + time) <= row) time += 4;
      const ofTime = v128.load(timeMasks + ((load<u32>(times + time) as usize) << 4));
      const mask = v128.and(v128.and(ofValue, ofTime), v128.load(eventMasks + (event << 4)));
      if (!v128.any_true(mask)) continue;
      while (load<u32>(userEnds + user) <= row) user += 4;
      const ordinal = load<u32>(users + user);
      for (let rest = i64x2.extract_lane(mask, 0); rest !== 0; rest &= rest - 1) {
        store<u32>(pairs, ((ctz(rest) as u32) << ordinalBits) | ordinal);
        pairs += 4;
      }
      for (let rest = i64x2.extract_lane(mask, 1); rest !== 0; rest &= rest - 1) {
        store<u32>(pairs, ((64 + (ctz(rest) as u32)) << ordinalBits) | ordinal);
        pairs += 4;
      }
    }
  }
  store<u32>(state, run);
  store<u32>(state, time as u32, 4);
  store<u32>(state, user as u32, 8);
  return ((pairs - first) >>> 2) as u32;
}
