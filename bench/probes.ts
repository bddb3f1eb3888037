import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '../src/base/errors.ts';
import type { MusterClient } from '../src/client/client.ts';

/** Between two probes. */
const PAUSE_MS = 30;

export interface ProbePlan {
  readonly url: string;
  readonly key: string;
  /** The first one's number; no number is to be used twice. */
  readonly first: number;
  readonly count: number;
  readonly timeMs: number;
}

/** Sends one event of a new user after the other; how long after each acknowledgement the event was found, in ms. */
export async function probe(client: MusterClient, plan: ProbePlan): Promise<number[]> {
  const { url, key, first, count, timeMs } = plan;
  const foundMs: number[] = [];
  for (let i = first; i < first + count; i++) {
    const userId = `probe-${i}`;
    const response = await fetch(new URL('/v1/track', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ userId, event: 'Probe Sent', timestamp: new Date(timeMs).toISOString() }),
    });
    if (!response.ok) throw new Error(`a probe was answered with status ${response.status}`);
    const acknowledgedMs = performance.now();
    while (!(await isFound(client, userId)));
    foundMs.push(performance.now() - acknowledgedMs);
    await sleep(PAUSE_MS);
  }
  return foundMs;
}

async function isFound(client: MusterClient, userId: string): Promise<boolean> {
  try {
    return (await client.call('user.timeline', { userId })).events.length > 0;
  } catch (error) {
    if (error instanceof MusterError && error.code === 'not_found') return false;
    throw error;
  }
}
