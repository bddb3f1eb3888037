// What users did by interval: spans of time that ascend without gaps. `bounds` are doubles, where each begins and the last
// one ends; `ofPiece` says of equal pieces of the whole, each so long, in which interval each begins. User u has the
// events [starts[u], starts[u + 1]), by time.

/** Which one the time is in. */
@inline
function intervalOf(timeMs: f64, bounds: usize, ofPiece: usize, pieceMs: f64): u32 {
  const piece = ((timeMs - load<f64>(bounds)) / pieceMs) as u32;
  let interval = load<u32>(ofPiece + ((piece as usize) << 2));
  while (timeMs >= load<f64>(bounds + ((interval as usize) << 3), 8)) interval++;
  return interval;
}

/**
 * counts[ordinal] += in how many intervals, other than latest[ordinal], the user has events of the kind. latest[ordinal] is
 * the interval of the last one then. All of these are doubles.
 */
export function addIntervals(
  users: usize,
  starts: usize,
  userCount: u32,
  times: usize,
  kinds: usize,
  bit: u32,
  bounds: usize,
  ofPiece: usize,
  pieceMs: f64,
  counts: usize,
  latest: usize,
): void {
  let i = load<u32>(starts);
  for (const end = users + ((userCount as usize) << 2); users < end; users += 4) {
    starts += 4;
    const to = load<u32>(starts);
    const own = (load<u32>(users) as usize) << 3;
    let before = load<f64>(latest + own);
    let count = load<f64>(counts + own);
    for (; i < to; i++) {
      if ((load<u32>(kinds + ((i as usize) << 2)) & bit) === 0) continue;
      const interval = intervalOf(load<f64>(times + ((i as usize) << 3)), bounds, ofPiece, pieceMs) as f64;
      count += select<f64>(0, 1, interval === before);
      before = interval;
    }
    store<f64>(latest + own, before);
    store<f64>(counts + own, count);
  }
}

/**
 * Of each user the interval of the first event of kind 1 (u32.MAX_VALUE for none so far), and in which of it and the next
 * `periods` there are events of kind 2 from then on: sizes[interval], and returned[interval * (periods + 1) + later].
 * Everything before counted[ordinal], doubles, has been counted.
 */
export function countCohorts(
  users: usize,
  starts: usize,
  userCount: u32,
  times: usize,
  kinds: usize,
  bounds: usize,
  ofPiece: usize,
  pieceMs: f64,
  periods: u32,
  cohorts: usize,
  counted: usize,
  sizes: usize,
  returned: usize,
): void {
  for (const end = users + ((userCount as usize) << 2); users < end; users += 4) {
    const from = load<u32>(starts);
    starts += 4;
    const to = load<u32>(starts);
    const ordinal = load<u32>(users) as usize;
    let cohort = load<u32>(cohorts + (ordinal << 2));
    let countedMs = load<f64>(counted + (ordinal << 3));
    let i = from;
    if (cohort === u32.MAX_VALUE) {
      while (i < to && (load<u32>(kinds + ((i as usize) << 2)) & 1) === 0) i++;
      if (i === to) continue;
      countedMs = load<f64>(times + ((i as usize) << 3));
      cohort = intervalOf(countedMs, bounds, ofPiece, pieceMs);
      const size = sizes + ((cohort as usize) << 2);
      store<u32>(size, load<u32>(size) + 1);
      // Events of the same time are not before it.
      while (i > from && load<f64>(times + ((i as usize) << 3) - 8) === countedMs) i--;
    }
    const lastEndMs = load<f64>(bounds + (((cohort + periods + 1) as usize) << 3));
    const own = returned + (((cohort * (periods + 1)) as usize) << 2);
    for (; i < to; i++) {
      const timeMs = load<f64>(times + ((i as usize) << 3));
      if (timeMs >= lastEndMs) break;
      if (timeMs < countedMs || (load<u32>(kinds + ((i as usize) << 2)) & 2) === 0) continue;
      const interval = intervalOf(timeMs, bounds, ofPiece, pieceMs);
      const cell = own + (((interval - cohort) as usize) << 2);
      store<u32>(cell, load<u32>(cell) + 1);
      countedMs = load<f64>(bounds + ((interval as usize) << 3), 8);
    }
    store<u32>(cohorts + (ordinal << 2), cohort);
    store<f64>(counted + (ordinal << 3), countedMs);
  }
}
