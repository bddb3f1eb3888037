import { createHash } from 'node:crypto';
import type { KeyValue } from '../tablet/account.ts';

/** Keys of the API. Only their SHA-256 is ever stored. */

/** A fresh key: its role's letter, `k_`, and the bytes, which are chance: 24 make 192 bits. */
export function newKey(role: KeyValue['role'], bytes: Uint8Array): string {
  return `${role[0]}k_${Buffer.from(bytes).toString('base64url')}`;
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The name of a key wherever it is listed: the beginning of its hash. */
export function keyId({ sha256 }: KeyValue): string {
  return sha256.slice(0, 12);
}
