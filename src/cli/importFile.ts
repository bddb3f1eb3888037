import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { SingleBar } from 'cli-progress';
import { realClock } from '../base/clock.ts';
import type { MusterClient } from '../client/client.ts';
import type { Counts } from '../client/types.ts';
import { type ImportReject, importBatches, importIdOf } from '../ingest/importFile.ts';
import { BatchWindow } from './batchWindow.ts';
import type { Io } from './io.ts';

/** What became of a file's lines that are not blank. */
export interface FileCounts extends Counts {
  readonly file: string;
  /** Of the rejected, those that were not sent. */
  readonly unreadable: number;
  /** An earlier import of the same content had come to its end. */
  readonly wasFinished: boolean;
  readonly ms: number;
}

/** Loads one file, going on where an earlier import of the same content ended. */
export async function importFile(
  io: Io,
  client: MusterClient,
  file: string,
  keepRejects: (rejects: readonly ImportReject[]) => Promise<void>,
): Promise<FileCounts> {
  const startedMs = realClock.monotonicMs();
  const progress = await Progress.of(io, file);
  try {
    const id = await importIdOf(progress.read('reading'));
    const status = await client.call('import.status', { id });
    const window = new BatchWindow({
      clock: realClock,
      stopped: io.interrupted,
      send: ({ calls, from, to, finished }) =>
        client.call('ingest.batch', { calls, import: { id, from, to, finished } }),
    });
    let unreadable = 0;
    let skipped = 0;
    for await (const batch of importBatches(id, progress.read('importing'), status.lines)) {
      skipped += batch.skipped;
      unreadable += batch.rejects.length;
      if (batch.rejects.length > 0) await keepRejects(batch.rejects);
      if (!(status.finished && batch.from === batch.to)) await window.add(batch);
    }
    const { accepted, duplicate, rejected } = await window.finish();
    const ms = Math.round(realClock.monotonicMs() - startedMs);
    return {
      file,
      accepted,
      duplicate: duplicate + skipped,
      rejected: rejected + unreadable,
      unreadable,
      wasFinished: status.finished,
      ms,
    };
  } finally {
    progress.stop();
  }
}

/** A bar on a terminal, nothing elsewhere. */
class Progress {
  readonly #file: string;
  readonly #bytes: number;
  readonly #bar: SingleBar | undefined;

  static async of(io: Io, file: string): Promise<Progress> {
    const { size } = await stat(file);
    return new Progress(file, size, io.isTerminal ? barOn(io, file) : undefined);
  }

  private constructor(file: string, bytes: number, bar: SingleBar | undefined) {
    this.#file = file;
    this.#bytes = bytes;
    this.#bar = bar;
  }

  /** The file from its beginning. */
  async *read(step: string): AsyncGenerator<Uint8Array> {
    this.#bar?.start(this.#bytes, 0, { step });
    for await (const chunk of createReadStream(this.#file, { highWaterMark: READ_BYTES })) {
      yield chunk as Uint8Array;
      this.#bar?.increment((chunk as Uint8Array).length);
    }
  }

  stop(): void {
    this.#bar?.stop();
  }
}

const READ_BYTES = 1 << 18;

function barOn(io: Io, file: string): SingleBar {
  return new SingleBar({
    stream: io.stderr as NodeJS.WriteStream,
    format: `${basename(file)} {step} {bar} {percentage}%`,
    barsize: 30,
    clearOnComplete: true,
    hideCursor: true,
  });
}
