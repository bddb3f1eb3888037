import type { Clock } from '../base/clock.ts';
import {
  DESTINATIONS_MAX,
  MINUTE_MS,
  RETRY_MAX_MS,
  SEND_TIMEOUT_MS,
  SENDS_IN_FLIGHT_MAX,
  SENDS_PER_DESTINATION_MAX,
} from '../base/limits.ts';
import { type Network, NetworkError } from '../base/network.ts';
import type { Random } from '../base/random.ts';
import type { OutcomeRecord } from '../log/record.ts';
import {
  backoffMs,
  type Verdict,
  verdictOfError,
  verdictOfResponse,
  webhookHeaders,
} from './channels/webhook.ts';
import { Fifo } from './fifo.ts';
import type { Intent } from './outbox.ts';
import { type DeliveringTablet, type Prepared, prepare, suppressionOf } from './prepare.ts';

export interface SenderSettings {
  readonly allowPrivateNetworks: boolean;
  /** Signs messages without a secret of their own. */
  readonly webhookSecret?: string;
  /** What a template may take of the machine's own time: without a limit in the simulator, where that is chance. */
  readonly renderMsMax?: number;
  /** Deliberate bugs, by which the simulator shows that it would find them. */
  readonly faults?: { readonly freshIdPerAttempt?: boolean };
}

/** What a sender may do with the tablet of a message. */
export interface SendingTablet {
  readonly account: string;
  /** Runs these steps while nothing else changes the tablet. */
  read<T>(steps: (tablet: DeliveringTablet) => Generator<void, T>): Promise<T>;
  /** Resolves once durable. `suppression`: an address, `channel:address`, not to be sent to any more. */
  record(outcome: OutcomeRecord, suppression: string | undefined): Promise<void>;
}

/**
 * Carries out a thread's messages: asks once more whether each is to be sent, renders it, sends it, records what came
 * of it. Not part of any tablet's state: what it has not recorded is offered again after a restart.
 *
 * Destinations (an account's origin each) take turns. One that fails gets fewer sends at once, down to one, so that
 * many that hang cannot take all the room; one that answers gets more again.
 */
export class Sender {
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #random: Random;
  readonly #settings: SenderSettings;
  readonly #destinations = new Map<string, Destination>();
  /** Those that may start a send now, each once. */
  readonly #ready = new Fifo<Destination>();
  /** Queued or under way, with the number of the attempt. As many as the outboxes hold at the most. */
  readonly #offered = new Map<Intent, number>();
  #inFlight = 0;
  #stopped: (() => void) | undefined;
  /** Hears of bugs and of a log that failed for good. */
  onFatal: (error: unknown) => void = (error) => {
    throw error;
  };

  constructor(options: {
    readonly clock: Clock;
    readonly network: Network;
    readonly random: Random;
    readonly settings: SenderSettings;
  }) {
    this.#clock = options.clock;
    this.#network = options.network;
    this.#random = options.random;
    this.#settings = options.settings;
  }

  /** Queues the intent's next attempt; offering the same attempt twice is as good as once. */
  offer(intent: Intent, tablet: SendingTablet): void {
    const { attempts } = intent;
    if (this.#stopped !== undefined || this.#offered.get(intent) === attempts) return;
    this.#offered.set(intent, attempts);
    const destination = this.#destinationOf(tablet.account, intent.destination);
    destination.queue.push({ intent, attempts, tablet });
    this.#consider(destination);
    this.#startSends();
  }

  /** Starts nothing more; resolves when what is under way is recorded, or after the time a send may take. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(SEND_TIMEOUT_MS, resolve);
      this.#stopped = () => {
        cancel();
        resolve();
      };
      if (this.#inFlight === 0) this.#stopped();
    });
  }

  #destinationOf(account: string, origin: string): Destination {
    const key = JSON.stringify([account, origin]);
    let destination = this.#destinations.get(key);
    if (destination === undefined) {
      if (this.#destinations.size >= DESTINATIONS_MAX) this.#forgetIdle();
      destination = new Destination(key);
      this.#destinations.set(key, destination);
    }
    return destination;
  }

  #forgetIdle(): void {
    for (const destination of this.#destinations.values()) {
      if (destination.isIdle) this.#destinations.delete(destination.key);
    }
  }

  #consider(destination: Destination): void {
    if (destination.isReady || !destination.mayStart) return;
    destination.isReady = true;
    this.#ready.push(destination);
  }

  #startSends(): void {
    while (this.#stopped === undefined && this.#inFlight < SENDS_IN_FLIGHT_MAX) {
      const destination = this.#ready.shift();
      if (destination === undefined) return;
      destination.isReady = false;
      if (destination.mayStart) {
        this.#carryOut(destination.queue.shift()!, destination).catch(this.onFatal);
      }
      this.#consider(destination);
    }
  }

  async #carryOut(offer: Offer, destination: Destination): Promise<void> {
    this.#inFlight++;
    destination.inFlight++;
    try {
      await this.#attempt(offer, destination);
    } finally {
      this.#inFlight--;
      destination.inFlight--;
      this.#forget(offer);
    }
    if (this.#inFlight === 0) this.#stopped?.();
    this.#consider(destination);
    this.#startSends();
  }

  async #attempt(offer: Offer, destination: Destination): Promise<void> {
    const { intent, attempts, tablet } = offer;
    const prepared = await tablet.read((own) => this.#prepareSteps(own, offer));
    if (prepared.kind === 'none') return;
    const { messageId, user } = intent;
    const about = { kind: 'outcome', messageId, user } as const;
    if (prepared.kind !== 'send') {
      await tablet.record({ ...about, atMs: this.#clock.now(), result: prepared }, undefined);
      return;
    }
    const verdict = await this.#post(prepared, intent, attempts);
    const atMs = this.#clock.now();
    this.#learn(destination, verdict, atMs);
    const result = this.#resultOf(verdict, intent, attempts, destination, atMs);
    const isGone = verdict.kind === 'failed' && verdict.suppress;
    await tablet.record({ ...about, atMs, result }, isGone ? suppressionOf(prepared.message) : undefined);
  }

  /** The yield makes rendering a step of its own. */
  *#prepareSteps(tablet: DeliveringTablet, offer: Offer): Generator<void, Prepared> {
    yield;
    const prepared = prepare(tablet, offer.intent, offer.attempts, {
      nowMs: this.#clock.now(),
      renderMsMax: this.#settings.renderMsMax,
    });
    // In the same step: when its campaign is resumed, the same attempt is offered again.
    if (prepared.kind === 'none') this.#forget(offer);
    return prepared;
  }

  #forget({ intent, attempts }: Offer): void {
    if (this.#offered.get(intent) === attempts) this.#offered.delete(intent);
  }

  async #post({ message, body }: Sendable, { messageId }: Intent, attempts: number): Promise<Verdict> {
    const { allowPrivateNetworks, webhookSecret, faults } = this.#settings;
    const id = faults?.freshIdPerAttempt ? `${messageId}_${attempts}` : messageId;
    const signed = { messageId: id, atMs: this.#clock.now(), body, secret: message.secret ?? webhookSecret };
    try {
      const response = await this.#network.request({
        method: 'POST',
        url: message.url,
        headers: { ...webhookHeaders(signed), ...message.headers },
        body: Buffer.from(body),
        timeoutMs: SEND_TIMEOUT_MS,
        allowPrivateNetworks,
      });
      return verdictOfResponse(response, this.#clock.now());
    } catch (error) {
      if (error instanceof NetworkError) return verdictOfError(error);
      throw error;
    }
  }

  /** What an attempt says of the destination: how many sends at once it bears, and whether it lets us in. */
  #learn(destination: Destination, verdict: Verdict, nowMs: number): void {
    if (verdict.kind === 'retry') destination.slowDown();
    else if (verdict.kind !== 'unauthorized') destination.speedUp();
    else if (!destination.isClosed) {
      destination.close(nowMs);
      this.#clock.schedule(destination.closedUntilMs - nowMs, () => {
        destination.isClosed = false;
        this.#consider(destination);
        this.#startSends();
      });
    }
  }

  #resultOf(
    verdict: Verdict,
    { expireAtMs }: Intent,
    attempts: number,
    { closedUntilMs }: Destination,
    atMs: number,
  ): OutcomeRecord['result'] {
    if (verdict.kind === 'sent') return { kind: 'sent' };
    const { reason } = verdict;
    if (verdict.kind === 'failed') return { kind: 'failed', reason };
    const notBeforeMs =
      verdict.kind === 'unauthorized'
        ? closedUntilMs
        : atMs + Math.max(verdict.retryAfterMs ?? 0, backoffMs(attempts, this.#random));
    if (notBeforeMs >= expireAtMs) return { kind: 'failed', reason: `expired: ${reason}` };
    return { kind: 'retry', reason, notBeforeMs };
  }
}

type Sendable = Extract<Prepared, { readonly kind: 'send' }>;

interface Offer {
  readonly intent: Intent;
  readonly attempts: number;
  readonly tablet: SendingTablet;
}

/** An account's messages to one origin. */
class Destination {
  readonly key: string;
  readonly queue = new Fifo<Offer>();
  inFlight = 0;
  /** Among the sender's ready ones. */
  isReady = false;
  /** It answered 401 or 403: nothing is sent until about `closedUntilMs`. */
  isClosed = false;
  closedUntilMs = 0;
  #closedForMs = 0;
  #inFlightMax = SENDS_PER_DESTINATION_MAX;

  constructor(key: string) {
    this.key = key;
  }

  get isIdle(): boolean {
    return this.queue.size === 0 && this.inFlight === 0;
  }

  get mayStart(): boolean {
    return this.queue.size > 0 && this.inFlight < this.#inFlightMax && !this.isClosed;
  }

  slowDown(): void {
    this.#inFlightMax = Math.max(1, this.#inFlightMax >> 1);
  }

  speedUp(): void {
    this.#inFlightMax = Math.min(SENDS_PER_DESTINATION_MAX, this.#inFlightMax + 1);
    this.#closedForMs = 0;
  }

  /** For a minute at first, twice as long each time that it still does not let us in. */
  close(nowMs: number): void {
    this.isClosed = true;
    this.#closedForMs = Math.min(RETRY_MAX_MS, Math.max(MINUTE_MS, 2 * this.#closedForMs));
    this.closedUntilMs = nowMs + this.#closedForMs;
    this.#inFlightMax = 1;
  }
}
