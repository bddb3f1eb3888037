import { SESSION_NAMES, type SessionOptions, sessionColumns } from '../sessions.ts';

/** The events of one set, in the order of arrival: what every rival is loaded from and checked against. */
export interface EventTable {
  readonly rows: number;
  /** Numbered as they come. */
  readonly user: Uint32Array;
  readonly timeMs: Float64Array;
  readonly event: TextColumn;
  readonly texts: readonly TextColumn[];
  readonly numbers: readonly NumberColumn[];
}

export interface TextColumn {
  readonly name: string;
  /** Per row an index into `texts`. */
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly texts: readonly string[];
  /** The code of rows that have no such property, used for nothing else. */
  readonly absentCode?: number;
}

/** Decimals, so that sums are exact and rivals can keep whole numbers. */
export interface NumberColumn {
  readonly name: string;
  /** NaN in rows that have no such property. */
  readonly values: Float64Array;
  /** After the point, for all values. */
  readonly digits: number;
}

export function sessionTable(options: SessionOptions): EventTable {
  const { user, timeMs, event, city, platform, amountCents, product } = sessionColumns(options);
  return {
    rows: options.events,
    user,
    timeMs,
    event: { name: 'event', codes: event, texts: SESSION_NAMES.event },
    texts: [
      { name: 'city', codes: city, texts: SESSION_NAMES.city },
      { name: 'platform', codes: platform, texts: SESSION_NAMES.platform },
      { name: 'product', codes: product, texts: SESSION_NAMES.product, absentCode: 0 },
    ],
    numbers: [
      {
        name: 'amount',
        values: Float64Array.from(amountCents, (cents) => (cents === 0 ? Number.NaN : cents / 100)),
        digits: 2,
      },
    ],
  };
}

/** What the texts of a column are, without the absent one. */
export function distinctTexts({ texts, absentCode }: TextColumn): readonly string[] {
  return absentCode === undefined ? texts : texts.filter((_, code) => code !== absentCode);
}

/** A decimal as a whole number of its last digit. */
export function scaled(value: number, digits: number): number {
  return Math.round(value * 10 ** digits);
}

/** Of the values as whole numbers of their last digit, and of 0. */
export function scaledRange({ values, digits }: NumberColumn): { least: number; most: number } {
  let least = 0;
  let most = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    least = Math.min(least, scaled(value, digits));
    most = Math.max(most, scaled(value, digits));
  }
  return { least, most };
}

/** The narrowest type of whole numbers with this range, by ClickHouse's name. */
export function integerType({ least, most }: { least: number; most: number }): IntegerType {
  for (const bits of [8, 16, 32] as const) {
    if (least >= 0 && most < 2 ** bits) return `UInt${bits}`;
    if (least >= -(2 ** (bits - 1)) && most < 2 ** (bits - 1)) return `Int${bits}`;
  }
  return 'Int64';
}

export type IntegerType = `UInt${8 | 16 | 32}` | `Int${8 | 16 | 32 | 64}`;

/** How many digits a decimal type needs: two widths are enough to choose from. */
export function decimalDigits({ least, most }: { least: number; most: number }): number {
  return Math.max(-least, most) < 1e9 ? 9 : 18;
}
