import type { OutcomeRecord } from '../log/record.ts';
import { testView } from '../query/testView.ts';
import { StateHash } from '../store/stateHash.ts';
import type { TabletView } from '../store/view.ts';
import type { MessageOutcome } from './message.ts';
import { Outbox } from './outbox.ts';

export const HOOK = 'https://example.com/hook';

/** A tablet for tests of delivery: users u0, u1, ... without a past, an outbox, and what came of its messages. */
export class TestTablet implements TabletView {
  readonly users: TabletView['users'];
  readonly schema: TabletView['schema'];
  readonly profiles: TabletView['profiles'];
  readonly events: TabletView['events'];
  readonly settings: TabletView['settings'];
  readonly savedSegment: TabletView['savedSegment'];
  readonly outbox: Outbox;
  readonly outcomes: MessageOutcome[] = [];
  clockMs = 0;

  constructor(
    options: { readonly account?: string; readonly users?: number; readonly intentsMax?: number } = {},
  ) {
    const { account = 'shop', users = 10, intentsMax } = options;
    const view = testView({
      users: Array.from({ length: users }, (_, i) => ({ known: true, id: `u${i}` })),
      traits: new Map(
        Array.from({ length: users }, (_, i) => [i, { first_name: `User ${i}`, odd: i % 2 === 1 }]),
      ),
      parts: [[{ ordinal: 0, event: 'Names', timeMs: 0, properties: { n: 0, product: '' } }]],
    });
    this.users = view.users;
    this.schema = view.schema;
    this.profiles = view.profiles;
    this.events = view.events;
    this.settings = view.settings;
    this.savedSegment = view.savedSegment;
    this.outbox = new Outbox(this, account, intentsMax);
  }

  save(definition: Readonly<Record<string, unknown>>, status: 'active' | 'paused' = 'active'): void {
    const value = { definition: campaign(definition), status, version: 1, savedAtMs: 0 };
    this.outbox.setCampaign(value.definition.name, value);
  }

  /** Time passes before something happens, as when a record is applied. */
  advance(clockMs: number): void {
    this.clockMs = Math.max(this.clockMs, clockMs);
    this.outbox.advance(this.clockMs);
  }

  event(
    ordinal: number,
    event: string,
    occurrence: string,
    properties: Readonly<Record<string, number | string>> = {},
  ): void {
    const stored = {
      ordinal,
      call: { event, timeMs: this.clockMs, properties },
      occurrence,
      valueOf: (code: number) => properties[this.schema.propertyName(code)],
    };
    this.outcomes.push(...this.outbox.onEvent(stored, this.clockMs));
  }

  outcome(record: OutcomeRecord): void {
    this.advance(record.atMs);
    this.outcomes.push(...this.outbox.onOutcome(record, this.clockMs));
  }

  hash(): string {
    const hash = new StateHash();
    this.outbox.hashInto(hash);
    return JSON.stringify(hash.digest());
  }
}

/** A whole definition from the parts that matter. */
export function campaign(parts: Readonly<Record<string, unknown>>) {
  return {
    name: 'c',
    trigger: { event: 'Go' },
    channel: 'webhook',
    message: { url: HOOK, body: { user: '{{ user.id }}', n: '{{ event.n }}' } },
    ...parts,
  };
}
