import { realClock, sleep } from '../../base/clock.ts';

/** Nothing in the demo takes so long. */
const WAIT_MS_MAX = 10_000;
const ASK_AGAIN_MS = 5;

/** The promise, unless it takes too long. */
export async function soon<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  let cancel = () => {};
  const expired = new Promise<never>((_, reject) => {
    cancel = realClock.schedule(WAIT_MS_MAX, () => reject(new Error(otherwise)));
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    cancel();
  }
}

/** Asks until the answer is right. */
export async function until<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  otherwise: string,
): Promise<T> {
  const deadlineMs = realClock.monotonicMs() + WAIT_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (realClock.monotonicMs() > deadlineMs) throw new Error(otherwise);
    await sleep(realClock, ASK_AGAIN_MS);
  }
}
