import type { Clock } from '../base/clock.ts';
import { SECOND_MS } from '../base/limits.ts';
import type { Api } from '../shard/api.ts';
import { json, type Route } from './http.ts';
import type { Listener } from './listener.ts';

export interface Status {
  readonly api: Pick<Api, 'notReady'>;
  readonly clock: Clock;
  readonly listener: Listener['kind'];
  readonly version: string;
  /** The whole process's metrics in Prometheus's text format. */
  metrics(): Promise<string>;
}

/** What operators and balancers ask; no key needed. */
export function statusRoutes(status: Status): readonly Route[] {
  const { listener, version, clock, api } = status;
  const startedMs = clock.monotonicMs();
  const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle });
  return [
    get('/health', () => {
      const uptimeSeconds = Math.floor((clock.monotonicMs() - startedMs) / SECOND_MS);
      return json(200, { status: 'ok', listener, version, uptimeSeconds });
    }),
    get('/ready', () => {
      const reason = api.notReady();
      return reason === undefined
        ? json(200, { status: 'ready' })
        : json(503, { code: 'unavailable', message: reason }, { 'retry-after': '1' });
    }),
    get('/version', () => json(200, { version })),
    get('/metrics', async () => ({
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: await status.metrics(),
    })),
  ];
}
