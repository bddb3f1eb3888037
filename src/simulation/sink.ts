import type { HttpRequest, HttpResponse } from '../base/network.ts';
import type { SeededRandom } from '../base/random.ts';

/** What a message says it is about. */
export interface Received {
  readonly serial: string;
  readonly campaign: string;
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

  answer(request: HttpRequest): HttpResponse {
    const id = request.headers['webhook-id']!;
    const { serial, campaign } = JSON.parse(new TextDecoder().decode(request.body)) as Received;
    const taken = !this.#random.chance(this.#failing);
    this.messages.set(id, { serial, campaign, taken: taken || this.messages.get(id)?.taken === true });
    return { status: taken ? 200 : 503, headers: {}, bodyStart: '' };
  }
}
