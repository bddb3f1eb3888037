import type { EventCall, LogRecord, TraitsCall } from '../log/record.ts';
import type { EventStoreOptions } from '../store/events.ts';
import { applyRecords } from './apply.ts';
import type { Effects } from './effects.ts';
import { Tablet } from './tablet.ts';

/** For tests: a tablet with its names declared, and short ways to write records. */
export const T0 = Date.UTC(2026, 0, 5, 12);

export class TestTablet {
  readonly tablet: Tablet;
  #position = 0;

  constructor(bits = '', events: EventStoreOptions = {}, retentionMs?: number) {
    this.tablet = new Tablet('shop', bits, events);
    const settings = {
      timezone: 'UTC',
      tablets: 2 ** bits.length,
      ...(retentionMs !== undefined && { retentionMs }),
    };
    this.apply(
      { kind: 'control', atMs: T0, what: 'account', name: 'shop', value: settings },
      {
        kind: 'declare',
        atMs: T0,
        events: [
          { event: 'Order', properties: ['amount', 'n'] },
          { event: 'Message Sent', properties: ['campaign', 'channel', 'messageId', 'reason'] },
        ],
        traits: ['plan'],
      },
    );
  }

  /** One frame. */
  apply(...records: LogRecord[]): Effects {
    return finish(applyRecords(this.tablet, records, this.#position++));
  }

  /** Names of the user's events, oldest first, by ids of both name spaces. */
  eventsOf(id: string, known = true): unknown[] {
    const ordinal = this.tablet.users.find({ known, id });
    const amount = this.tablet.schema.propertyCode('n')!;
    const rows: unknown[] = [];
    for (const part of this.tablet.events.parts()) {
      for (let row = 0; row < part.rowCount; row++) {
        if (this.tablet.users.canonical[part.ordinalAt(row)] === ordinal)
          rows.push(part.valueAt(row, amount));
      }
    }
    return rows;
  }
}

export function order(
  id: string,
  n: number,
  options: Partial<EventCall> & { known?: boolean } = {},
): EventCall {
  const { known = true, ...rest } = options;
  return { kind: 'event', user: { known, id }, timeMs: T0 + n, event: 'Order', properties: { n }, ...rest };
}

export function plan(id: string, value: string, known = true): TraitsCall {
  return {
    kind: 'traits',
    user: { known, id },
    timeMs: T0,
    operations: [{ op: 'set', trait: 'plan', value }],
  };
}

export function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
