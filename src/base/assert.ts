/** A bug in Muster itself. Never caught to carry on: the thread that sees one stops. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** States what must hold here. Always on; one condition each, so that the message says which one failed. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Closes a switch over a union: a case that is missing does not compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
