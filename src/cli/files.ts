import { createReadStream, existsSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { BODY_BYTES_MAX } from '../base/limits.ts';
import type { Definition, Segment } from '../client/types.ts';
import type { Io } from './io.ts';

export const STDIN = '-';

/** A JSON file, or `-` for stdin. Rejects with an error that names it. */
export async function readJson(io: Io, source: string): Promise<unknown> {
  const name = source === STDIN ? 'stdin' : source;
  const text = await readText(source === STDIN ? io.stdin : createReadStream(source), name);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${name} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

export async function readDefinition(io: Io, source: string): Promise<Definition> {
  return (await readJson(io, source)) as Definition;
}

/** A JSON file, `-` for stdin, or the name of a saved segment. */
export async function readSegment(io: Io, source: string): Promise<Segment> {
  const isFile = source === STDIN || /\.json$|\//.test(source) || existsSync(source);
  return isFile ? readDefinition(io, source) : source;
}

export async function readText(chunks: AsyncIterable<Uint8Array>, name: string): Promise<string> {
  try {
    return (await buffer(limited(chunks))).toString();
  } catch (cause) {
    throw new Error(`cannot read ${name}: ${(cause as Error).message}`, { cause });
  }
}

/** The server takes no more than that at once. */
async function* limited(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`over ${BODY_BYTES_MAX} bytes`);
    yield chunk;
  }
}
