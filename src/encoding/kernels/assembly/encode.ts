// What encoding asks of a chunk's codes, 32 bits each.

/** target = the least, then the greatest of four lanes each. At least one vector of codes. */
export function bounds(codes: usize, vectorCount: u32, target: usize): void {
  let least = v128.load(codes);
  let greatest = least;
  for (let i: u32 = 1; i < vectorCount; i++) {
    codes += 16;
    const next = v128.load(codes);
    least = i32x4.min_u(least, next);
    greatest = i32x4.max_u(greatest, next);
  }
  v128.store(target, least);
  v128.store(target, greatest, 16);
}

/**
 * Of codes without their lowest bits: to `runCodes` those that another one follows, to `ends` where it does, `base` more
 * than the place there. One more code lies behind the `count` ones. Returns how many there are.
 */
export function runs(codes: usize, count: u32, lowBits: u32, base: u32, runCodes: usize, ends: usize): u32 {
  const begin = ends;
  for (let from: u32 = 0; from < count; from += 32) {
    let changes: u32 = 0;
    for (let i: u32 = 0; i < 32; i += 4) {
      const at = codes + ((i as usize) << 2);
      const one = i32x4.shr_u(v128.load(at), lowBits);
      const next = i32x4.shr_u(v128.load(at, 4), lowBits);
      changes |= (i32x4.bitmask(i32x4.ne(one, next)) as u32) << i;
    }
    if (count - from < 32) changes &= ((1 as u32) << (count - from)) - 1;
    for (; changes !== 0; changes &= changes - 1) {
      const i = ctz(changes);
      store<u32>(runCodes, load<u32>(codes + ((i as usize) << 2)) >>> lowBits);
      store<u32>(ends, base + from + i + 1);
      runCodes += 4;
      ends += 4;
    }
    codes += 128;
  }
  return ((ends - begin) as u32) >>> 2;
}

/** Their lowest bits one after another, from a whole byte on; writes up to 8 bytes more than they take. */
export function pack(codes: usize, bits: u32, count: u32, target: usize): void {
  const mask = (((1 as u64) << bits) - 1) as u64;
  const twice = bits << 1;
  let pending: u64 = 0;
  let used: u32 = 0;
  const end = codes + ((count as usize) << 2);
  if (twice <= 56) {
    // Two codes at a time: each step waits for the one before.
    for (; codes + 4 < end; codes += 8) {
      const two = ((load<u32>(codes) as u64) & mask) | (((load<u32>(codes, 4) as u64) & mask) << bits);
      pending |= two << used;
      store<u64>(target, pending);
      used += twice;
      target += used >>> 3;
      pending >>>= used & ~7;
      used &= 7;
    }
  }
  for (; codes < end; codes += 4) {
    pending |= ((load<u32>(codes) as u64) & mask) << used;
    store<u64>(target, pending);
    used += bits;
    target += used >>> 3;
    pending >>>= used & ~7;
    used &= 7;
  }
}
