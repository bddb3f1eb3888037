import type { Clock } from '../base/clock.ts';
import { badRequest, MusterError } from '../base/errors.ts';
import { QUERY_TIMEOUT_MS, QUERY_TIMEOUT_MS_MAX } from '../base/limits.ts';
import { collect } from '../ingest/collect.ts';
import type { Api, Principal, Work } from '../shard/api.ts';
import { mayCall, methodNamed } from './methods.ts';

/** What both carriers need to carry out calls. */
export interface Carried {
  readonly api: Api;
  readonly clock: Clock;
  /** Told of every error that is no MusterError: a bug, after which the thread should stop. */
  readonly failed: (error: unknown) => void;
}

export interface Call {
  readonly principal: Principal;
  readonly method: string;
  /** As parsed from the wire. */
  readonly params: unknown;
  /** Length on the wire. */
  readonly bytes: number;
  /** The caller has gone away. */
  readonly signal: AbortSignal;
  readonly notify?: (method: string, params: unknown) => void;
}

/** The account and role of a key. Throws MusterError `unauthorized`. */
export function authenticate(api: Api, key: string | undefined): Principal {
  const principal = key === undefined ? undefined : api.authenticate(key);
  if (principal === undefined) {
    // Keys are in the log: until it is read back, none is known.
    assertMay(api, 'read');
    throw new MusterError('unauthorized', key === undefined ? 'a key is needed' : 'the key is not known');
  }
  return principal;
}

/** Throws MusterError `unavailable` while such work is refused. */
export function assertMay(api: Api, work: Work): void {
  const reason = api.refusal(work);
  if (reason !== undefined) throw new MusterError('unavailable', reason, { retryAfterSeconds: 1 });
}

/**
 * One call of a method, over any carrier: the role is checked, and `timeoutMs` among the params is honoured. Rejects
 * with MusterError.
 */
export async function call(carried: Carried, { signal, ...call }: Call): Promise<unknown> {
  const method = methodNamed(call.method);
  if (method === undefined) throw new MusterError('not_found', `no method ${call.method.slice(0, 100)}`);
  if (!mayCall(call.principal.role, method)) {
    throw new MusterError('forbidden', `a ${call.principal.role} key may not call ${call.method}`);
  }
  if (method.subscribes && call.notify === undefined) {
    throw new MusterError('bad_request', `${call.method} needs a WebSocket`);
  }
  const { timeoutMs, ...params } = objectOf(call.params);
  const limits = { timeoutMs: timeoutOf(timeoutMs), outlivesAnswer: method.subscribes === true, signal };
  return within(carried.clock, limits, (inner) =>
    call.method === 'ingest.batch'
      ? collectBatch(carried, call, params)
      : carried.api.call({ ...call, params, signal: inner }),
  );
}

async function collectBatch(
  { api, clock }: Carried,
  { principal, bytes }: Omit<Call, 'signal'>,
  params: object,
) {
  assertMay(api, 'collect');
  const { calls: batch, import: progress, ...others } = params as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw badRequest('unknown key', unknown);
  if (!Array.isArray(batch)) throw badRequest('must be an array', 'calls');
  const accepted = withParamPath(() =>
    collect({
      type: 'import',
      body: { batch, import: progress },
      bytes,
      receivedAtMs: clock.now(),
      view: api.collecting(principal.account),
    }),
  );
  return api.accept(principal.account, accepted, true);
}

/** Turns a path into the body that collect was given into one into the params. */
function withParamPath<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    const path = error.path?.replace('$.batch', 'calls').replace('$.', '');
    throw new MusterError(error.code, error.message, { path });
  }
}

function objectOf(params: unknown): Readonly<Record<string, unknown>> {
  if (params === undefined || params === null) return {};
  if (typeof params !== 'object' || Array.isArray(params)) throw badRequest('params must be an object', '$');
  return params as Readonly<Record<string, unknown>>;
}

function timeoutOf(timeoutMs: unknown): number {
  if (timeoutMs === undefined) return QUERY_TIMEOUT_MS;
  if (Number.isInteger(timeoutMs) && Number(timeoutMs) >= 1 && Number(timeoutMs) <= QUERY_TIMEOUT_MS_MAX) {
    return Number(timeoutMs);
  }
  throw badRequest(`must be a whole number from 1 to ${QUERY_TIMEOUT_MS_MAX}`, 'timeoutMs');
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether `signal` still ends what `run` began once it has answered. */
  readonly outlivesAnswer: boolean;
}

/** Runs with a signal that aborts with `signal` or when the time is over; then rejects with `timeout` at once. */
async function within<T>(
  clock: Clock,
  { timeoutMs, signal, outlivesAnswer }: Limits,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController();
  const abort = () => inner.abort(new MusterError('timeout', 'the caller has gone away'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  let answered = false;
  let cancelTimer: () => void = () => {};
  const expired = new Promise<never>((_, reject) => {
    cancelTimer = clock.schedule(timeoutMs, () => {
      reject(new MusterError('timeout', `no answer within ${timeoutMs} ms`));
      abort();
    });
  });
  try {
    const result = await Promise.race([run(inner.signal), expired]);
    answered = true;
    return result;
  } finally {
    cancelTimer();
    if (!answered || !outlivesAnswer) signal.removeEventListener('abort', abort);
  }
}
