import { RE2JS, RE2JSException } from 're2js';
import { badRequest, type MusterError } from '../base/errors.ts';
import {
  PATTERN_CHARS_MAX,
  PATTERN_SIZE_MAX,
  PATTERNS_KEPT_MAX,
  SEGMENT_PATTERNS_MAX,
} from '../base/limits.ts';

/**
 * Patterns in RE2's syntax, matched in time proportional to the text. What a match can cost is bounded by the length of
 * a value times PATTERN_SIZE_MAX.
 */
export interface Pattern {
  /** Whether any part of the text matches. */
  test(text: string): boolean;
}

/** Checks the patterns of one definition as they are parsed: compiling takes much longer than parsing. */
export class PatternCheck {
  #checked = 0;

  /** Throws `bad_request` at `path`. */
  check(text: string, path: string): void {
    if (++this.#checked > SEGMENT_PATTERNS_MAX) {
      throw badRequest(`a definition must have at most ${SEGMENT_PATTERNS_MAX} patterns`, path);
    }
    compilePattern(text, path);
  }
}

/** The latest last. */
const kept = new Map<string, RE2JS>();

/** The pattern compiled, or as it was compiled before. Throws `bad_request` at `path`. */
export function compilePattern(text: string, path: string): Pattern {
  let pattern = kept.get(text);
  if (pattern === undefined) pattern = compile(text, path);
  else kept.delete(text);
  kept.set(text, pattern);
  if (kept.size > PATTERNS_KEPT_MAX) kept.delete(kept.keys().next().value!);
  return pattern;
}

function compile(text: string, path: string): RE2JS {
  if (text.length > PATTERN_CHARS_MAX) {
    throw badRequest(`must have at most ${PATTERN_CHARS_MAX} characters`, path);
  }
  if (repetitionsIn(text) > PATTERN_SIZE_MAX) throw tooLarge(path);
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(text);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw badRequest(`is no pattern in RE2's syntax: ${error.message}`, path);
  }
  if (pattern.programSize() > PATTERN_SIZE_MAX) throw tooLarge(path);
  return pattern;
}

/** How often its counted repetitions at least repeat something: found before they are written out in compiling. */
function repetitionsIn(text: string): number {
  let count = 0;
  // What is escaped is none, nor is the number of a character, as in `\x{2013}`.
  for (const [, least, most] of text.matchAll(/\\x\{|\\.|\{(\d+)(?:,(\d*))?\}/gs)) {
    count += Number(most || least || 0);
  }
  return count;
}

function tooLarge(path: string): MusterError {
  return badRequest(`is too large: it compiles to more than ${PATTERN_SIZE_MAX} instructions`, path);
}
