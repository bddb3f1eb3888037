/** The codes of INTERFACE §3, and the HTTP status each is answered with. */
export const STATUS_OF = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof STATUS_OF;

/** What an error looks like on either carrier. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
}

/** An expected failure: the caller's input or the server's condition, with a path into the input. */
export class MusterError extends Error {
  override readonly name = 'MusterError';
  readonly code: ErrorCode;
  readonly path: string | undefined;
  /** Whole seconds, for 429 and 503. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      path?: string | undefined;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.path = options.path;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get body(): ErrorBody {
    return this.path === undefined
      ? { code: this.code, message: this.message }
      : { code: this.code, message: this.message, path: this.path };
  }
}

export function badRequest(message: string, path: string): MusterError {
  return new MusterError('bad_request', message, { path });
}

/** Stored bytes that are not what was written. Never guessed around: whoever reads sets the file aside. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  readonly file: string;
  readonly offset: number;
  readonly expected: string;
  readonly found: string;

  constructor(damage: { file: string; offset: number; expected: string; found: string }) {
    super(
      `${damage.file} is damaged at byte ${damage.offset}: expected ${damage.expected}, found ${damage.found}`,
    );
    this.file = damage.file;
    this.offset = damage.offset;
    this.expected = damage.expected;
    this.found = damage.found;
  }
}
