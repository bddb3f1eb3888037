import { Outbox } from '../delivery/outbox.ts';
import { LiveSegments } from '../live/liveSegments.ts';
import { Dedupe } from '../store/dedupe.ts';
import { EventStore, type EventStoreOptions } from '../store/events.ts';
import { Profiles } from '../store/profiles/profiles.ts';
import type { Schema } from '../store/schema.ts';
import { Users } from '../store/users.ts';
import type { AccountSettings, TabletView } from '../store/view.ts';
import { AccountState } from './account.ts';
import { DeadLetters } from './deadLetters.ts';
import { Erasures } from './erasures.ts';
import { Transfers } from './transfers.ts';

/**
 * All data of one slice of one account's users: the unit that is applied, queried, restored and moved whole. Changed by
 * apply.ts only; docs/spec/tablet.md says what holds.
 */
export class Tablet implements TabletView {
  /** Prefix bits of the user hashes that live here (placement.ts). */
  readonly bits: string;
  readonly account: AccountState;
  readonly users = new Users();
  readonly profiles = new Profiles();
  events: EventStore;
  readonly dedupe = new Dedupe();
  readonly transfers = new Transfers();
  readonly erasures = new Erasures();
  readonly deadLetters: DeadLetters;
  readonly live: LiveSegments;
  readonly outbox: Outbox;
  /** The largest stamp applied: the tablet's now. Timers, retention and dedupe run on it only. */
  clockMs = 0;
  /** Of the last frame applied; -1 before the first. */
  position = -1;
  /** About how many of the stored rows are of users who live here: a split leaves to compaction those that are not. */
  rowsHere = 0;
  /** Calls taken, calls known already, values dropped for a limit: since the beginning. */
  readonly totals = { accepted: 0, duplicate: 0, rejected: 0, droppedValues: 0 };

  constructor(accountName: string, bits: string, events: EventStoreOptions = {}) {
    this.bits = bits;
    this.events = new EventStore(events);
    this.deadLetters = new DeadLetters(bits);
    this.account = new AccountState(accountName);
    this.live = new LiveSegments(this);
    this.outbox = new Outbox(this, accountName);
  }

  get schema(): Schema {
    return this.account.schema;
  }

  get settings(): AccountSettings {
    return this.account.settings;
  }

  savedSegment(name: string): unknown {
    return this.account.segments.get(name)?.definition;
  }

  /** When time alone will change this tablet; the owner sees to a tick by then. */
  nextDeadlineMs(): number | undefined {
    const deadlines = [this.live.nextDeadlineMs(), this.outbox.nextDeadlineMs()].filter(
      (at) => at !== undefined,
    );
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }
}
