import type { Writable } from 'node:stream';

/** What a command may touch of the process it runs in, so that tests can run it in theirs. */
export interface Io {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads along. */
  readonly isTerminal: boolean;
  /** Someone asks for an end: what is under way is finished or given up. */
  readonly interrupted: AbortSignal;
}

/** Where the program's parts are. */
export interface Installation {
  readonly version: string;
  /** What `bin/muster` runs. */
  readonly program: URL;
  readonly threadProgram: URL;
  /** The demo's events, NDJSON in gzip. */
  readonly sample: URL;
}

export interface Cli {
  readonly io: Io;
  readonly installation: Installation;
}

/** Asked for in a way that the command does not take: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
