import { MusterError } from '../base/errors.ts';
import { BODIES_HELD_BYTES_MAX, BODY_BYTES_MAX } from '../base/limits.ts';

/** Memory for the bodies that one listener holds at a time. */
export class Bodies {
  #heldBytes = 0;

  open(): Body {
    let chunks: Uint8Array[] = [];
    let bytes = 0;
    return {
      /** Throws MusterError: `too_large`, or `unavailable` when all bodies together are too many. */
      add: (chunk) => {
        this.expect(bytes + chunk.length);
        if (this.#heldBytes + chunk.length > BODIES_HELD_BYTES_MAX) {
          throw new MusterError('unavailable', 'too many bodies are under way', { retryAfterSeconds: 1 });
        }
        this.#heldBytes += chunk.length;
        bytes += chunk.length;
        chunks.push(chunk);
      },
      whole: () => (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
      release: () => {
        this.#heldBytes -= bytes;
        bytes = 0;
        chunks = [];
      },
    };
  }

  /** Throws MusterError `too_large` when a body of this size would be refused anyhow. */
  expect(bytes: number): void {
    if (bytes > BODY_BYTES_MAX) {
      throw new MusterError('too_large', `a body has at most ${BODY_BYTES_MAX} bytes`);
    }
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }
}

export interface Body {
  /** Takes over `chunk`. */
  add(chunk: Uint8Array): void;
  whole(): Uint8Array;
  /** Gives the memory back; harmless twice. */
  release(): void;
}
