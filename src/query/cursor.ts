import { Buffer } from 'node:buffer';
import { badRequest } from '../base/errors.ts';

/** Opaque cursors: whole numbers that say where a page ended, as text that no caller is tempted to read. */

export function encodeCursor(numbers: readonly number[]): string {
  return Buffer.from(JSON.stringify(numbers)).toString('base64url');
}

/** The numbers of a cursor. Throws `bad_request` for text that `encodeCursor` did not make of as many as it may have. */
export function decodeCursor(
  text: string,
  mayHave: (length: number) => boolean,
  path: string,
): readonly number[] {
  const numbers = readNumbers(text);
  if (numbers === undefined || !mayHave(numbers.length) || encodeCursor(numbers) !== text) {
    throw badRequest('is not a cursor that an earlier page gave', path);
  }
  return numbers;
}

function readNumbers(text: string): readonly number[] | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(json) && json.every(Number.isSafeInteger) ? json : undefined;
  } catch {
    return undefined;
  }
}
