import type { Clock } from '../base/clock.ts';
import { SECOND_MS } from '../base/limits.ts';
import { type HttpRequest, type HttpResponse, type Network, NetworkError } from '../base/network.ts';
import type { SeededRandom } from '../base/random.ts';

/** Probabilities per request. */
export interface NetworkFaults {
  /** Nobody gets to see the request; the sender waits in vain, or its connection breaks. */
  readonly lostRequest: number;
  /** The request is seen and answered, but the sender does not get the answer. */
  readonly lostResponse: number;
  /** Takes seconds, often more than the sender waits. */
  readonly slow: number;
}

export const NO_NETWORK_FAULTS: NetworkFaults = { lostRequest: 0, lostResponse: 0, slow: 0 };

const LATENCY_MS_MAX = 50;
const SLOW_MS_MAX = 30 * SECOND_MS;

/** The outside world in memory: who answers at which URL, and faults that follow from the seed. */
export class SimulatedNetwork implements Network {
  /** May be set at any time. */
  faults: NetworkFaults = NO_NETWORK_FAULTS;
  readonly #random: SeededRandom;
  readonly #clock: Clock;
  readonly #sinks = new Map<string, (request: HttpRequest) => HttpResponse>();

  constructor(random: SeededRandom, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
  }

  /** Who answers at this URL from now on; before, connections to it are refused. */
  sink(url: string, answer: (request: HttpRequest) => HttpResponse): void {
    this.#sinks.set(url, answer);
  }

  request(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const fail = (failure: 'timeout' | 'connection', message: string) =>
        reject(new NetworkError(failure, message));
      // A promise settles once: whatever comes after this is too late.
      this.#clock.schedule(request.timeoutMs, () => fail('timeout', 'no answer in time'));
      const travel = (isLost: boolean, arrive: () => void): void => {
        const breaks = this.#random.chance(0.5);
        this.#clock.schedule(this.#latencyMs(), () => {
          if (!isLost) arrive();
          else if (breaks) fail('connection', 'connection reset');
        });
      };
      travel(this.#random.chance(this.faults.lostRequest), () => {
        const response = this.#sinks.get(request.url)?.(request);
        travel(this.#random.chance(this.faults.lostResponse), () => {
          if (response === undefined) fail('connection', 'connection refused');
          else resolve(response);
        });
      });
    });
  }

  #latencyMs(): number {
    return this.#random.below(this.#random.chance(this.faults.slow) ? SLOW_MS_MAX : LATENCY_MS_MAX);
  }
}
