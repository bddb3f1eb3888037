import { assert } from '../base/assert.ts';
import { TimingWheel } from '../base/timingWheel.ts';
import type { UserRef } from '../log/record.ts';
import type { CampaignEntry } from './campaignTable.ts';
import type { MessageEvent } from './context.ts';
import type { Intent } from './outbox.ts';

const NONE = -1;
/** What a message takes in V8, as measured: with its id, user and places in the tables; its event; each property of that. */
const INTENT_BYTES = 400;
const EVENT_BYTES = 110;
const PROPERTY_BYTES = 45;

export class HeldIntent implements Intent {
  readonly messageId: string;
  readonly event: MessageEvent | undefined;
  user: UserRef;
  readonly expireAtMs: number;
  entry: CampaignEntry;
  ordinal: number;
  state: Intent['state'] = 'due';
  dueMs: number;
  attempts: number;
  /** The table's: its timer, and its place in the list of its user. */
  timer = NONE;
  place = NONE;

  constructor(
    entry: CampaignEntry,
    user: { readonly ordinal: number; readonly ref: UserRef },
    from: Pick<Intent, 'messageId' | 'event' | 'dueMs' | 'expireAtMs' | 'attempts'>,
  ) {
    this.entry = entry;
    this.ordinal = user.ordinal;
    this.user = user.ref;
    this.messageId = from.messageId;
    this.event = from.event;
    this.dueMs = from.dueMs;
    this.expireAtMs = from.expireAtMs;
    this.attempts = from.attempts;
  }

  get campaign(): string {
    return this.entry.name;
  }

  get destination(): string {
    return this.entry.campaign?.message.destination ?? '';
  }
}

/** Messages without an outcome: by id, by user, and by the time at which they become due. */
export class IntentTable {
  readonly #byId = new Map<string, HeldIntent>();
  readonly #byUser = new Map<number, HeldIntent[]>();
  readonly #wheel = new TimingWheel();
  /** By the wheel's id. */
  readonly #timed: (HeldIntent | undefined)[] = [];
  readonly #freeTimers: number[] = [];
  #eventBytes = 0;

  get size(): number {
    return this.#byId.size;
  }

  get memoryBytes(): number {
    return this.#byId.size * INTENT_BYTES + this.#eventBytes + this.#wheel.memoryBytes;
  }

  get(messageId: string): HeldIntent | undefined {
    return this.#byId.get(messageId);
  }

  has(held: HeldIntent): boolean {
    return this.#byId.get(held.messageId) === held;
  }

  values(): Iterable<HeldIntent> {
    return this.#byId.values();
  }

  /** A copy, so that its messages may be removed meanwhile. */
  ofUser(ordinal: number): readonly HeldIntent[] {
    return [...(this.#byUser.get(ordinal) ?? [])];
  }

  add(held: HeldIntent): void {
    this.#byId.set(held.messageId, held);
    this.#eventBytes += eventBytes(held);
    this.#addToUser(held);
  }

  /** Takes a message, with its timer, from a table that is of no use any more. */
  inherit(held: HeldIntent): void {
    const isArmed = held.timer !== NONE;
    held.timer = NONE;
    this.add(held);
    if (isArmed) this.arm(held);
  }

  remove(held: HeldIntent): void {
    this.#byId.delete(held.messageId);
    this.#eventBytes -= eventBytes(held);
    this.#disarm(held);
    const own = this.#byUser.get(held.ordinal)!;
    const last = own.pop()!;
    if (own.length === 0) this.#byUser.delete(held.ordinal);
    if (last === held) return;
    own[held.place] = last;
    last.place = held.place;
  }

  moveUser(source: number, target: number): void {
    const moved = this.ofUser(source);
    this.#byUser.delete(source);
    for (const held of moved) {
      held.ordinal = target;
      this.#addToUser(held);
    }
  }

  /** Sets the message's timer to its `dueMs`. */
  arm(held: HeldIntent): void {
    assert(held.timer === NONE, 'a message has one timer');
    held.timer = this.#freeTimers.pop() ?? this.#timed.length;
    this.#timed[held.timer] = held;
    this.#wheel.arm(held.timer, held.dueMs);
  }

  /** Calls `fire` with those whose time has come. */
  advance(clockMs: number, fire: (held: HeldIntent) => void): void {
    this.#wheel.advance(clockMs, (timer) => {
      const held = this.#timed[timer];
      assert(held !== undefined, 'an armed timer has its message');
      this.#disarm(held);
      fire(held);
    });
  }

  nextDeadlineMs(): number | undefined {
    return this.#wheel.nextDeadlineMs();
  }

  #addToUser(held: HeldIntent): void {
    const own = this.#byUser.get(held.ordinal);
    held.place = own?.length ?? 0;
    if (own === undefined) this.#byUser.set(held.ordinal, [held]);
    else own.push(held);
  }

  #disarm(held: HeldIntent): void {
    if (held.timer === NONE) return;
    this.#wheel.disarm(held.timer);
    this.#timed[held.timer] = undefined;
    this.#freeTimers.push(held.timer);
    held.timer = NONE;
  }
}

function eventBytes({ event }: HeldIntent): number {
  return event === undefined ? 0 : EVENT_BYTES + Object.keys(event.properties).length * PROPERTY_BYTES;
}
