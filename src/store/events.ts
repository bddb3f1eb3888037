import { assert } from '../base/assert.ts';
import { BLOCK_ROWS_MAX, CHUNK_ROWS, HEAD_ROWS_MAX } from '../base/limits.ts';
import type { Value } from '../base/value.ts';
import { Block } from './block.ts';
import { TextDictionary } from './dictionary.ts';
import { Head } from './head.ts';
import type { Part } from './part.ts';
import { sealSteps } from './seal.ts';
import type { EventsView } from './view.ts';
import { type Window, type WindowSpan, windowOf } from './windows.ts';

export interface EventStoreOptions {
  readonly span?: WindowSpan;
  /** Smaller ones for tests: how rows are cut never changes an answer. */
  readonly headRowsMax?: number;
  readonly chunkRows?: number;
}

/** Rows looked at between two yields. */
const STEP_ROWS = 4096;

/** A tablet's events: blocks by window, heads that are full and wait to be sealed, and the head. */
export class EventStore implements EventsView {
  readonly dictionary = new TextDictionary();
  readonly #span: WindowSpan;
  readonly #headRowsMax: number;
  readonly #chunkRows: number;
  /** By window, and within one in the order of sealing. */
  #blocks: readonly Block[] = [];
  /** The oldest first. */
  #frozen: readonly Head[] = [];
  #head: Head;
  #rowCount = 0;

  constructor({
    span = 'quarter',
    headRowsMax = HEAD_ROWS_MAX,
    chunkRows = CHUNK_ROWS,
  }: EventStoreOptions = {}) {
    assert(headRowsMax <= BLOCK_ROWS_MAX, 'a head fits a block');
    this.#span = span;
    this.#headRowsMax = headRowsMax;
    this.#chunkRows = chunkRows;
    this.#head = new Head(this.dictionary, headRowsMax);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get hasFrozen(): boolean {
    return this.#frozen.length > 0;
  }

  /** Properties in any order, each code once. */
  append(
    ordinal: number,
    eventCode: number,
    timeMs: number,
    properties: readonly (readonly [number, Value])[],
  ): void {
    this.#head.append(ordinal, eventCode, timeMs, properties);
    this.#rowCount++;
    if (!this.#head.isFull) return;
    this.#frozen = [...this.#frozen, this.#head];
    this.#head = new Head(this.dictionary, this.#headRowsMax);
  }

  parts(): readonly Part[] {
    return [...this.#blocks, ...this.#frozen, this.#head];
  }

  /**
   * Seals the oldest full head into one block a window. Its rows stay visible throughout and change places in the last
   * step; a run that is abandoned changes nothing, and of two at once the later one to end is without effect.
   */
  *sealSteps(): Generator<void, void> {
    const head = this.#frozen[0];
    if (head === undefined) return;
    const sealed: Block[] = [];
    for (const { window, rows } of yield* this.#windowsSteps(head)) {
      const bytes = yield* sealSteps(head, rows, window, this.#chunkRows);
      sealed.push(yield* Block.openSteps(bytes, this.dictionary, 'a block in memory'));
    }
    if (this.#frozen[0] !== head) return;
    this.#frozen = this.#frozen.slice(1);
    // Sorting is stable: in each window the new block comes after those sealed before.
    this.#blocks = [...this.#blocks, ...sealed].sort((a, b) => a.window.startMs - b.window.startMs);
  }

  /** Drops the windows that end at or before this time; returns the number of rows dropped. */
  dropBefore(timeMs: number): number {
    const kept = this.#blocks.filter(({ window }) => window.endMs > timeMs);
    if (kept.length === this.#blocks.length) return 0;
    const rowsIn = (blocks: readonly Block[]) => blocks.reduce((total, { rowCount }) => total + rowCount, 0);
    const dropped = rowsIn(this.#blocks) - rowsIn(kept);
    this.#blocks = kept;
    this.#rowCount -= dropped;
    return dropped;
  }

  /** Bytes, by part; `head` counts those waiting to be sealed. */
  memory(): { readonly head: number; readonly blocks: number; readonly dictionary: number } {
    const bytesOf = (parts: readonly { readonly memoryBytes: number }[]) =>
      parts.reduce((total, { memoryBytes }) => total + memoryBytes, 0);
    return {
      head: bytesOf([...this.#frozen, this.#head]),
      blocks: bytesOf(this.#blocks),
      dictionary: this.dictionary.memoryBytes,
    };
  }

  /** The head's rows in order of arrival, by window. */
  *#windowsSteps(
    head: Head,
  ): Generator<void, readonly { readonly window: Window; readonly rows: Uint32Array }[]> {
    const windows = new Map<number, { readonly window: Window; readonly rows: number[] }>();
    let current: { readonly window: Window; readonly rows: number[] } | undefined;
    for (let row = 0; row < head.rowCount; row++) {
      const timeMs = head.timeAt(row);
      if (current === undefined || timeMs < current.window.startMs || timeMs >= current.window.endMs) {
        const window = windowOf(timeMs, this.#span);
        current = windows.get(window.startMs) ?? { window, rows: [] };
        windows.set(window.startMs, current);
      }
      current.rows.push(row);
      if (row % STEP_ROWS === 0) yield;
    }
    return [...windows.values()].map(({ window, rows }) => ({ window, rows: Uint32Array.from(rows) }));
  }
}
