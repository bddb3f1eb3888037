import { Counter, Gauge, type Registry } from 'prom-client';
import type { Shard } from '../shard/shard.ts';

/** What a shard says of its tablets; read when the registry is, so that applying pays nothing. Threads add up. */
export function registerShardMetrics(registry: Registry, shard: Shard): void {
  const registers = [registry];
  const sum = (of: (tablet: Shard['tablets'][number]) => number) =>
    shard.tablets.reduce((total, tablet) => total + of(tablet), 0);
  const counter = (name: string, help: string, of: Parameters<typeof sum>[0]) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(sum(of));
      },
    });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  counter('muster_calls_accepted_total', 'Calls taken, without duplicates', ({ totals }) => totals.accepted);
  counter(
    'muster_calls_duplicate_total',
    'Calls whose messageId was known',
    ({ totals }) => totals.duplicate,
  );
  counter('muster_values_dropped_total', 'Values over a limit', ({ totals }) => totals.droppedValues);
  counter('muster_dead_letters_total', 'Items refused', ({ deadLetters }) => deadLetters.added);
  gauge('muster_tablets', 'Tablets', () => shard.tablets.length);
  gauge('muster_events', 'Events in memory', () =>
    sum(({ events, rowsHere }) => Math.round(Math.min(rowsHere, events.rowCount))),
  );
  gauge('muster_messages_pending', 'Messages intended and not done', () =>
    sum(({ outbox }) => outbox.pendingCount),
  );
  gauge('muster_appends_pending', 'Requests on their way to the log', () => shard.appender.pending);
  gauge(
    'muster_work_under_way',
    'Queries and frames that threads work on, in turns',
    () => shard.workUnderWay,
  );
  const eventBytes = new Gauge({
    name: 'muster_event_bytes',
    help: 'Memory of events, by part',
    labelNames: ['part'],
    registers,
    collect() {
      const parts: Record<string, number> = {};
      for (const tablet of shard.tablets) {
        for (const [part, bytes] of Object.entries(tablet.events.memory()))
          parts[part] = (parts[part] ?? 0) + bytes;
      }
      for (const [part, bytes] of Object.entries(parts)) eventBytes.set({ part }, bytes);
    },
  });
}
