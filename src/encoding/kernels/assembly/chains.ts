// Steps that follow each other within a window: see query/analytics/chains.ts, which says what a chain is.

/** Of a user that has several events at one time: which of them serves which step is not found here. */
const NOT_WALKED: u32 = u32.MAX_VALUE;

/**
 * Walks users' events, [starts[u], starts[u + 1]) of user u, by time. Bit s of kinds[i] is set when an event may be step s.
 * levels[u] is how many steps the user has got to; when each of them was taken is at u * stepCount of `stepTimes`, doubles,
 * and the event that they began with in firstEvents[u]. `state` has room for stepCount * (stepCount + 2) numbers of 8 bytes.
 */
export function walkChains(
  starts: usize,
  userCount: u32,
  times: usize,
  kinds: usize,
  stepCount: u32,
  windowMs: f64,
  state: usize,
  levels: usize,
  stepTimes: usize,
  firstEvents: usize,
): void {
  const rowBytes = (stepCount as usize) << 3;
  // By step: when the chain up to it began, with which event, and, in a row each, when its steps were taken.
  const begun = state;
  const firsts = begun + rowBytes;
  const rows = firsts + rowBytes;
  let i = load<u32>(starts);
  for (let u: u32 = 0; u < userCount; u++) {
    starts += 4;
    const to = load<u32>(starts);
    for (let at = begun; at < firsts; at += 8) store<f64>(at, -Infinity);
    let level: u32 = 0;
    for (; i < to && level < stepCount; i++) {
      const timeMs = load<f64>(times + ((i as usize) << 3));
      if (i + 1 < to && load<f64>(times + ((i as usize) << 3), 8) === timeMs) {
        level = NOT_WALKED;
        break;
      }
      // From the last step on, so that an event does not go on from itself.
      for (let mask = load<u32>(kinds + ((i as usize) << 2)); mask !== 0; ) {
        const step = (31 - clz(mask)) as u32;
        mask ^= (1 as u32) << step;
        const own = (step as usize) << 3;
        const row = rows + (step as usize) * rowBytes;
        if (step === 0) {
          store<f64>(begun, timeMs);
          store<u32>(firsts, i);
        } else {
          const beganMs = load<f64>(begun + own - 8);
          if (!(beganMs > load<f64>(begun + own) && beganMs >= timeMs - windowMs)) continue;
          store<f64>(begun + own, beganMs);
          store<u32>(firsts + own, load<u32>(firsts + own - 8));
          for (let at: usize = 0; at < own; at += 8) store<f64>(row + at, load<f64>(row - rowBytes + at));
        }
        store<f64>(row + own, timeMs);
        if (step < level) continue;
        // As many steps as that for the first time: the chain is kept as it is.
        level = step + 1;
        store<u32>(firstEvents, load<u32>(firsts + own));
        for (let at: usize = 0; at <= own; at += 8) store<f64>(stepTimes + at, load<f64>(row + at));
      }
    }
    i = to;
    store<u32>(levels, level);
    levels += 4;
    firstEvents += 4;
    stepTimes += rowBytes;
  }
}
