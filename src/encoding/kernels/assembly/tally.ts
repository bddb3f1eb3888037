// Counts of up to 128 rules at once: a user's planes, a vector for each digit from the lowest and one for what overflows.
import { STEP } from './layout';

@inline
function maskOf(masks: usize, classes: usize): v128 {
  return v128.load(masks + ((load<u32>(classes) as usize) << 4));
}

/**
 * Counts rows [from, to): `events` has the class of each, and of values, times and users there are the classes of runs and
 * where these end. A user's class is its ordinal. Planes have 3 digits or more; up to four of them do not go through memory
 * while the user is the same.
 */
export function tallyRows(
  from: u32,
  to: u32,
  events: usize,
  values: usize,
  valueEnds: usize,
  times: usize,
  timeEnds: usize,
  users: usize,
  userEnds: usize,
  eventMasks: usize,
  valueMasks: usize,
  timeMasks: usize,
  planes: usize,
  digits: u32,
): void {
  const userBytes = ((digits + 1) as usize) << 4;
  const areFew = digits === 3;
  let valueEnd = load<u32>(valueEnds);
  let timeEnd = load<u32>(timeEnds);
  let ofValue = maskOf(valueMasks, values);
  let ofTime = maskOf(timeMasks, times);
  let row = from;
  while (row < to) {
    const userEnd = min(load<u32>(userEnds), to);
    const user = planes + (load<u32>(users) as usize) * userBytes;
    users += 4;
    userEnds += 4;
    let ones = v128.load(user);
    let twos = v128.load(user, 16);
    let fours = v128.load(user, 32);
    // The eights, or where there are none what overflows.
    let rest = v128.load(user, 48);
    for (;;) {
      const end = min(userEnd, min(valueEnd, timeEnd));
      const mask = v128.and(ofValue, ofTime);
      const eventsEnd = events + (((end - row) as usize) << 2);
      if (v128.any_true(mask)) {
        for (; events < eventsEnd; events += 4) {
          const one = v128.and(mask, maskOf(eventMasks, events));
          const two = v128.and(ones, one);
          const four = v128.and(twos, two);
          const eight = v128.and(fours, four);
          ones = v128.xor(ones, one);
          twos = v128.xor(twos, two);
          fours = v128.xor(fours, four);
          if (areFew) rest = v128.or(rest, eight);
          else if (v128.any_true(eight)) {
            carryOn(user + 64, user + userBytes - 16, v128.and(rest, eight));
            rest = v128.xor(rest, eight);
          }
        }
      }
      events = eventsEnd;
      row = end;
      if (row === valueEnd) {
        values += 4;
        valueEnds += 4;
        valueEnd = load<u32>(valueEnds);
        ofValue = maskOf(valueMasks, values);
      }
      if (row === timeEnd) {
        times += 4;
        timeEnds += 4;
        timeEnd = load<u32>(timeEnds);
        ofTime = maskOf(timeMasks, times);
      }
      if (row === userEnd) break;
    }
    v128.store(user, ones);
    v128.store(user, twos, 16);
    v128.store(user, fours, 32);
    v128.store(user, rest, 48);
  }
}

/** Adds to the planes from `at` on, up to what overflows. */
function carryOn(at: usize, over: usize, carry: v128): void {
  for (; at < over && v128.any_true(carry); at += 16) {
    const plane = v128.load(at);
    v128.store(at, v128.xor(plane, carry));
    carry = v128.and(plane, carry);
  }
  v128.store(over, v128.or(v128.load(over), carry));
}

/**
 * For users whose planes are at `users`, rounded up to 16: bit u of what rule r has at words + r * ruleBytes = whether user u
 * has at least so many rows as the planes at `thresholds` say, of rules rounded up to 8. They must be 0 before.
 */
export function tallyAtLeast(
  users: usize,
  userCount: u32,
  thresholds: usize,
  digits: u32,
  ruleCount: u32,
  words: usize,
  ruleBytes: usize,
): void {
  const bytes = (((ruleCount + 7) >>> 3) as usize) << 4;
  for (let user: u32 = 0; user < userCount; user += 16) {
    const any = digits === 3 ? compareFew(users, thresholds) : compareMany(users, thresholds, digits);
    users += ((digits + 1) as usize) << 8;
    if (!v128.any_true(any)) continue;
    transpose(STEP, STEP + 256);
    transpose(STEP + 256, STEP);
    transpose(STEP, STEP + 256);
    transpose(STEP + 256, STEP);
    storeBits(bytes, words + (user >>> 3), ruleBytes);
  }
}

/** To STEP the rules whose thresholds 16 users reach; returns those that any of them reaches. */
@inline
function compareFew(users: usize, thresholds: usize): v128 {
  const ones = v128.load(thresholds);
  const twos = v128.load(thresholds, 16);
  const fours = v128.load(thresholds, 32);
  const over = v128.load(thresholds, 48);
  let any = i64x2.splat(0);
  for (let at: usize = 0; at < 256; at += 16) {
    let less = v128.andnot(ones, v128.load(users));
    less = borrow(less, v128.load(users, 16), twos);
    less = borrow(less, v128.load(users, 32), fours);
    const reached = v128.or(v128.load(users, 48), v128.not(v128.or(less, over)));
    v128.store(STEP + at, reached);
    any = v128.or(any, reached);
    users += 64;
  }
  return any;
}

@inline
function compareMany(users: usize, thresholds: usize, digits: u32): v128 {
  const overAt = (digits as usize) << 4;
  const over = v128.load(thresholds + overAt);
  let any = i64x2.splat(0);
  for (let at: usize = 0; at < 256; at += 16) {
    let less = i64x2.splat(0);
    for (let digit: usize = 0; digit < overAt; digit += 16) {
      less = borrow(less, v128.load(users + digit), v128.load(thresholds + digit));
    }
    const reached = v128.or(v128.load(users + overAt), v128.not(v128.or(less, over)));
    v128.store(STEP + at, reached);
    any = v128.or(any, reached);
    users += overAt + 16;
  }
  return any;
}

/** Whether counts are less than thresholds up to a digit, by whether they are up to the one below. */
@inline
function borrow(less: v128, count: v128, threshold: v128): v128 {
  return v128.or(v128.andnot(threshold, count), v128.andnot(less, v128.xor(count, threshold)));
}

/** A step of four that turn bytes of 16 rows into bytes of 16 columns. */
@inline
function transpose(source: usize, target: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    const a = v128.load(source + i);
    const b = v128.load(source + i, 128);
    const at = target + (i << 1);
    v128.store(at, v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(at, v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
  }
}

/** Of vectors at STEP, each with a byte of 16 users, the bits of eight rules. */
@inline
function storeBits(byteCount: usize, target: usize, ruleBytes: usize): void {
  for (let i: usize = 0; i < byteCount; i += 16) {
    let bytes = v128.load(STEP + i);
    target += ruleBytes << 3;
    if (!v128.any_true(bytes)) continue;
    let at = target;
    // The highest bit of each byte is that of the last of eight rules.
    for (let rule = 0; rule < 8; rule++) {
      at -= ruleBytes;
      store<u16>(at, i8x16.bitmask(bytes) as u16);
      bytes = i8x16.add(bytes, bytes);
    }
  }
}
