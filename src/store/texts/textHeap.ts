import { assert } from '../../base/assert.ts';
import type { Scalar } from '../../base/value.ts';
import { damaged, type Place } from '../../encoding/contract.ts';
import type { ValuePredicate } from '../part.ts';
import { type TextList, TextListBuilder, textCount } from './localTexts.ts';
import {
  CODEC,
  checkGroup,
  GROUP_BYTES_MAX,
  GROUP_OBJECT_BYTES,
  groupEnd,
  groupOf,
  groupText,
  groupTextStart,
  openGroup,
  type PackedGroup,
  packGroup,
} from './textGroup.ts';
import { TextAnswers, type Texts } from './texts.ts';
import { canBeKept, isAtHand, take } from './utf8.ts';

/**
 * A block's own texts, in groups that are compressed each by itself (textGroup.ts), so that one text costs one group.
 * All integers are little-endian.
 *
 *   0   u32  groups
 *   4   u32  texts
 *   8        per group: u32 texts, u32 plain bytes, u32 packed bytes, u8 layout, u8 codec, u16 width
 *   .        the groups' packed bytes, back to back
 *   .        zeros up to a multiple of 8
 *
 * Texts are coded from 0 in their order. A group has at least one text and at least one plain byte a text. There is no
 * checksum: the block's chunk around has one.
 */
const HEADER_BYTES = 8;
const ENTRY_BYTES = 16;

/** `fast` for what is sealed and soon merged, `small` for what is merged: 0.5 to 0.6 of the bytes, in thrice the time. */
export type HeapEffort = 'fast' | 'small';
const PACKING = {
  fast: { codec: CODEC.lz4, groupBytes: GROUP_BYTES_MAX / 2 },
  small: { codec: CODEC.brotli, groupBytes: GROUP_BYTES_MAX },
} as const;

/** The heap's bytes. Yields between groups, each of which takes up to about a millisecond. */
export function* encodeTextHeapSteps(list: TextList, effort: HeapEffort): Generator<void, Uint8Array> {
  const { codec, groupBytes } = PACKING[effort];
  const groups: PackedGroup[] = [];
  for (let from = 0; from < textCount(list); ) {
    const to = groupEnd(list, from, groupBytes);
    groups.push(packGroup(list, { from, to, firstCode: from }, codec));
    from = to;
    yield;
  }
  return heapOf(groups, textCount(list));
}

function heapOf(groups: readonly PackedGroup[], count: number): Uint8Array {
  const dataAt = HEADER_BYTES + groups.length * ENTRY_BYTES;
  const end = groups.reduce((total, { packed }) => total + packed.length, dataAt);
  const heap = new Uint8Array(Math.ceil(end / 8) * 8);
  const view = new DataView(heap.buffer);
  view.setUint32(0, groups.length, true);
  view.setUint32(4, count, true);
  let entry = HEADER_BYTES;
  let at = dataAt;
  for (const group of groups) {
    view.setUint32(entry, group.count, true);
    view.setUint32(entry + 4, group.plainBytes, true);
    view.setUint32(entry + 8, group.packed.length, true);
    view.setUint8(entry + 12, group.layout);
    view.setUint8(entry + 13, group.codec);
    view.setUint16(entry + 14, group.width, true);
    heap.set(group.packed, at);
    entry += ENTRY_BYTES;
    at += group.packed.length;
  }
  return heap;
}

/** Texts by code, compressed and read in place. What was opened last is shared by all heaps of a thread. */
export class TextHeap implements Texts {
  readonly count: number;
  readonly #groups: readonly PackedGroup[];
  readonly #byteLength: number;
  readonly #place: Place;
  readonly #answers = new TextAnswers(this);

  /**
   * `bytes` are all of a heap's and must not change any more. Throws DamageError when they are not put together as
   * they must be; every other method throws it when a group's content is not.
   */
  constructor(bytes: Uint8Array, place: Place) {
    this.#groups = groupsIn(bytes, place);
    this.#byteLength = bytes.length;
    this.#place = place;
    const last = this.#groups.at(-1);
    this.count = last === undefined ? 0 : last.firstCode + last.count;
  }

  get memoryBytes(): number {
    return this.#byteLength + this.#groups.length * GROUP_OBJECT_BYTES;
  }

  text(code: number): string {
    assert(code < this.count, 'codes were checked when the block was opened');
    const group = this.#groups[groupOf(this.#groups, code)]!;
    return groupText(openGroup(group, this.#place), code - group.firstCode);
  }

  array(code: number): readonly Scalar[] {
    return JSON.parse(this.text(code)) as Scalar[];
  }

  /** Runs findSteps to its end at once. */
  find(text: string): number | undefined {
    const steps = this.findSteps(text);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /** Looks through all groups, at about 0.3 bytes/ns, and yields between them. */
  *findSteps(text: string): Generator<void, number | undefined> {
    if (!canBeKept(text)) return undefined;
    for (const group of this.#groups) {
      // Others may have had texts at hand since the last step.
      take(text);
      const code = findIn(group, this.#place);
      if (code !== -1) return code;
      yield;
    }
    return undefined;
  }

  /** All texts, decompressed: what a merge of blocks reads. Yields between groups. */
  *listSteps(): Generator<void, TextList> {
    const texts = new TextListBuilder();
    for (const group of this.#groups) {
      const open = openGroup(group, this.#place);
      for (let i = 0; i < group.count; i++) {
        texts.addBytes(open.bytes, groupTextStart(open, i), open.ends[i]!);
      }
      yield;
    }
    return texts.list();
  }

  textTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answers.textTest(predicate);
  }

  arrayTest(predicate: ValuePredicate): (code: number) => boolean {
    return this.#answers.arrayTest(predicate);
  }

  /**
   * table[code] is 1 when the predicate is satisfied, else 0; of texts as arrays when `asArray`. Asks once per text,
   * whatever textTest or arrayTest asked before included. Yields between groups.
   */
  *tableSteps(predicate: ValuePredicate, { asArray }: { asArray: boolean }): Generator<void, Uint8Array> {
    const test = asArray ? this.arrayTest(predicate) : this.textTest(predicate);
    const table = new Uint8Array(this.count);
    for (const { firstCode, count } of this.#groups) {
      for (let code = firstCode; code < firstCode + count; code++) table[code] = test(code) ? 1 : 0;
      yield;
    }
    return table;
  }
}

/** The code of the text at hand; -1 when the group does not have it. */
function findIn(group: PackedGroup, place: Place): number {
  const open = openGroup(group, place);
  for (let i = 0; i < group.count; i++) {
    if (isAtHand(open.bytes, groupTextStart(open, i), open.ends[i]!)) return group.firstCode + i;
  }
  return -1;
}

function groupsIn(bytes: Uint8Array, place: Place): readonly PackedGroup[] {
  if (bytes.length < HEADER_BYTES) damaged(place, 'a text heap', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const groupCount = view.getUint32(0, true);
  let at = HEADER_BYTES + groupCount * ENTRY_BYTES;
  if (at > bytes.length) damaged(place, `${groupCount} groups`, `${bytes.length} bytes`);
  const groups: PackedGroup[] = [];
  let firstCode = 0;
  for (let entry = HEADER_BYTES; groups.length < groupCount; entry += ENTRY_BYTES) {
    const packedBytes = view.getUint32(entry + 8, true);
    const group = {
      firstCode,
      count: view.getUint32(entry, true),
      plainBytes: view.getUint32(entry + 4, true),
      packed: bytes.subarray(at, at + packedBytes),
      layout: view.getUint8(entry + 12),
      codec: view.getUint8(entry + 13),
      width: view.getUint16(entry + 14, true),
    };
    checkGroup(group, place);
    groups.push(group);
    firstCode += group.count;
    at += packedBytes;
  }
  if (firstCode !== view.getUint32(4, true))
    damaged(place, `${view.getUint32(4, true)} texts`, String(firstCode));
  if (Math.ceil(at / 8) * 8 !== bytes.length)
    damaged(place, `a heap of ${at} bytes`, `${bytes.length} bytes`);
  return groups;
}
