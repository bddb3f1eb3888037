import { InvalidArgumentError } from 'commander';

/** How the texts of flags are read. Each throws what commander reports as wrong usage. */

export function positiveNumber(text: string): number {
  const n = wholeNumber(text);
  if (n === 0) throw new InvalidArgumentError('it must be at least 1.');
  return n;
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('it must be a whole number.');
  return Number(text);
}

/** Names separated by commas. */
export function listOf(text: string): readonly string[] {
  return text.split(',');
}
