import type { Call, DeadLetter, DeclareRecord, ImportRecord } from '../log/record.ts';

/** What a carrier (HTTP routes, RPC) may ask of the thread it runs on. The one door from `server` into `shard`. */
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
  /** Why the server is not ready (INTERFACE: replaying, draining, out of disk), or undefined when it is. */
  notReady(): string | undefined;
}

export type Role = 'write' | 'read' | 'admin';

export interface Principal {
  readonly account: string;
  readonly role: Role;
}

export interface CollectingView {
  readonly retentionMs?: number;
  /** Whether the name needs a `declare`: not declared yet, and the account's limit leaves room for it. */
  isDeclared(event: string): boolean;
  isPropertyDeclared(event: string, property: string): boolean;
  isTraitDeclared(trait: string): boolean;
  /** Whether one more name of the kind would still be within the account's limits. */
  hasRoomForEvent(): boolean;
  hasRoomForProperty(event: string): boolean;
  hasRoomForTrait(): boolean;
}

export interface Accepted {
  readonly receivedAtMs: number;
  readonly calls: readonly Call[];
  readonly declare?: DeclareRecord;
  readonly letters: readonly DeadLetter[];
  readonly progress?: ImportRecord;
}

export interface AcceptedCounts {
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
}

export interface MethodCall {
  readonly principal: Principal;
  readonly method: string;
  readonly params: unknown;
  readonly signal: AbortSignal;
  readonly notify?: (method: string, params: unknown) => void;
}
