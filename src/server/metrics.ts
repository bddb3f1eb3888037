import { Counter, Gauge, type Registry } from 'prom-client';
import type { Listener } from './listener.ts';

/** Registers what a listener says of itself; read when the registry is, so that requests pay nothing. */
export function registerListenerMetrics(registry: Registry, listener: Listener): void {
  const registers = [registry];
  new Counter({
    name: 'muster_http_replies_total',
    help: 'HTTP replies, by status',
    labelNames: ['status'],
    registers,
    collect() {
      this.reset();
      for (const [status, count] of listener.load().repliesByStatus) this.inc({ status }, count);
    },
  });
  new Gauge({
    name: 'muster_http_requests_under_way',
    help: 'HTTP requests being read or answered',
    registers,
    collect() {
      this.set(listener.load().requestsUnderWay);
    },
  });
  new Gauge({
    name: 'muster_http_bodies_held_bytes',
    help: 'Bytes of request bodies in memory',
    registers,
    collect() {
      this.set(listener.load().bodiesHeldBytes);
    },
  });
  new Gauge({
    name: 'muster_rpc_sockets_open',
    help: 'WebSocket connections open',
    registers,
    collect() {
      this.set(listener.load().socketsOpen);
    },
  });
}
