import type { EventFilter } from '../criterion.ts';
import { parseFilter } from '../parse.ts';
import type { Span } from '../predicate.ts';
import { asObject, checkKeys } from '../shape.ts';
import { visibleFromMs } from '../users.ts';
import type { AnalysisContext } from './analysis.ts';

/** `{event, where?}` and nothing else. */
export function parseEventFilter(json: unknown, path: string): EventFilter {
  const object = asObject(json, path);
  checkKeys(object, path, ['event', 'where']);
  return parseFilter(object, path);
}

/** When events that an analysis sees happened: retained, not after `at`, and in [from − earlierMs, to + laterMs). */
export function frameSpan(
  { view, frame }: AnalysisContext,
  { earlierMs = 0, laterMs = 0 }: { readonly earlierMs?: number; readonly laterMs?: number } = {},
): Span {
  return {
    fromMs: Math.max(frame.fromMs - earlierMs, visibleFromMs(view.settings, frame.nowMs)),
    toMs: Math.min(frame.toMs + laterMs, frame.atMs + 1),
  };
}
