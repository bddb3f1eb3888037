import { MusterError } from '../base/errors.ts';

/** An invariant of docs/spec/tablet.md does not hold. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

export function fail(message: string): never {
  throw new SimulationFailure(message);
}

export function expectSame(found: string, expected: string, what: string): void {
  if (found !== expected) fail(`${what}:\n  found    ${found}\n  expected ${expected}`);
}

/** Whether a failing disk is what is behind the error: that may end a life, anything else is a bug. */
export function isDiskFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'LogFailedError' || error.name === 'DiskError') return true;
  const causes = error instanceof AggregateError ? error.errors : [error.cause];
  return causes.some(isDiskFailure);
}

/** Whether a client has to expect this answer and may ask again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof MusterError && error.code === 'unavailable';
}
