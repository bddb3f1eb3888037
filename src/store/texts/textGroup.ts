import { brotliCompressSync, brotliDecompressSync, constants as zlib } from 'node:zlib';
import { compressSync, uncompressSync } from 'lz4-napi';
import { DamageError } from '../../base/errors.ts';
import { OPEN_TEXTS_BYTES_MAX, TEXT_BYTES_MAX } from '../../base/limits.ts';
import { damaged, type Place } from '../../encoding/contract.ts';
import { decimalsOf, decimalTexts } from './decimals.ts';
import { type TextList, textStart } from './localTexts.ts';

/**
 * Texts that are compressed together. Their plain bytes are laid out as suits them (`width` says more):
 *
 *   LAYOUT.ended     each text, then a byte 0xff, which is in no UTF-8; width 0
 *   LAYOUT.fixed     texts of `width` bytes each, at least 1
 *   LAYOUT.decimals  see decimals.ts
 *
 * and then packed by a codec: stored as they are, LZ4 (a u32 of the plain bytes, then LZ4 block format), or Brotli,
 * which makes 0.9 of what deflate does of so few bytes, and of ids a few percent less than that.
 */
export interface PackedGroup {
  readonly firstCode: number;
  readonly count: number;
  readonly layout: number;
  readonly width: number;
  readonly codec: number;
  readonly plainBytes: number;
  readonly packed: Uint8Array;
}

export const LAYOUT = { ended: 0, fixed: 1, decimals: 2 } as const;
export const CODEC = { stored: 0, lz4: 1, brotli: 2 } as const;

const END = 0xff;
const WIDTH_MAX = 0xffff;
/** How much text a group is made for; the text that fills it may take it past that. */
export const GROUP_BYTES_MAX = 32_768;
const PLAIN_BYTES_MAX = GROUP_BYTES_MAX + TEXT_BYTES_MAX + 1;
/** What a group's object and its view of the bytes take in V8. */
export const GROUP_OBJECT_BYTES = 160;

/** Decompressed. Text i ends at ends[i]; the next begins `gap` bytes on. */
export interface OpenGroup {
  readonly bytes: Buffer;
  readonly ends: Uint32Array;
  readonly gap: number;
}

/** Where the group that begins at text `from` ends (exclusive), when groups are of so many bytes. */
export function groupEnd(list: TextList, from: number, groupBytes: number): number {
  const fullAt = textStart(list, from) + groupBytes;
  let to = from + 1;
  while (to < list.ends.length && list.ends[to - 1]! + (to - from) < fullAt) to++;
  return to;
}

/** Packs texts [from, to), at least one, whose codes begin at `firstCode`; stored when that is not larger. */
export function packGroup(
  list: TextList,
  { from, to, firstCode }: { readonly from: number; readonly to: number; readonly firstCode: number },
  codec: typeof CODEC.lz4 | typeof CODEC.brotli,
): PackedGroup {
  const { layout, width, plain } = laidOut(list, from, to);
  const compressed = codec === CODEC.lz4 ? compressSync(plain) : brotli(plain, layout);
  const group = { firstCode, count: to - from, layout, width, plainBytes: plain.length };
  // Copied, because what a compressor returns may hold a buffer that is larger.
  if (compressed.length < plain.length) return { ...group, codec, packed: new Uint8Array(compressed) };
  return { ...group, codec: CODEC.stored, packed: new Uint8Array(plain) };
}

interface Plain {
  readonly layout: number;
  readonly width: number;
  readonly plain: Buffer;
}

function laidOut(list: TextList, from: number, to: number): Plain {
  const decimals = decimalsOf(list, from, to);
  if (decimals !== undefined) return { layout: LAYOUT.decimals, ...decimals };
  const start = textStart(list, from);
  const width = list.ends[from]! - start;
  if (width > 0 && width <= WIDTH_MAX && haveWidth(list, from, to, width)) {
    return { layout: LAYOUT.fixed, width, plain: Buffer.from(list.bytes.slice(start, list.ends[to - 1]!)) };
  }
  return { layout: LAYOUT.ended, width: 0, plain: withEnds(list, from, to) };
}

function haveWidth(list: TextList, from: number, to: number, width: number): boolean {
  for (let i = from; i < to; i++) if (list.ends[i]! - textStart(list, i) !== width) return false;
  return true;
}

function withEnds({ bytes, ends }: TextList, from: number, to: number): Buffer {
  let at = textStart({ bytes, ends }, from);
  const plain = Buffer.allocUnsafe(ends[to - 1]! - at + (to - from));
  let target = 0;
  for (let i = from; i < to; i++) {
    while (at < ends[i]!) plain[target++] = bytes[at++]!;
    plain[target++] = END;
  }
  return plain;
}

/** Quality 5 finds more that repeats; 4 takes fewer matches, and so codes digits better, in a third of the time. */
function brotli(plain: Buffer, layout: number): Buffer {
  return brotliCompressSync(plain, {
    params: {
      [zlib.BROTLI_PARAM_QUALITY]: layout === LAYOUT.ended ? 5 : 4,
      [zlib.BROTLI_PARAM_LGWIN]: 16,
      [zlib.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
}

/** For groups read from bytes: no more is allocated for one than PLAIN_BYTES_MAX and 4 bytes a text. */
export function checkGroup({ count, plainBytes }: PackedGroup, place: Place): void {
  if (plainBytes > PLAIN_BYTES_MAX) damaged(place, `at most ${PLAIN_BYTES_MAX} bytes`, String(plainBytes));
  if (count === 0) damaged(place, 'texts in every group', 'none');
  if (count > plainBytes) damaged(place, `${count} texts`, `${plainBytes} bytes`);
}

function opened(group: PackedGroup, place: Place): OpenGroup {
  const plain = unpacked(group, place);
  const { count, width } = group;
  switch (group.layout) {
    case LAYOUT.ended:
      return { bytes: plain, ends: endsOf(plain, count, place), gap: 1 };
    case LAYOUT.fixed:
      if (width === 0 || width * count !== plain.length) {
        damaged(place, `${count} texts of ${width} bytes`, `${plain.length} bytes`);
      }
      return { bytes: plain, ends: Uint32Array.from({ length: count }, (_, i) => (i + 1) * width), gap: 0 };
    case LAYOUT.decimals:
      return { ...decimalTexts(plain, count, width, place), gap: 0 };
    default:
      return damaged(place, 'a known layout', String(group.layout));
  }
}

function endsOf(plain: Buffer, count: number, place: Place): Uint32Array {
  const ends = new Uint32Array(count);
  let found = 0;
  for (let at = 0; at < plain.length; at++) {
    if (plain[at] === END) ends[found++] = at;
  }
  if (found !== count || plain[plain.length - 1] !== END) damaged(place, `${count} texts`, String(found));
  return ends;
}

function unpacked({ codec, plainBytes, packed }: PackedGroup, place: Place): Buffer {
  let plain: Buffer;
  try {
    plain = decompressed(codec, packed, plainBytes, place);
  } catch (error) {
    if (error instanceof DamageError || !(error instanceof Error)) throw error;
    return damaged(place, 'a compressed group', error.message);
  }
  if (plain.length !== plainBytes) damaged(place, `${plainBytes} bytes`, String(plain.length));
  return plain;
}

/** Never allocates more than `plainBytes`: LZ4 is asked only for what it claims, Brotli is held to it. */
function decompressed(codec: number, packed: Uint8Array, plainBytes: number, place: Place): Buffer {
  const source = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  switch (codec) {
    case CODEC.stored:
      return source;
    case CODEC.lz4: {
      const claimed = source.length < 4 ? -1 : source.readUInt32LE(0);
      if (claimed !== plainBytes) damaged(place, `${plainBytes} bytes`, String(claimed));
      return uncompressSync(source);
    }
    case CODEC.brotli:
      return brotliDecompressSync(source, {
        maxOutputLength: plainBytes,
        chunkSize: Math.max(plainBytes, zlib.Z_MIN_CHUNK),
      });
    default:
      return damaged(place, 'a known codec', String(codec));
  }
}

/** Decompressed groups of all heaps and dictionaries of a thread, the longest unused first. */
const openGroups = new Map<PackedGroup, OpenGroup>();
let openBytes = 0;
let latest: { readonly group: PackedGroup; readonly open: OpenGroup } | undefined;

/** The group decompressed, from the last uses or anew. Throws DamageError when its bytes are not such a group. */
export function openGroup(group: PackedGroup, place: Place): OpenGroup {
  if (latest?.group === group) return latest.open;
  let open = openGroups.get(group);
  if (open === undefined) {
    open = opened(group, place);
    openBytes += bytesOf(open);
  }
  openGroups.delete(group);
  openGroups.set(group, open);
  latest = { group, open };
  closeOldest();
  return open;
}

/** Leaves what was used last, however large. */
function closeOldest(): void {
  for (const [group, open] of openGroups) {
    if (openBytes <= OPEN_TEXTS_BYTES_MAX || openGroups.size === 1) return;
    openGroups.delete(group);
    openBytes -= bytesOf(open);
  }
}

/** What this thread keeps decompressed, OPEN_TEXTS_BYTES_MAX at the most unless one group is larger. */
export function openGroupsBytes(): number {
  return openBytes;
}

function bytesOf({ bytes, ends }: OpenGroup): number {
  return bytes.length + ends.byteLength;
}

/** Where text i begins; it ends at ends[i]. */
export function groupTextStart({ ends, gap }: OpenGroup, i: number): number {
  return i === 0 ? 0 : ends[i - 1]! + gap;
}

export function groupText(group: OpenGroup, i: number): string {
  return group.bytes.toString('utf8', groupTextStart(group, i), group.ends[i]);
}

/** Where the group with this code is. Groups ascend by code and have no gaps. */
export function groupOf(groups: readonly PackedGroup[], code: number): number {
  let low = 0;
  let high = groups.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (groups[middle]!.firstCode <= code) low = middle;
    else high = middle;
  }
  return low;
}
