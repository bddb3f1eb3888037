import type { Accepted, AcceptedCounts, CollectingView } from '../ingest/accepted.ts';

/** What a carrier (HTTP routes, RPC) may ask of the thread it runs on; main.ts and thread.ts start and stop the rest. */
export interface Api {
  /** The key's account and role; undefined for a key that is unknown or revoked. */
  authenticate(key: string): Principal | undefined;
  /** The account's settings and declared names, as a collector needs them; always the newest this thread knows. */
  collecting(account: string): CollectingView;
  /**
   * Appends one request's worth of calls and letters as one frame. Resolves once durable; with `counted`, once the
   * tablets have applied it and told duplicates from news. Rejects with MusterError `unavailable` or `rate_limited`.
   */
  accept(account: string, accepted: Accepted, counted: boolean): Promise<AcceptedCounts>;
  /**
   * One method of INTERFACE §3 with its params as parsed from the wire (still unchecked). Rejects with MusterError.
   * `notify` receives notifications of subscriptions that the call opens; they end when `signal` aborts.
   */
  call(request: MethodCall): Promise<unknown>;
  /** Why the server is not ready (replaying, draining, out of disk or memory), or undefined when it is. */
  notReady(): string | undefined;
  /** The same where it keeps the server from this work: while out of disk, reads are served. */
  refusal(work: Work): string | undefined;
}

/** Reading; deciding for an account (a segment, a campaign, a key); collecting calls. */
export type Work = 'read' | 'decide' | 'collect';

export type Role = 'write' | 'read' | 'admin';

export interface Principal {
  readonly account: string;
  readonly role: Role;
}

export interface MethodCall {
  readonly principal: Principal;
  readonly method: string;
  readonly params: unknown;
  readonly signal: AbortSignal;
  readonly notify?: (method: string, params: unknown) => void;
}
