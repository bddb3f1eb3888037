import { HOUR_MS, MINUTE_MS, SECOND_MS } from './limits.ts';

/** No zone has changed its offset and back within it: the shortest times between two changes are 4 weeks. */
const SAMPLE_MS = 7 * 24 * HOUR_MS;

/**
 * A zone's offsets from UTC over a span of time, found once: asking the platform takes microseconds, so it is asked once
 * a week, and where the answers differ the change is searched for.
 */
export class ZoneOffsets {
  /** Offset i holds from changesMs[i] until changesMs[i + 1]; the first and the last also beyond. Ascending. */
  readonly #changesMs: number[] = [];
  readonly #offsetsMs: number[] = [];

  /** Of [fromMs, toMs], which must be finite. `zone` is IANA. */
  constructor(zone: string, fromMs: number, toMs: number) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    let atMs = fromMs;
    let offsetMs = offsetAt(format, atMs);
    this.#add(atMs, offsetMs);
    while (atMs < toMs) {
      const nextMs = Math.min(atMs + SAMPLE_MS, toMs);
      const nextOffsetMs = offsetAt(format, nextMs);
      if (nextOffsetMs !== offsetMs) this.#add(changeWithin(format, atMs, nextMs), nextOffsetMs);
      [atMs, offsetMs] = [nextMs, nextOffsetMs];
    }
  }

  /** Local time − UTC, at a time within the span. */
  at(timeMs: number): number {
    let i = this.#changesMs.length - 1;
    while (i > 0 && timeMs < this.#changesMs[i]!) i--;
    return this.#offsetsMs[i]!;
  }

  /**
   * When clocks show this local time, given as if it were UTC: the first time of two, and one that a change of clocks
   * skips is moved on by what was skipped. A day's margin of the span's ends must be left.
   */
  timeOf(localMs: number): number {
    const dayMs = 24 * HOUR_MS;
    const [before, after] = [this.at(localMs - dayMs), this.at(localMs + dayMs)];
    const [early, late] = [localMs - Math.max(before, after), localMs - Math.min(before, after)];
    if (this.at(early) === localMs - early) return early;
    return this.at(late) === localMs - late ? late : localMs - before;
  }

  #add(changeMs: number, offsetMs: number): void {
    this.#changesMs.push(changeMs);
    this.#offsetsMs.push(offsetMs);
  }
}

/** The first whole second of (fromMs, toMs] with another offset than fromMs. */
function changeWithin(format: Intl.DateTimeFormat, fromMs: number, toMs: number): number {
  const offsetMs = offsetAt(format, fromMs);
  let [low, high] = [Math.floor(fromMs / SECOND_MS), Math.ceil(toMs / SECOND_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(format, middle * SECOND_MS) === offsetMs) low = middle;
    else high = middle;
  }
  return high * SECOND_MS;
}

/** Ends with `GMT`, `GMT+05:30`, or with the seconds of a time before standard ones, `GMT-04:56:02`. */
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

function offsetAt(format: Intl.DateTimeFormat, timeMs: number): number {
  const [, sign, hours = 0, minutes = 0, seconds = 0] = OFFSET.exec(format.format(timeMs)) ?? [];
  const offsetMs = Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS;
  return sign === '-' ? -offsetMs : offsetMs;
}
