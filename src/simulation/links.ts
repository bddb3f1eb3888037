import type { Clock } from '../base/clock.ts';
import type { SeededRandom } from '../base/random.ts';
import type { Link } from '../shard/messages.ts';

/** Messages wait for a receiver this long at the most. */
const DELAY_MS_MAX = 2;

/**
 * Both ends of a simulated message channel. As between real threads, messages are cloned, transferred buffers are gone
 * for the sender, order is kept, and each takes a while. `isLost` is for bugs on purpose.
 */
export function simulatedLink<A, B>(
  clock: Clock,
  random: SeededRandom,
  isLost: (message: A | B) => boolean = () => false,
): [Link<A, B>, Link<B, A>] {
  const toB = new Pipe<A>(clock, random, isLost);
  const toA = new Pipe<B>(clock, random, isLost);
  return [
    {
      post: (message, transfer) => toB.post(message, transfer),
      onMessage: (handle) => toA.onMessage(handle),
      drain: () => toA.drain(),
    },
    {
      post: (message, transfer) => toA.post(message, transfer),
      onMessage: (handle) => toB.onMessage(handle),
      drain: () => toB.drain(),
    },
  ];
}

class Pipe<Message> {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #isLost: (message: Message) => boolean;
  readonly #waiting: Message[] = [];
  #handle: ((message: Message) => void) | undefined;

  constructor(clock: Clock, random: SeededRandom, isLost: (message: Message) => boolean) {
    this.#clock = clock;
    this.#random = random;
    this.#isLost = isLost;
  }

  post(message: Message, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#isLost(message)) return;
    this.#waiting.push(structuredClone(message, { transfer: [...transfer] }));
    this.#clock.schedule(this.#random.fraction() * DELAY_MS_MAX, () => this.#deliverOldest());
  }

  onMessage(handle: (message: Message) => void): void {
    this.#handle = handle;
  }

  drain(): void {
    while (this.#waiting.length > 0 && this.#handle !== undefined) this.#deliverOldest();
  }

  /** If it has not been drained. */
  #deliverOldest(): void {
    if (this.#waiting.length > 0) this.#handle?.(this.#waiting.shift()!);
  }
}
