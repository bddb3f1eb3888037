import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { MusterError } from '../base/errors.ts';
import {
  EVENT_BYTES_MAX,
  IMPORT_BATCH_BYTES,
  IMPORT_BATCH_LINES,
  MESSAGE_ID_CHARS_MAX,
} from '../base/limits.ts';
import { decodeUtf8, isObject, type JsonObject } from './json.ts';

/**
 * Reads an NDJSON file, gzip or plain, into calls for `ingest.batch`. A file is read twice: once for its id, then
 * for its lines, so that a repeated import is known by the id and a repeated line by the messageId made of both.
 * The bytes are given in, in chunks that are not reused; memory holds one batch at a time.
 */

type Bytes = AsyncIterable<Uint8Array>;

export interface ImportReject {
  readonly line: number;
  readonly reason: string;
}

/** Lines [from, to) of the file, numbered from 1. */
export interface ImportBatch {
  readonly from: number;
  readonly to: number;
  /** Whether this is the last batch of the file. */
  readonly finished: boolean;
  readonly calls: readonly JsonObject[];
  /** Lines that are not sent. */
  readonly rejects: readonly ImportReject[];
  /** How many lines that are not blank lie before `from` and in no batch. */
  readonly skipped: number;
}

/** SHA-256 of the inflated content, hex. */
export async function importIdOf(chunks: Bytes): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of inflated(chunks)) hash.update(chunk);
  return hash.digest('hex');
}

/** Given to a record that has none. At most MESSAGE_ID_CHARS_MAX characters. */
export function messageIdOf(importId: string, line: number): string {
  return `imp_${importId.slice(0, 32)}_${line}`;
}

assert(messageIdOf('0'.repeat(64), Number.MAX_SAFE_INTEGER).length <= MESSAGE_ID_CHARS_MAX, 'it fits');

/**
 * The file's records in batches, those of the first `linesDone` lines left out. Throws MusterError bad_request when
 * its gzip is damaged.
 */
export async function* importBatches(
  importId: string,
  chunks: Bytes,
  linesDone = 0,
): AsyncGenerator<ImportBatch> {
  let batch = new BatchInProgress(linesDone + 1);
  let next = linesDone + 1;
  for await (const line of readLines(inflated(chunks))) {
    if (line.number <= linesDone) {
      batch.skip();
      continue;
    }
    if (batch.isFull) {
      yield batch.end(line.number, false);
      batch = new BatchInProgress(line.number);
    }
    batch.add(line, importId);
    next = line.number + 1;
  }
  yield batch.end(next, true);
}

class BatchInProgress {
  readonly #from: number;
  readonly #calls: JsonObject[] = [];
  readonly #rejects: ImportReject[] = [];
  #chars = 0;
  #skipped = 0;

  constructor(from: number) {
    this.#from = from;
  }

  get isFull(): boolean {
    return (
      this.#calls.length + this.#rejects.length === IMPORT_BATCH_LINES || this.#chars >= IMPORT_BATCH_BYTES
    );
  }

  skip(): void {
    this.#skipped++;
  }

  add(line: Line, importId: string): void {
    const record = recordOf(line);
    if ('reason' in record) {
      this.#rejects.push({ line: line.number, reason: record.reason });
      return;
    }
    const { call } = record;
    // Null and '' are what SDKs send for "none".
    this.#calls.push(call.messageId ? call : { ...call, messageId: messageIdOf(importId, line.number) });
    this.#chars += line.text!.length;
  }

  end(to: number, finished: boolean): ImportBatch {
    return {
      from: this.#from,
      to,
      finished,
      calls: this.#calls,
      rejects: this.#rejects,
      skipped: this.#skipped,
    };
  }
}

function recordOf(line: Line): { readonly call: JsonObject } | { readonly reason: string } {
  if (line.text === undefined) return { reason: line.problem };
  let record: unknown;
  try {
    record = JSON.parse(line.text);
  } catch {
    return { reason: 'not JSON' };
  }
  return isObject(record) ? { call: record } : { reason: 'not a JSON object' };
}

export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text?: undefined; readonly problem: string };

/** Lines that are not blank, numbered from 1; of one over the event limit nothing is kept. */
export async function* readLines(chunks: Bytes): AsyncGenerator<Line> {
  let number = 1;
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      bytes += end - start;
      if (bytes <= LINE_BYTES_MAX) parts.push(chunk.subarray(start, end));
      const line = lineOf(number++, parts, bytes);
      if (line !== undefined) yield line;
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    bytes += chunk.length - start;
    if (bytes > LINE_BYTES_MAX) parts = [];
    else parts.push(chunk.subarray(start));
  }
  const last = lineOf(number, parts, bytes);
  if (last !== undefined) yield last;
}

const LF = 10;
/** An event and a carriage return. */
const LINE_BYTES_MAX = EVENT_BYTES_MAX + 1;

/** Undefined for a blank line. */
function lineOf(number: number, parts: readonly Uint8Array[], bytes: number): Line | undefined {
  if (bytes > LINE_BYTES_MAX) return { number, problem: `over ${EVENT_BYTES_MAX} bytes` };
  const text = decodeUtf8(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  if (text === undefined) return { number, problem: 'not UTF-8' };
  const trimmed = text.trim();
  return trimmed === '' ? undefined : { number, text: trimmed };
}

/** The content of a file that may be gzip, which its first two bytes tell. */
export async function* inflated(chunks: Bytes): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < 2) {
    const next = await source.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = joined(head, source);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  try {
    // Errors of the source reach the reader through the last stream as well as the callback.
    yield* pipeline(Readable.from(whole), createGunzip(), () => {});
  } catch (cause) {
    if (!(cause as NodeJS.ErrnoException).code?.startsWith('Z_')) throw cause;
    throw new MusterError('bad_request', 'the file is damaged gzip', { path: '$', cause });
  }
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    await rest.return?.();
  }
}
