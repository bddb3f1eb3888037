import { assert } from '../../base/assert.ts';
import { type Bitset, popcount32 } from '../../base/bitset.ts';
import { CHUNK_ROWS_MAX } from '../../base/limits.ts';
import type { Column } from '../../encoding/column.ts';
import type { LinearCodes } from '../../encoding/contract.ts';
import { kernels } from '../../encoding/kernels/chosen.ts';
import { countBits } from '../../encoding/kernels/countBits.ts';
import {
  GATHERED_ROWS,
  INTERVALS_MAX,
  PLACES_MAX,
  type RunPlaces,
  type RunRowCodes,
} from '../../encoding/kernels/kernels.ts';
import type { CellReader, PlacedBatch, PlacedBy, PlacedWanted, TimeIntervals } from '../part.ts';
import { BlockCellReader } from './blockCellReader.ts';

/** Of so few rows what they have is sooner read one by one than what is of a whole chunk copied. */
const FEW_ROWS = 64;
/** Times of one code are in one interval mostly, where it is so many times longer than they may lie apart. */
const INTERVAL_LENGTHS = 8;

/** Of a chunk all rows in one run. */
const ONE_RUN: RunRowCodes = {
  packed: new Uint8Array(1),
  bits: 1,
  bounds: { starts: Uint8Array.from({ length: CHUNK_ROWS_MAX >>> 3 }, (_, at) => (at === 0 ? 1 : 0)) },
};

const listedRows = new Uint32Array(GATHERED_ROWS);
const listedCodes = new Uint32Array(GATHERED_ROWS);
const listedNumbers = new Float64Array(GATHERED_ROWS);
const listedIntervals = new Int32Array(GATHERED_ROWS);
const otherRests = new Float64Array(GATHERED_ROWS);
const otherRows = new Uint32Array(3 * GATHERED_ROWS);

export interface PlacedStreams {
  readonly times: Column;
  /** Bitmap of users' first rows; undefined where nobody asks for users. */
  readonly firsts: Uint32Array | undefined;
  readonly wanted: PlacedWanted;
}

/** The selected rows in order, as many of a chunk as are looked at together, and what they are placed by. */
export function* placedRowsSteps(
  { words }: Bitset,
  places: readonly (readonly PlacedBy[])[],
  streams: PlacedStreams,
  visit: (batch: PlacedBatch) => void,
): Generator<void, void> {
  const piece = new Piece(words, streams);
  const chunkWords = streams.times.chunkRows >>> 5;
  for (let chunk = 0; chunk < words.length; chunk += chunkWords) {
    const end = Math.min(chunk + chunkWords, words.length);
    for (let from = chunk; from < end; from = piece.to) {
      piece.begin(chunk, from, end);
      if (piece.count === 0) continue;
      visit(piece.placeAll(places));
      yield;
    }
  }
}

/** Some words of the selection, all of one chunk. */
class Piece {
  readonly #words: Uint32Array;
  readonly #streams: PlacedStreams;
  #chunk = 0;
  #from = 0;
  /** Where the next one begins. */
  to = 0;
  count = 0;
  #areListed = false;
  /** Users that begin before the word. */
  #before = { users: 0, word: 0 };

  constructor(words: Uint32Array, streams: PlacedStreams) {
    this.#words = words;
    this.#streams = streams;
  }

  /** Of the chunk that begins and ends at these words, as much from here on as fits. Kernels want words in pairs. */
  begin(chunk: number, from: number, end: number): void {
    this.#chunk = chunk;
    this.#from = from;
    this.count = 0;
    this.#areListed = false;
    const all = countBits(this.#words.subarray(from, end));
    if (all <= GATHERED_ROWS) {
      this.count = all;
      this.to = end;
      return;
    }
    for (this.to = from; this.to < end; this.to += 2) {
      const second = this.to + 1 < end ? this.#words[this.to + 1]! : 0;
      const more = popcount32(this.#words[this.to]!) + popcount32(second);
      if (this.count + more > GATHERED_ROWS) return;
      this.count += more;
    }
  }

  /** The rows, which must be wanted. */
  list(): Uint32Array {
    assert(this.#streams.wanted === 'rows', 'each row is an entry');
    return this.#list();
  }

  #list(): Uint32Array {
    const rows = listedRows.subarray(0, this.count);
    if (this.#areListed) return rows;
    this.#areListed = true;
    kernels().positions(this.#selected, this.#from << 5, 0, rows);
    return rows;
  }

  /** All rows, by the sum of what they have of each in a list. Good until the next piece. */
  placeAll(places: readonly (readonly PlacedBy[])[]): PlacedBatch {
    const batch = this.#placeRuns(places);
    if (batch !== undefined) return batch;
    const { count } = this;
    const { firsts } = this.#streams;
    const users = nearPlace(USERS, count);
    if (firsts !== undefined)
      kernels().rankRows(this.#selected, this.#own(firsts), this.#usersBefore(firsts), users);
    return {
      count,
      users,
      sizes: nearPlace(SIZES, count).fill(1),
      places: places.map((by, i) => this.#place(by, i)),
      rows: () => this.list(),
    };
  }

  #usersBefore(firsts: Uint32Array): number {
    this.#before.users += countBits(firsts.subarray(this.#before.word, this.#from));
    this.#before.word = this.#from;
    return this.#before.users;
  }

  /** Where there are one or two to place by, and rows have them as runs, in one go. */
  #placeRuns(places: readonly (readonly PlacedBy[])[]): PlacedBatch | undefined {
    const pair = pairOf(places);
    if (pair === undefined) return undefined;
    const { first, last } = pair;
    const isSum = places.length === 1;
    const codes =
      first === undefined ? this.#oneRun() : 'reader' in first ? this.#codeRuns(first, 0) : undefined;
    if (codes === undefined) return undefined;
    const lengths = 'intervals' in last ? this.#lengthRuns(last.intervals) : undefined;
    const second = 'reader' in last ? this.#codeRuns(last, 1) : lengths?.runs;
    if (second === undefined) return undefined;
    const { firsts, wanted } = this.#streams;
    const entries = {
      places: nearPlace(0, this.count),
      seconds: nearPlace(1, this.count),
      users: nearPlace(USERS, this.count),
      sizes: nearPlace(SIZES, this.count),
      others: otherRows,
    };
    const rows = {
      ...{ selected: this.#selected, row: this.#row, runs: [codes, second] as const, isSum },
      firsts: firsts && this.#own(firsts),
      usersBefore: firsts === undefined ? 0 : this.#usersBefore(firsts),
      areApart: wanted === 'rows',
    };
    const found = kernels().placeRuns(rows, entries);
    // Rests lie far apart: a loop of nothing else waits for several at a time.
    for (let i = 0; i < found.others; i++) otherRests[i] = lengths!.restAt(otherRows[i]! & 0xffff);
    for (let i = 0; i < found.others; i++) {
      const n = otherRows[i]! >>> 16;
      const interval = lengths!.indexOf(entries.seconds[n]!, otherRests[i]!);
      entries.seconds[n] = interval;
      if (isSum) entries.places[n]! += interval;
    }
    const count = found.entries;
    const own = [entries.places.subarray(0, count), entries.seconds.subarray(0, count)];
    return {
      count,
      users: entries.users.subarray(0, count),
      sizes: entries.sizes.subarray(0, count),
      places: own.slice(0, places.length),
      rows: () => this.list(),
    };
  }

  /** Of rows that are placed by nothing else. */
  #oneRun(): RunPlaces {
    return { codes: ONE_RUN, places: nearPlace(TABLES_FROM, 2).fill(0) };
  }

  /** Where codes of a column of all rows are runs, and not too many to look up, what rows of each code are placed by. */
  #codeRuns({ reader, factor }: CodesPlacedBy, table: 0 | 1): RunPlaces | undefined {
    const linear = this.#linearOf(reader);
    if (linear?.codes.bounds === undefined) return undefined;
    const { base, unit, codes } = linear;
    const count = 2 ** codes.bits;
    if (count > Math.min(this.count, PLACES_MAX)) return undefined;
    const places = nearPlace(TABLES_FROM + table, count);
    for (let code = 0; code < count; code++) places[code] = factor * (base + unit * code);
    return { codes: codes as RunRowCodes, places };
  }

  /** The chunk's codes as kernels take them, where they are such, and worth it. */
  #linearOf(reader: CellReader): LinearCodes | undefined {
    if (this.count < FEW_ROWS || !(reader instanceof BlockCellReader)) return undefined;
    return reader.codesOfRows?.chunkFrom(this.#chunk << 5).rowCodes();
  }

  /** The sum of what the rows have of each. */
  #place(by: readonly PlacedBy[], i: number): Uint32Array {
    const near = nearPlace(i, this.count).fill(0);
    for (const each of by) {
      if ('intervals' in each) this.#addIntervals(each.intervals, near);
      else this.#addCodes(each.reader, each.factor, near);
    }
    return near;
  }

  #addCodes(reader: CellReader, factor: number, target: Uint32Array): void {
    const linear = this.#linearOf(reader);
    if (linear === undefined) {
      reader.read(this.#list(), this.count, listedCodes, listedNumbers);
      addEach(listedCodes, factor, target);
      return;
    }
    const { base, unit, codes } = linear;
    kernels().addCodes(this.#selected, this.#row, codes, factor * unit, target);
    if (base !== 0) addAll(factor * base, target);
  }

  #addIntervals(intervals: TimeIntervals, target: Uint32Array): void {
    const { times } = this.#streams;
    const lengths = this.#lengthRuns(intervals);
    if (lengths === undefined) {
      times.gather(this.#list(), listedNumbers);
      intervals.place(listedNumbers, this.count, listedIntervals);
      addEach(listedIntervals, 1, target);
      return;
    }
    const { codes, places } = lengths.runs;
    const found = kernels().addPlaces(this.#selected, this.#row, codes, places, target, otherRows);
    for (let i = 0; i < 3 * found; i += 3) {
      target[otherRows[i]!]! += lengths.indexOf(otherRows[i + 2]!, lengths.restAt(otherRows[i + 1]!));
    }
  }

  /** Where times are lengths, most of which are in one interval. Those of others are told by their rests. */
  #lengthRuns(intervals: TimeIntervals): LengthRuns | undefined {
    if (this.count < FEW_ROWS) return undefined;
    const chunk = this.#streams.times.chunkFrom(this.#chunk << 5);
    const lengths = chunk.rowLengths();
    if (lengths === undefined) return undefined;
    const { base, length, codes, restAt } = lengths;
    const count = Math.floor((chunk.max - base) / length) + 1;
    const meanMs = (intervals.startsMs[intervals.count]! - intervals.startsMs[0]!) / intervals.count;
    if (count > PLACES_MAX || intervals.count >= INTERVALS_MAX || length * INTERVAL_LENGTHS > meanMs)
      return undefined;
    const places = nearPlace(TABLES_FROM + 1, count);
    kernels().placeLengths(intervals.startsMs, base, length, places);
    return {
      runs: { codes, places },
      restAt,
      indexOf: (code, rest) => intervals.indexOf(base + length * code + rest),
    };
  }

  get #selected(): Uint32Array {
    return this.#own(this.#words);
  }

  #own(words: Uint32Array): Uint32Array {
    return words.subarray(this.#from, this.to);
  }

  /** The first one, counted from that of the chunk. */
  get #row(): number {
    return (this.#from - this.#chunk) << 5;
  }
}

/** Where it is one list of one or two, or two lists of which the first may be empty: the one or two. */
function pairOf(
  places: readonly (readonly PlacedBy[])[],
): { readonly first: PlacedBy | undefined; readonly last: PlacedBy } | undefined {
  const [by, more = []] = places;
  const own = by!.slice(0, places.length === 1 ? -1 : undefined);
  const behind = places.length === 1 ? by!.slice(-1) : more;
  const [last] = behind;
  return last === undefined || own.length > 1 || behind.length > 1 ? undefined : { first: own[0], last };
}

type CodesPlacedBy = Extract<PlacedBy, { readonly reader: CellReader }>;

interface LengthRuns {
  readonly runs: RunPlaces;
  /** What a row has besides. */
  restAt(row: number): number;
  indexOf(code: number, rest: number): number;
}

/** Of what stays near: behind two places of each row its user, how many rows it is, and tables of what codes are placed by. */
const USERS = 2;
const SIZES = 3;
const TABLES_FROM = 4;

function nearPlace(i: number, count: number): Uint32Array {
  return kernels().near.subarray(i * GATHERED_ROWS, i * GATHERED_ROWS + count);
}

function addEach(numbers: Uint32Array | Int32Array, factor: number, target: Uint32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += Math.imul(factor, numbers[i]!);
}

function addAll(number: number, target: Uint32Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += number;
}
