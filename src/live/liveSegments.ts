import { assert } from '../base/assert.ts';
import type { Bitset } from '../base/bitset.ts';
import { DEADLINE_MS_END, TimingWheel } from '../base/timingWheel.ts';
import type { Value } from '../base/value.ts';
import type { Criterion } from '../query/criterion.ts';
import { isUser } from '../query/users.ts';
import { SetHash, StateHash } from '../store/stateHash.ts';
import type { TabletView } from '../store/view.ts';
import type { Condition, Strategy } from './condition.ts';
import { fillConditions } from './fill.ts';
import { MemberSet } from './memberSet.ts';
import { compileRule, type Rule } from './rule.ts';
import { RuleIndex } from './ruleIndex.ts';
import { userEvents } from './userEvents.ts';

/** Users looked at between two yields while a segment is built. */
const USERS_PER_STEP = 64;

/** `atMs` is the exact moment of a change by time alone, the tablet's clock for any other. */
export interface Change {
  readonly segment: string;
  readonly ordinal: number;
  readonly change: 'enter' | 'exit';
  readonly atMs: number;
}

/**
 * A tablet's live segments: who is in each, as `evaluate` would say at the tablet's clock, kept current from event to
 * event and moment to moment. A part of the reducer: the same calls give the same changes in the same order.
 *
 * The caller stores first and tells afterwards, with canonical ordinals, in the order of the clock: `advance` before
 * anything that happens at a later clock. While a generator runs, nothing else of the tablet may change.
 *
 * One timer a user, for the earliest moment at which time alone may change any condition for that user. It is never
 * too late; it may be too early, since an event that postpones the moment leaves it: it is set right when it fires.
 */
export class LiveSegments {
  readonly #view: TabletView;
  readonly #rules = new Map<string, Rule>();
  #index: RuleIndex;
  /** Who counts as a user (INTERFACE §4), as long as there are rules. */
  readonly #users = new MemberSet();
  readonly #timers = new TimingWheel();
  #changes: Change[] = [];

  constructor(view: TabletView) {
    this.#view = view;
    this.#index = new RuleIndex([], view);
  }

  /** Defines a segment or redefines it, and finds its members. Announces nothing: those it finds do not "enter". */
  *save(name: string, criterion: Criterion, clockMs: number): Generator<void> {
    const rule = compileRule(this.#view, name, criterion, this.#index.conditions);
    const fresh = [...rule.conditions].filter(([key]) => !this.#index.conditions.has(key));
    yield* fillConditions(
      this.#view,
      fresh.map(([, condition]) => condition),
      clockMs,
    );
    yield* this.#findMembers(rule, clockMs);
    this.#rules.set(name, rule);
    this.#index = new RuleIndex(this.#rules.values(), this.#view);
  }

  /** Takes over, while new, the segments of a tablet that splits, with those of their members who are `here`. */
  *inherit(parent: LiveSegments, here: Bitset): Generator<void> {
    const conditions = new Map<string, Condition>();
    for (const { name, criterion, members } of parent.#index.rules) {
      const rule = compileRule(this.#view, name, criterion, conditions);
      for (const [key, condition] of rule.conditions) {
        if (conditions.has(key)) continue;
        conditions.set(key, condition);
        yield* condition.inherit(parent.#index.conditions.get(key)!, here);
      }
      rule.members.inherit(members, here);
      this.#rules.set(name, rule);
      yield;
    }
    this.#index = new RuleIndex(this.#rules.values(), this.#view);
    this.#users.inherit(parent.#users, here);
    this.#timers.advance(this.#view.clockMs, () => {}); // so that arming puts each where it stays
    yield* this.#timers.inherit(parent.#timers, here);
  }

  remove(name: string): void {
    if (!this.#rules.delete(name)) return;
    this.#index = new RuleIndex(this.#rules.values(), this.#view);
  }

  /** Saves again, after any saved segment (live or not) changed, the live ones that lead to it. */
  *onSavedSegment(changed: string, clockMs: number): Generator<void> {
    for (const { name, criterion, references } of this.#index.rules) {
      if (references.has(changed)) yield* this.save(name, criterion, clockMs);
    }
  }

  /** Saves all again, after the account's settings changed. */
  *onSettings(clockMs: number): Generator<void> {
    for (const { name, criterion } of this.#index.rules) yield* this.save(name, criterion, clockMs);
  }

  onEvent(
    ordinal: number,
    eventCode: number,
    timeMs: number,
    value: (propertyCode: number) => Value | undefined,
    clockMs: number,
  ): void {
    if (this.#rules.size === 0) return;
    const { schema } = this.#view;
    const conditions = this.#index.conditionsOnCode(eventCode);
    const isNew = !this.#users.has(ordinal);
    if (isNew && !isUser(this.#view, ordinal, clockMs)) return; // the event is past its retention already
    if (!isNew && conditions.length === 0) return;
    const event = {
      event: schema.eventName(eventCode),
      timeMs,
      property: (prop: string) => {
        const code = schema.propertyCode(prop);
        return code === undefined ? undefined : value(code);
      },
    };
    const changed = conditions.filter((condition) => condition.onEvent(ordinal, event, clockMs));
    this.#users.set(ordinal, true);
    this.#evaluate(isNew ? this.#index.rules : this.#index.rulesOn(changed), ordinal, clockMs);
    if (isNew || changed.length > 0) this.#arm(changed, ordinal, clockMs);
  }

  onTraits(ordinal: number, clockMs: number): void {
    if (this.#rules.size === 0) return;
    const { rules, readingTraits } = this.#index;
    const isNew = this.#users.set(ordinal, isUser(this.#view, ordinal, clockMs));
    this.#evaluate(isNew ? rules : this.#index.rulesOn(readingTraits), ordinal, clockMs);
    this.#arm(readingTraits, ordinal, clockMs);
  }

  /** `source` now stands for `target`, which enters or exits by what both did; `source` just goes. */
  onMerge(source: number, target: number, clockMs: number): void {
    this.drop(source);
    this.onTransferredIn(target, clockMs);
  }

  /** The user has events and traits that the segments were not told of. */
  onTransferredIn(ordinal: number, clockMs: number): void {
    if (this.#rules.size === 0) return;
    const { conditions, rules, timed } = this.#index;
    for (const condition of conditions.values()) condition.clear(ordinal);
    for (const event of userEvents(this.#view, ordinal)) {
      for (const condition of this.#index.conditionsOn(event.event))
        condition.onEvent(ordinal, event, clockMs);
    }
    this.#users.set(ordinal, isUser(this.#view, ordinal, clockMs));
    this.#evaluate(rules, ordinal, clockMs);
    this.#arm(timed, ordinal, clockMs);
  }

  /** The user has left the tablet, and every segment without a word. */
  drop(ordinal: number): void {
    for (const condition of this.#index.conditions.values()) condition.clear(ordinal);
    for (const { members } of this.#index.rules) members.set(ordinal, false);
    this.#users.set(ordinal, false);
    this.#timers.disarm(ordinal);
  }

  /** The user is deleted: exits every segment that it is in, and is forgotten. */
  erase(ordinal: number, atMs: number): void {
    for (const { name, members } of this.#index.rules) {
      if (members.has(ordinal)) this.#changes.push({ segment: name, ordinal, change: 'exit', atMs });
    }
    this.drop(ordinal);
  }

  /** Time has reached `clockMs`: whatever changes by time alone up to then does so, in the order of the moments. */
  advance(clockMs: number): void {
    this.#timers.advance(clockMs, (ordinal, momentMs) => this.#onMoment(ordinal, momentMs));
  }

  /** When to advance at the latest; nothing need have changed then. */
  nextDeadlineMs(): number | undefined {
    return this.#timers.nextDeadlineMs();
  }

  /** What changed since this was last asked, in order. */
  takeChanges(): readonly Change[] {
    const changes = this.#changes;
    if (changes.length > 0) this.#changes = [];
    return changes;
  }

  names(): readonly string[] {
    return this.#index.rules.map(({ name }) => name);
  }

  isLive(name: string): boolean {
    return this.#rules.has(name);
  }

  has(name: string, ordinal: number): boolean {
    return this.#rule(name).members.has(ordinal);
  }

  /** In a bitset of `view.users.count` that is the caller's. */
  members(name: string): Bitset {
    return this.#rule(name).members.toBitset(this.#view.users.count);
  }

  count(name: string): number {
    return this.#rule(name).members.count;
  }

  strategyOf(name: string): Strategy {
    const conditions = [...this.#rule(name).conditions.values()];
    return conditions.every(({ strategy }) => strategy === 'incremental') ? 'incremental' : 'recomputed';
  }

  /** Of one segment: its members and all its conditions, those shared with others too. */
  memoryBytes(name: string): number {
    const { members, conditions } = this.#rule(name);
    return members.memoryBytes + sumOfBytes(conditions.values());
  }

  /** Bytes; a condition that segments share counts for the first of them. */
  memoryBySegment(): Readonly<Record<string, number>> {
    const counted = new Set<Condition>();
    const segments = this.#index.rules.map(({ name, members, conditions }) => {
      const own = [...conditions.values()].filter((condition) => !counted.has(condition));
      for (const condition of own) counted.add(condition);
      return [name, sumOfBytes([members, ...own])] as const;
    });
    return Object.fromEntries([['(all segments)', sumOfBytes([this.#timers, this.#users])], ...segments]);
  }

  /** The members of every segment by their ids; all else follows from the tablet's events and traits. */
  hashInto(hash: StateHash): void {
    const member = new StateHash();
    for (const { name, members } of this.#index.rules) {
      const ids = new SetHash();
      for (const ordinal of members.toBitset(this.#view.users.count)) {
        const { known, id } = this.#view.users.refOf(ordinal);
        ids.add(member.boolean(known).text(id));
      }
      hash.text(name).set(ids);
    }
  }

  #rule(name: string): Rule {
    const rule = this.#rules.get(name);
    assert(rule !== undefined, 'the segment is live');
    return rule;
  }

  *#findMembers(rule: Rule, clockMs: number): Generator<void> {
    const { users } = this.#view;
    const timed = [...rule.conditions.values()].filter(({ isTimed }) => isTimed);
    for (let ordinal = 0; ordinal < users.count; ordinal++) {
      if (ordinal % USERS_PER_STEP === 0) yield;
      const isIn = users.canonical[ordinal] === ordinal && isUser(this.#view, ordinal, clockMs);
      this.#users.set(ordinal, isIn);
      if (!isIn) continue;
      rule.members.set(ordinal, rule.test(ordinal, clockMs));
      this.#arm(timed, ordinal, clockMs);
    }
  }

  #onMoment(ordinal: number, momentMs: number): void {
    if (!isUser(this.#view, ordinal, momentMs)) {
      this.#users.set(ordinal, false);
      this.#evaluate(this.#index.rules, ordinal, momentMs);
      return;
    }
    const { timed } = this.#index;
    const due = timed.filter((condition) => condition.nextChangeMs(ordinal, momentMs - 1) === momentMs);
    for (const condition of due) condition.onMoment(ordinal, momentMs);
    this.#evaluate(this.#index.rulesOn(due), ordinal, momentMs);
    this.#arm(timed, ordinal, momentMs);
  }

  #evaluate(rules: readonly Rule[], ordinal: number, atMs: number): void {
    const isUserNow = this.#users.has(ordinal);
    for (const { name, members, test } of rules) {
      const isIn = isUserNow && test(ordinal, atMs);
      if (!members.set(ordinal, isIn)) continue;
      this.#changes.push({ segment: name, ordinal, change: isIn ? 'enter' : 'exit', atMs });
    }
  }

  /** Sees to it that the user's timer is not too late for these conditions, nor for the end of being a user. */
  #arm(conditions: readonly Condition[], ordinal: number, atMs: number): void {
    if (!this.#users.has(ordinal)) return;
    let nextMs = this.#expiryMs(ordinal);
    for (const condition of conditions) nextMs = Math.min(nextMs, condition.nextChangeMs(ordinal, atMs));
    if (nextMs >= DEADLINE_MS_END) return; // never, or thousands of years away
    const armedMs = this.#timers.deadlineOf(ordinal);
    if (armedMs === undefined || nextMs < armedMs) this.#timers.arm(ordinal, nextMs);
  }

  /** When the user's last event leaves the retention, and the user with it. */
  #expiryMs(ordinal: number): number {
    const { retentionMs } = this.#view.settings;
    if (retentionMs === undefined || this.#view.profiles.has(ordinal)) return Number.POSITIVE_INFINITY;
    return this.#view.users.latestEventMs(ordinal) + retentionMs;
  }
}

function sumOfBytes(holders: Iterable<{ readonly memoryBytes: number }>): number {
  let sum = 0;
  for (const { memoryBytes } of holders) sum += memoryBytes;
  return sum;
}
