import type { DeadLetter } from '../log/record.ts';
import type { Accepted, CollectingView } from './accepted.ts';
import { Collecting } from './collecting.ts';

/**
 * Collects a dead letter's item once more: dated as of its first receipt, judged by the limits of today. What is
 * refused again comes back as the one letter.
 */
export function replayItem(letter: DeadLetter, nowMs: number, view: CollectingView): Accepted {
  const collecting = new Collecting(view, nowMs);
  const item = parsed(letter.item);
  if (item === undefined) return { ...collecting.accepted(), letters: [letter] };
  collecting.addShared(item, 'import', { receivedAtMs: letter.receivedAtMs });
  return collecting.accepted();
}

/** Undefined for an item that was too long to be kept whole. */
function parsed(item: string): unknown {
  try {
    return JSON.parse(item);
  } catch {
    return undefined;
  }
}
