import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { type EventTable, type NumberColumn, scaled, type TextColumn } from './eventTable.ts';

interface Track {
  readonly type: string;
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly event: string;
  readonly timestamp: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Numbers with more digits after the point are not taken for decimals. */
const DIGITS_MAX = 6;

/** What rivals' tables have besides properties. */
const RESERVED = ['arrival', 'user_id', 'ts', 'event'];

/** Reads the `track` lines of a gzipped NDJSON file. */
export async function readEvents(path: string): Promise<EventTable> {
  const users = new Codes();
  const events = new Codes();
  const user: number[] = [];
  const timeMs: number[] = [];
  const event: number[] = [];
  const properties = new Map<string, unknown[]>();
  const input = createReadStream(path).pipe(createGunzip());
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const call = JSON.parse(line) as Track;
    if (call.type !== 'track') continue;
    for (const [property, value] of Object.entries(call.properties ?? {})) {
      if (!properties.has(property)) properties.set(property, []);
      properties.get(property)![user.length] = value;
    }
    // Known and anonymous ids are two name spaces.
    user.push(users.of(call.userId ? `known ${call.userId}` : `anonymous ${call.anonymousId}`));
    timeMs.push(Date.parse(call.timestamp));
    event.push(events.of(call.event));
  }
  const reserved = RESERVED.find((name) => properties.has(name));
  if (reserved !== undefined) throw new Error(`${path}: a property cannot be called ${reserved} here`);
  const rows = user.length;
  const columns = [...properties].map(
    ([name, values]) => numberColumn(name, values, rows) ?? textColumn(name, values, rows),
  );
  return {
    rows,
    user: Uint32Array.from(user),
    timeMs: Float64Array.from(timeMs),
    event: { name: 'event', codes: Uint32Array.from(event), texts: events.texts },
    texts: columns.filter((column) => 'codes' in column),
    numbers: columns.filter((column) => 'values' in column),
  };
}

/** Whatever is no text becomes its JSON. */
function textColumn(name: string, values: readonly unknown[], rows: number): TextColumn {
  const codes = new Uint32Array(rows);
  const known = new Codes();
  values.forEach((value, row) => {
    codes[row] = 1 + known.of(typeof value === 'string' ? value : JSON.stringify(value));
  });
  return { name, codes, texts: ['', ...known.texts], absentCode: 0 };
}

/** Nothing if a value is no number or no decimal. */
function numberColumn(name: string, sparse: readonly unknown[], rows: number): NumberColumn | undefined {
  const values = new Float64Array(rows).fill(Number.NaN);
  let digits = 0;
  const fits = (value: unknown, row: number) => {
    if (typeof value !== 'number') return false;
    values[row] = value;
    while (scaled(value, digits) / 10 ** digits !== value) if (++digits > DIGITS_MAX) return false;
    return true;
  };
  return sparse.every(fits) ? { name, values, digits } : undefined;
}

/** Numbers texts from 0 on, as they come. */
class Codes {
  readonly texts: string[] = [];
  readonly #codes = new Map<string, number>();

  of(text: string): number {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.texts.length;
      this.texts.push(text);
      this.#codes.set(text, code);
    }
    return code;
  }
}
