import { Readable, Writable } from 'node:stream';
import { run } from './program.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For tests: runs a command line in this process, without a terminal. */
export async function runCli(
  args: readonly string[],
  given: {
    readonly stdin?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly interrupted?: AbortSignal;
    /** Sees stdout as it is written. */
    readonly onStdout?: (text: string) => void;
  } = {},
): Promise<Ran> {
  const stdout = new Collected(given.onStdout);
  const stderr = new Collected();
  const io = {
    stdout,
    stderr,
    stdin: Readable.from([Buffer.from(given.stdin ?? '')]),
    env: given.env ?? {},
    isTerminal: false,
    interrupted: given.interrupted ?? new AbortController().signal,
  };
  const nowhere = new URL('file:///nowhere');
  const installation = { version: '1.2.3', program: nowhere, threadProgram: nowhere, sample: nowhere };
  const code = await run({ io, installation }, args);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Collected extends Writable {
  text = '';

  constructor(onText?: (text: string) => void) {
    super({
      decodeStrings: false,
      write: (chunk: string, _, done) => {
        this.text += chunk;
        onText?.(chunk);
        done();
      },
    });
  }
}
