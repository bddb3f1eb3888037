import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/limits.ts';

/** Sizes and durations as people write them in a configuration; base/time.ts reads the durations. */

type Units = readonly (readonly [unit: string, factor: number])[];

const BYTES: Units = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['B', 1],
];

const DURATIONS: Units = [
  ['w', 7 * DAY_MS],
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
];

/** `16GiB` → bytes; undefined for any other text. */
export function parseBytes(text: string): number | undefined {
  const [, digits, name] = /^(\d{1,15})([KMGT]iB|B)$/.exec(text) ?? [];
  const factor = BYTES.find(([unit]) => unit === name)?.[1];
  if (digits === undefined || factor === undefined) return undefined;
  const bytes = Number(digits) * factor;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** In the largest unit that says it exactly. */
export function formatBytes(bytes: number): string {
  return format(bytes, BYTES);
}

/** Whole seconds, in the largest unit that says them exactly. */
export function formatDuration(durationMs: number): string {
  return format(durationMs, DURATIONS);
}

function format(value: number, units: Units): string {
  const [unit, factor] = units.find(([, factor]) => value % factor === 0)!;
  return `${value / factor}${unit}`;
}
