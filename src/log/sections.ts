import { Packr } from 'msgpackr';
import type { LogRecord } from './record.ts';

/**
 * What a frame of the log holds: sections, each with records for one tablet or for a whole account.
 *
 *   frame   = MessagePack array of sections, applied in order
 *   section = [account: text, tablet: text of '0' and '1' (the prefix bits of the tablet's hash range) or nil for
 *             "every tablet of the account", records: bin]
 *   records = MessagePack array of records (record.ts); equal shapes share one definition inside these bytes
 *             (msgpackr's record extension), so that the bytes need nothing outside themselves
 *
 * A section names the tablet it was written for. When that has split since, each of its children takes what is its own
 * (tablet/split.ts).
 */
export interface Section {
  readonly account: string;
  readonly tablet: string | undefined;
  /** Encoded records, alone in their ArrayBuffer so that they can be transferred between threads. */
  readonly records: Uint8Array;
}

const sectionPackr = new Packr({ useRecords: false });
const recordPackr = new Packr({ useRecords: true });

export function encodeRecords(records: readonly LogRecord[]): Uint8Array {
  return new Uint8Array(recordPackr.pack(records));
}

/** The inverse of encodeRecords; only for bytes whose checksum was verified. */
export function decodeRecords(records: Uint8Array): readonly LogRecord[] {
  return recordPackr.unpack(records) as readonly LogRecord[];
}

export function encodeSections(sections: readonly Section[]): Uint8Array {
  return sectionPackr.pack(
    sections.map(({ account, tablet, records }) => [account, tablet ?? null, records]),
  );
}

export function decodeSections(frame: Uint8Array): Section[] {
  const sections = sectionPackr.unpack(frame) as [string, string | null, Uint8Array][];
  return sections.map(([account, tablet, records]) => ({
    account,
    tablet: tablet ?? undefined,
    records: new Uint8Array(records),
  }));
}

/** Of their records. */
export function bytesOf(sections: readonly Section[]): number {
  return sections.reduce((sum, { records }) => sum + records.length, 0);
}
