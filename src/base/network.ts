/** The outside world as senders see it: one real implementation (realNetwork.ts), one simulated. */
export interface Network {
  /**
   * One HTTP request; redirects are not followed. Resolves with any status; rejects with NetworkError when there was
   * no complete answer within `timeoutMs`.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
}

export interface HttpRequest {
  readonly method: 'POST' | 'PUT' | 'GET';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  /** Whether the address really connected to may be private, loopback or link-local. */
  readonly allowPrivateNetworks: boolean;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-cased names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The first 4 KiB of the body, as text, for reasons. */
  readonly bodyStart: string;
}

export type NetworkFailure = 'address_refused' | 'bad_url' | 'timeout' | 'connection';

export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly failure: NetworkFailure;

  constructor(failure: NetworkFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}
