import type { Bitset } from '../base/bitset.ts';
import { OUTBOX_INTENTS_MAX } from '../base/limits.ts';
import type { Value } from '../base/value.ts';
import type { EventCall, OutcomeRecord, UserRef } from '../log/record.ts';
import type { EventFilter } from '../query/criterion.ts';
import { compileFilter, matchesEvent } from '../query/filter.ts';
import { SetHash, StateHash } from '../store/stateHash.ts';
import type { TabletView } from '../store/view.ts';
import type { Campaign, CampaignValue } from './campaign.ts';
import { CampaignEntry, CampaignTable } from './campaignTable.ts';
import type { MessageEvent } from './context.ts';
import { Fifo } from './fifo.ts';
import { HeldIntent, IntentTable } from './intentTable.ts';
import { type MessageOutcome, messageIdOf, outcomeOf } from './message.ts';

/** What one `takeDue` hands out at the most: a step of well under a millisecond. */
const TAKEN_MAX = 1000;
/** A name of some 40 characters in a Set. */
const SUPPRESSION_BYTES = 100;
/** Messages taken over between two yields. */
const ITEMS_PER_STEP = 1024;

/** A message to be sent: for one user, by one campaign, because of one occurrence. */
export interface Intent {
  readonly messageId: string;
  readonly campaign: string;
  /** The origin it goes to as its campaign stands; empty when that is removed. */
  readonly destination: string;
  /** Outcomes carry it, so that they find a user who has moved to another tablet meanwhile. */
  readonly user: UserRef;
  readonly event: MessageEvent | undefined;
  /** Waits for its delay, or for its next attempt; or is due, and an attempt may be under way. */
  readonly state: 'delayed' | 'retrying' | 'due';
  readonly dueMs: number;
  readonly expireAtMs: number;
  /** Attempts that ended in a `retry`. */
  readonly attempts: number;
}

/** An event that the tablet has just stored. */
export interface StoredEvent {
  readonly ordinal: number;
  readonly call: Pick<EventCall, 'event' | 'timeMs' | 'properties'>;
  /** Names the call for ever: its place in the log. */
  readonly occurrence: string;
  readonly valueOf: (propertyCode: number) => Value | undefined;
}

export interface MembershipChange {
  readonly segment: string;
  readonly ordinal: number;
  readonly change: 'enter' | 'exit';
  readonly atMs: number;
}

export interface CampaignStats {
  readonly intended: number;
  readonly sent: number;
  readonly failed: number;
  readonly skipped: number;
  /** Taken back: during the delay, because of the trigger's `unless`, or since their user was deleted. */
  readonly cancelled: number;
  /** All others. */
  readonly pending: number;
}

/**
 * A tablet's campaigns and messages, part of its state: everything follows from the tablet's records. A message is
 * intended here, sent elsewhere (sender.ts), and kept until a record says what became of it; so after a crash whatever
 * has no outcome is sent again, under the same id.
 *
 * All ordinals are canonical. Which due messages were handed out, and which wait for a paused campaign, is the owner's
 * bookkeeping: no part of the logical state, and made anew by `pendingAfterReplay`.
 */
export class Outbox {
  readonly #view: TabletView;
  readonly #account: string;
  readonly #intentsMax: number;
  readonly #campaigns = new CampaignTable();
  readonly #suppressed = new Set<string>();
  readonly #intents = new IntentTable();
  readonly #due = new Fifo<HeldIntent>();

  constructor(view: TabletView, account: string, intentsMax = OUTBOX_INTENTS_MAX) {
    this.#view = view;
    this.#account = account;
    this.#intentsMax = intentsMax;
  }

  /** An estimate: messages are V8's own. */
  get memoryBytes(): number {
    return this.#intents.memoryBytes + this.#suppressed.size * SUPPRESSION_BYTES;
  }

  /** `value` as in the control record: a CampaignValue, or null. Messages of a removed campaign are skipped. */
  setCampaign(name: string, value: unknown): void {
    const entry = this.#campaigns.set(name, value as CampaignValue | null);
    if (entry.isPaused) return;
    for (const held of entry.parked.splice(0)) this.#due.push(held);
  }

  /** `name` is `channel:address`. */
  setSuppression(name: string, value: unknown): void {
    if (value === null) this.#suppressed.delete(name);
    else this.#suppressed.add(name);
  }

  isSuppressed(name: string): boolean {
    return this.#suppressed.has(name);
  }

  /** The result, here and below: what is already over, for the users' timelines. */
  onEvent(event: StoredEvent, clockMs: number): MessageOutcome[] {
    const { ordinal, call, occurrence } = event;
    if (this.#campaigns.mayCancel(call.event)) this.#cancelDelayed(event, clockMs);
    const about = { name: call.event, timeMs: call.timeMs, properties: call.properties };
    return this.#campaigns.triggeredBy(call.event).flatMap((entry) => {
      const { trigger } = entry.campaign!;
      if (entry.isPaused || trigger.kind !== 'event') return [];
      if (!this.#matches(trigger.filter, event, clockMs)) return [];
      return this.#intend(entry, { ordinal, event: about, occurrence, delayMs: trigger.delayMs }, clockMs);
    });
  }

  onChange({ segment, ordinal, change, atMs }: MembershipChange, clockMs: number): MessageOutcome[] {
    return [...this.#campaigns.values()].flatMap((entry) => {
      const { trigger } = entry.campaign!;
      if (entry.isPaused || trigger.kind !== 'segment') return [];
      if (trigger.segment !== segment || trigger.on !== change) return [];
      const occurrence = JSON.stringify([segment, change, atMs]);
      return this.#intend(entry, { ordinal, event: undefined, occurrence, delayMs: 0 }, clockMs);
    });
  }

  /** What was delayed, or waits for its next attempt, becomes due. */
  advance(clockMs: number): void {
    this.#intents.advance(clockMs, (held) => this.#makeDue(held));
  }

  /** When `advance` or `takeDue` next has something to do. */
  nextDeadlineMs(): number | undefined {
    return this.#due.size > 0 ? this.#view.clockMs : this.#intents.nextDeadlineMs();
  }

  /** Messages to send now, each once an attempt; when there are many, the rest the next time. */
  takeDue(): Intent[] {
    const taken: Intent[] = [];
    while (taken.length < TAKEN_MAX) {
      const held = this.#due.shift();
      if (held === undefined) break;
      if (this.#isSendable(held)) taken.push(held);
    }
    return taken;
  }

  /** All that is due, whatever was taken before. */
  pendingAfterReplay(): Intent[] {
    this.#due.clear();
    for (const { parked } of this.#campaigns.values()) parked.length = 0;
    return [...this.#intents.values()].filter((held) => this.#isSendable(held));
  }

  /**
   * Asked just before an attempt, numbered by `attempts`: whom to send what (no campaign: it was removed). Undefined
   * when the message is not to be sent any more, or not now; then it is taken again when its campaign is resumed.
   */
  admit(
    { messageId }: Intent,
    attempts: number,
  ): { readonly ordinal: number; readonly campaign: Campaign | undefined } | undefined {
    const held = this.#intents.get(messageId);
    if (held?.attempts !== attempts || !this.#isSendable(held)) return undefined;
    return { ordinal: held.ordinal, campaign: held.entry.campaign };
  }

  /** Nothing when the message is not, or no longer, here. */
  onOutcome({ messageId, result }: OutcomeRecord, clockMs: number): MessageOutcome[] {
    const held = this.#intents.get(messageId);
    if (held === undefined) return [];
    if (result.kind !== 'retry') {
      this.#intents.remove(held);
      held.entry.counts[result.kind]++;
      return [outcomeOf(held, result)];
    }
    // When a message moved with its user, both tablets may have tried: the second retry says nothing new.
    if (held.state === 'due') {
      held.attempts++;
      this.#schedule(held, 'retrying', result.notBeforeMs, clockMs);
    }
    return [];
  }

  /** The user is deleted: what was not sent is taken back. An attempt that is under way ends without a trace. */
  erase(ordinal: number): void {
    const entries = new Set<CampaignEntry>();
    for (const held of this.#intents.ofUser(ordinal)) {
      this.#intents.remove(held);
      held.entry.counts.cancelled++;
      entries.add(held.entry);
    }
    for (const { parked } of entries) {
      const kept = parked.filter((held) => this.#intents.has(held));
      if (kept.length < parked.length) parked.splice(0, parked.length, ...kept);
    }
  }

  /** The user's messages leave for another tablet, as JSON; undefined when there are none. */
  extract(ordinal: number): readonly unknown[] | undefined {
    const moved = this.#intents.ofUser(ordinal).map((held): MovedIntent => {
      this.#intents.remove(held);
      held.entry.counts.intended--;
      const { messageId, campaign, event, state, dueMs, expireAtMs, attempts } = held;
      return { messageId, campaign, event: event ?? null, state, dueMs, expireAtMs, attempts };
    });
    return moved.length === 0 ? undefined : moved;
  }

  /** What `extract` gave in another tablet, now of this user. Messages keep their ids. */
  adopt(ordinal: number, extracted: unknown): void {
    const user = { ordinal, ref: this.#view.users.refOf(ordinal) };
    for (const moved of extracted as readonly MovedIntent[]) {
      const entry = this.#campaigns.get(moved.campaign) ?? new CampaignEntry(moved.campaign);
      const held = new HeldIntent(entry, user, { ...moved, event: moved.event ?? undefined });
      entry.counts.intended++;
      this.#intents.add(held);
      if (moved.state === 'due') this.#makeDue(held);
      else this.#schedule(held, moved.state, moved.dueMs, this.#view.clockMs);
    }
  }

  /**
   * Takes over, while new, the campaigns of a tablet that splits, and the messages to those who are `here`; the heir
   * also what is counted of messages that are over. The parent is of no use any more.
   */
  *inherit(parent: Outbox, here: Bitset, isHeir: boolean): Generator<void> {
    this.#campaigns.inherit(parent.#campaigns, isHeir);
    this.#intents.advance(this.#view.clockMs, () => {}); // so that arming puts each timer where it stays
    yield* inSteps(parent.#suppressed, (name) => this.#suppressed.add(name));
    yield* inSteps(parent.#intents.values(), (held) => {
      if (here.has(held.ordinal)) this.#inheritIntent(held, parent);
    });
    const parked = [...parent.#campaigns.values()].map((entry) => entry.parked);
    yield* inSteps(parked.flat(), (held) => {
      if (here.has(held.ordinal)) held.entry.parked.push(held);
    });
    yield* inSteps(parent.#due.values(), (held) => {
      if (here.has(held.ordinal)) this.#due.push(held);
    });
  }

  /** `source` has become `target`, within this tablet. */
  onMerge(source: number, target: number): void {
    this.#intents.moveUser(source, target);
  }

  /** Those intended and not done. */
  messages(): Iterable<Intent> {
    return this.#intents.values();
  }

  /** Messages intended and not done. */
  get pendingCount(): number {
    return this.#intents.size;
  }

  statsOf(campaign: string): CampaignStats {
    const { counts } = this.#campaigns.get(campaign) ?? new CampaignEntry(campaign);
    const { intended, sent, failed, skipped, cancelled } = counts;
    return { ...counts, pending: intended - sent - failed - skipped - cancelled };
  }

  hashInto(hash: StateHash): void {
    const member = new StateHash();
    const campaigns = new SetHash();
    for (const { name, value, counts } of this.#campaigns.values()) {
      member.text(name).text(JSON.stringify(value));
      for (const count of Object.values(counts)) member.number(count);
      campaigns.add(member);
    }
    const suppressed = new SetHash();
    for (const name of this.#suppressed) suppressed.add(member.text(name));
    const intents = new SetHash();
    for (const held of this.#intents.values()) {
      member
        .text(held.messageId)
        .text(held.campaign)
        .boolean(held.entry.campaign === undefined);
      member.number(held.ordinal).text(JSON.stringify([held.user, held.event]));
      member.text(held.state).number(held.dueMs).number(held.expireAtMs).number(held.attempts);
      intents.add(member);
    }
    hash.set(campaigns).set(suppressed).set(intents);
  }

  /** The message stays the same object, by which the sender knows it. */
  #inheritIntent(held: HeldIntent, parent: Outbox): void {
    if (parent.#campaigns.get(held.campaign) === held.entry) {
      held.entry = this.#campaigns.get(held.campaign)!;
      held.entry.counts.intended++;
    }
    held.user = this.#view.users.refOf(held.ordinal); // a merged id may be at home in the other child
    this.#intents.inherit(held);
  }

  #matches(filter: EventFilter, event: StoredEvent, clockMs: number): boolean {
    const { schema, settings } = this.#view;
    const compiled = compileFilter(filter, { atMs: clockMs, zone: settings.timezone });
    return matchesEvent(compiled, event.call.event, (property) => {
      const code = schema.propertyCode(property);
      return code === undefined ? undefined : event.valueOf(code);
    });
  }

  #cancelDelayed(event: StoredEvent, clockMs: number): void {
    for (const held of this.#intents.ofUser(event.ordinal)) {
      const trigger = held.entry.campaign?.trigger;
      if (held.state !== 'delayed' || trigger?.kind !== 'event' || trigger.unless === undefined) continue;
      if (event.call.timeMs < held.event!.timeMs || !this.#matches(trigger.unless, event, clockMs)) continue;
      this.#intents.remove(held);
      held.entry.counts.cancelled++;
    }
  }

  #intend(entry: CampaignEntry, cause: Cause, clockMs: number): MessageOutcome[] {
    const { ordinal, event, occurrence, delayMs } = cause;
    const user = { ordinal, ref: this.#view.users.refOf(ordinal) };
    const messageId = messageIdOf(this.#account, entry.name, user.ref, occurrence);
    if (this.#intents.get(messageId) !== undefined) return [];
    entry.counts.intended++;
    if (this.#intents.size >= this.#intentsMax) {
      entry.counts.skipped++;
      const full = { kind: 'skipped', reason: 'outbox_full' } as const;
      return [outcomeOf({ ordinal, messageId, campaign: entry.name }, full)];
    }
    const dueMs = clockMs + delayMs;
    const expireAtMs = dueMs + entry.campaign!.expireAfterMs;
    const held = new HeldIntent(entry, user, { messageId, event, dueMs, expireAtMs, attempts: 0 });
    this.#intents.add(held);
    this.#schedule(held, 'delayed', dueMs, clockMs);
    return [];
  }

  #schedule(held: HeldIntent, state: 'delayed' | 'retrying', dueMs: number, clockMs: number): void {
    held.state = state;
    held.dueMs = dueMs;
    if (dueMs <= clockMs) this.#makeDue(held);
    else this.#intents.arm(held);
  }

  #makeDue(held: HeldIntent): void {
    held.state = 'due';
    this.#due.push(held);
  }

  /** Whether it is still here and due; one of a paused campaign is set aside for when that is resumed. */
  #isSendable(held: HeldIntent): boolean {
    if (!this.#intents.has(held) || held.state !== 'due') return false;
    if (held.entry.isPaused) held.entry.parked.push(held);
    return !held.entry.isPaused;
  }
}

function* inSteps<T>(items: Iterable<T>, visit: (item: T) => void): Generator<void> {
  let visited = 0;
  for (const item of items) {
    if (++visited % ITEMS_PER_STEP === 0) yield;
    visit(item);
  }
}

interface Cause {
  readonly ordinal: number;
  readonly event: MessageEvent | undefined;
  readonly occurrence: string;
  readonly delayMs: number;
}

/** What `extract` hands to `adopt`. */
type MovedIntent = Omit<Intent, 'user' | 'event' | 'destination'> & { readonly event: MessageEvent | null };
