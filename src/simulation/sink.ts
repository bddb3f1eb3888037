import type { HttpRequest, HttpResponse } from '../base/network.ts';
import type { SeededRandom } from '../base/random.ts';

/** What a message says it is about. */
export interface Received {
  readonly account: string;
  readonly campaign: string;
  readonly serial: string;
  /** Whether it was ever answered with 200. */
  readonly taken: boolean;
}

/** The receiving end of webhooks: remembers every message id it saw, and fails now and then. */
export class Sink {
  readonly messages = new Map<string, Received>();
  readonly #random: SeededRandom;
  #failing = 0.2;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** From now on every message is taken. */
  heal(): void {
    this.#failing = 0;
  }

  /** `failures`: the status of an answer that is none of success. */
  answer(request: HttpRequest, failures: readonly number[]): HttpResponse {
    const id = request.headers['webhook-id']!;
    const received = JSON.parse(new TextDecoder().decode(request.body)) as Omit<Received, 'taken'>;
    const taken = !this.#random.chance(this.#failing);
    this.messages.set(id, { ...received, taken: taken || this.messages.get(id)?.taken === true });
    if (taken) return { status: 200, headers: {}, bodyStart: '' };
    const status = this.#random.pick(failures);
    return { status, headers: status === 429 ? { 'retry-after': '2' } : {}, bodyStart: '' };
  }
}
