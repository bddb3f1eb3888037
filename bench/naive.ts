import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { Scalar, Value } from '../src/base/value.ts';
import type { OracleEvent, OracleUser } from '../src/query/oracle.ts';

/**
 * An import file read the plain way, line by line into maps, by what docs/reference/collecting.md says and with none of
 * the server's code for it: what a server that imported the file is held against. It knows `track` and `identify`
 * without merges, which is what the files have; anything else is an error.
 */
export interface NaiveFile {
  /** Lines that are not blank. */
  readonly lines: number;
  readonly users: readonly NaiveUser[];
  /** In the order of the file. */
  readonly events: readonly OracleEvent[];
}

export interface NaiveUser extends OracleUser {
  readonly known: boolean;
  readonly events: OracleEvent[];
  readonly traits: Record<string, Value>;
}

type Json = Readonly<Record<string, unknown>>;

export async function readNaively(path: string): Promise<NaiveFile> {
  const users = new Map<string, NaiveUser>();
  const events: OracleEvent[] = [];
  const setMs = new Map<string, number>();
  let lines = 0;
  const file = createReadStream(path);
  const content = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  for await (const line of createInterface({ input: content })) {
    if (line.trim() === '') continue;
    lines++;
    const call = JSON.parse(line) as Json;
    const user = userOf(users, call);
    const timeMs = Date.parse(String(call.timestamp));
    if (Number.isNaN(timeMs)) throw new Error(`line ${lines} has no timestamp`);
    switch (call.type) {
      case 'track': {
        const properties = Object.fromEntries(
          leavesOf('', call.properties).flatMap(([name, raw]) => {
            const value = keptValue(raw);
            return value === undefined ? [] : [[name, value]];
          }),
        );
        const event = { event: String(call.event), timeMs, properties };
        events.push(event);
        user.events.push(event);
        break;
      }
      case 'identify':
        for (const [trait, raw] of leavesOf('', call.traits)) {
          const key = JSON.stringify([user.known, user.id, trait]);
          const value = keptValue(raw);
          if (timeMs < (setMs.get(key) ?? timeMs)) continue;
          setMs.set(key, timeMs);
          if (value === undefined) delete user.traits[trait];
          else user.traits[trait] = value;
        }
        break;
      default:
        throw new Error(`line ${lines} is a ${call.type}, which is not read here`);
    }
  }
  return { lines, users: [...users.values()], events };
}

/** Known and anonymous ids are two name spaces. */
function userOf(users: Map<string, NaiveUser>, { type, userId, anonymousId }: Json): NaiveUser {
  if (type === 'identify' && userId && anonymousId) throw new Error('merges are not read here');
  const known = Boolean(userId);
  const id = String(userId || anonymousId);
  const key = `${known} ${id}`;
  const user = users.get(key) ?? { id, known, events: [], traits: {} };
  users.set(key, user);
  return user;
}

/** The values of nested objects, their names joined with dots. */
function leavesOf(prefix: string, object: unknown): (readonly [string, unknown])[] {
  return Object.entries((object ?? {}) as Json).flatMap(([name, value]) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? leavesOf(`${prefix}${name}.`, value)
      : [[prefix + name, value] as const],
  );
}

/** Undefined for what is not stored. */
function keptValue(raw: unknown): Value | undefined {
  if (raw === null) return undefined;
  if (!Array.isArray(raw)) return fits(raw) ? (raw as Scalar) : undefined;
  if (raw.some((element) => element !== null && typeof element === 'object')) {
    return keptValue(JSON.stringify(raw));
  }
  const elements = raw.filter((element) => element !== null);
  return elements.length <= 100 && elements.every(fits) ? elements : undefined;
}

function fits(scalar: unknown): boolean {
  return typeof scalar !== 'string' || Buffer.byteLength(scalar) <= 1024;
}
