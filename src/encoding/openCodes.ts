import type { ByteReader } from './bytes.ts';
import { type Codes, KIND } from './codes.ts';
import { CompressedCodes, groupCount, isCodec } from './compressed.ts';
import { checkpointCount, DELTA_CODES_END, DeltaCodes, fromZigzag } from './deltas.ts';
import { BITS_PER_ONE_MAX, OnesCodes, oneBytes } from './ones.ts';
import { PackedCodes, packedBytes } from './packed.ts';
import { DeltaEnds, type RunEnds } from './runEnds.ts';
import { RunStarts, startBytes } from './runStarts.ts';
import { RunCodes } from './runs.ts';
import { SplitCodes } from './split.ts';
import { ZeroCodes } from './zeros.ts';

/**
 * Opens the codes that begin where the reader is, and leaves it behind them. Throws DamageError, also when they are of a
 * kind past `kindMax`: what is made of others comes before them in the list of kinds.
 */
export function openCodes(reader: ByteReader, rowCount: number, kindMax: number = KIND.ones): Codes {
  const kind = reader.byte();
  if (kind > kindMax || kind === KIND.starts)
    reader.expect(false, `codes of a kind up to ${kindMax}`, String(kind));
  switch (kind) {
    case KIND.zeros:
      return new ZeroCodes(rowCount);
    case KIND.compressed:
      return openCompressed(reader, rowCount);
    case KIND.deltas:
      return openDeltas(reader, rowCount);
    case KIND.runs:
      return openRuns(reader, rowCount);
    case KIND.split:
      return openSplit(reader, rowCount);
    case KIND.ones:
      return openOnes(reader, rowCount);
    default:
      return new PackedCodes(reader.bytes, reader.skip(packedBytes(rowCount, kind)), kind, rowCount);
  }
}

function openCompressed(reader: ByteReader, rowCount: number): CompressedCodes {
  const laneBytes = reader.byte();
  reader.expect(laneBytes === 1 || laneBytes === 2 || laneBytes === 4, 'lanes of 1, 2 or 4 bytes', 'others');
  const codec = reader.byte();
  reader.expect(isCodec(codec), 'a known codec', 'another');
  const lengths = new Uint32Array(groupCount(laneBytes, rowCount));
  for (let g = 0; g < lengths.length; g++) lengths[g] = reader.varint('a group', 0, 0xffff);
  const offsets = new Uint32Array(lengths.length + 1);
  for (let g = 0; g < lengths.length; g++) offsets[g] = reader.skip(lengths[g]!);
  offsets[lengths.length] = reader.offset;
  return new CompressedCodes(reader.bytes, { laneBytes, codec, offsets }, rowCount, reader.place);
}

function openDeltas(reader: ByteReader, rowCount: number): DeltaCodes {
  reader.expect(rowCount >= 2, 'deltas of at least two rows', 'fewer');
  const least = fromZigzag(reader.varint('the least difference', 0, 2 * DELTA_CODES_END));
  const checkpoints = openCodes(reader, checkpointCount(rowCount), KIND.compressed);
  const differences = openCodes(reader, rowCount - 1, KIND.compressed);
  const deltas = new DeltaCodes(least, checkpoints, differences);
  reader.expect(reader.trusted || deltas.isSound(), 'sums that come to the checkpoints', 'others');
  return deltas;
}

function openRuns(reader: ByteReader, rowCount: number): RunCodes {
  const runCount = reader.varint('runs', 2, rowCount);
  const codes = openCodes(reader, runCount, KIND.deltas);
  const ends = openRunEnds(reader, rowCount, runCount);
  reader.expect(reader.trusted || ends.areSound(), 'ends that ascend to the last row', 'others');
  return new RunCodes(codes, ends, rowCount);
}

function openRunEnds(reader: ByteReader, rowCount: number, runCount: number): RunEnds {
  const kind = reader.byte();
  if (kind === KIND.deltas) return new DeltaEnds(openDeltas(reader, runCount), rowCount);
  reader.expect(kind === KIND.starts, 'ends as deltas or starts', 'another kind');
  const at = reader.skip(startBytes(rowCount));
  return new RunStarts(reader.bytes.subarray(at, at + startBytes(rowCount)), rowCount, runCount);
}

function openSplit(reader: ByteReader, rowCount: number): SplitCodes {
  const lowBits = reader.byte();
  reader.expect(lowBits >= 1 && lowBits <= 32, '1 to 32 low bits', 'others');
  const high = openCodes(reader, rowCount, KIND.runs);
  const low = openCodes(reader, rowCount, KIND.compressed);
  if (!reader.trusted) {
    expectAtMost(reader, low, 2 ** lowBits - 1);
    expectAtMost(reader, high, 2 ** (53 - lowBits) - 1);
  }
  return new SplitCodes(lowBits, high, low);
}

function openOnes(reader: ByteReader, rowCount: number): OnesCodes {
  const max = reader.varint('the greatest code', rowCount - 1, rowCount * BITS_PER_ONE_MAX);
  const at = reader.skip(oneBytes(max));
  const ones = new OnesCodes(reader.bytes.subarray(at, at + oneBytes(max)), rowCount);
  reader.expect(reader.trusted || ones.isSound(max), 'a bit for each row', 'others');
  return ones;
}

/** Throws DamageError when a code is greater. */
export function expectAtMost(reader: ByteReader, codes: Codes, max: number): void {
  const words = new Uint32Array((codes.rowCount + 31) >>> 5);
  codes.select({ kind: 'range', from: max + 1, to: Number.MAX_SAFE_INTEGER }, words);
  const above = words.some((word) => word !== 0);
  reader.expect(!above, `codes up to ${max}`, 'others');
}
