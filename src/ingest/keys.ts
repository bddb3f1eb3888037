import { isObject } from './json.ts';

/**
 * The write key of a collecting request: the user name of Basic authorization (with an empty password or none), a
 * Bearer token, or `writeKey` in the body, where browsers put it; undefined when there is none.
 */
export function writeKeyOf(authorization: string | undefined, body: unknown): string | undefined {
  return keyOfHeader(authorization ?? '') ?? keyOfBody(body);
}

function keyOfHeader(authorization: string): string | undefined {
  const [, scheme, credentials] = /^(basic|bearer) +(\S+) *$/i.exec(authorization) ?? [];
  if (scheme === undefined || credentials === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return credentials;
  const [user, password] = Buffer.from(credentials, 'base64').toString().split(':');
  return user && !password ? user : undefined;
}

function keyOfBody(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const { writeKey } = body;
  return typeof writeKey === 'string' && writeKey !== '' ? writeKey : undefined;
}
