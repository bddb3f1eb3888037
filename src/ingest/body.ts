import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { badRequest, MusterError } from '../base/errors.ts';
import { BATCH_BYTES_MAX, BODY_BYTES_MAX, INFLATE_RATIO_MAX } from '../base/limits.ts';
import { decodeUtf8 } from './json.ts';

export interface Body {
  readonly value: unknown;
  /** Length of the JSON, inflated. */
  readonly bytes: number;
}

const gunzipAsync = promisify(gunzip);

/**
 * Reads a request's body as JSON, whatever its content type says: SDKs send text/plain and form types. Rejects with
 * too_large past the hard limit, and with bad_request when the bytes are no gzip, no UTF-8 or no JSON.
 */
export async function readBody(raw: Uint8Array, contentEncoding: string | undefined): Promise<Body> {
  const bytes = await inflate(raw, contentEncoding?.trim().toLowerCase() ?? '');
  if (bytes.length > BODY_BYTES_MAX) throw tooLarge();
  const text = decodeUtf8(bytes);
  if (text === undefined) throw badRequest('the body is not UTF-8', '$');
  try {
    return { value: JSON.parse(text), bytes: bytes.length };
  } catch (cause) {
    throw new MusterError('bad_request', 'the body is not JSON', { path: '$', cause });
  }
}

async function inflate(raw: Uint8Array, encoding: string): Promise<Uint8Array> {
  if (encoding === '' || encoding === 'identity') return raw;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw badRequest('the content encoding must be gzip or identity', '$');
  }
  // A batch of the largest size may be as repetitive as it likes. zlib stops as soon as the limit is passed.
  const inflatedMax = Math.max(BATCH_BYTES_MAX, raw.length * INFLATE_RATIO_MAX);
  try {
    return await gunzipAsync(raw, { maxOutputLength: Math.min(inflatedMax, BODY_BYTES_MAX) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new MusterError('bad_request', 'the body is not gzip', { path: '$', cause });
  }
}

function tooLarge(): MusterError {
  return new MusterError(
    'too_large',
    `the body may take at most ${BODY_BYTES_MAX} bytes, and ${INFLATE_RATIO_MAX} times its gzip`,
  );
}
