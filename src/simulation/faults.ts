import type { SenderSettings } from '../delivery/sender.ts';
import type { FileLogOptions } from '../log/fileLog.ts';

/** Bugs put in on purpose, to prove that the simulator finds them. None in a true run. */
export interface Faults {
  readonly log: NonNullable<FileLogOptions['faults']>;
  readonly sender: Pick<SenderSettings, 'faults'>;
}

export const NO_BUGS: Faults = { log: {}, sender: {} };

/** By the name `npm run simulate -- --bug NAME` knows. */
export const BUGS: Readonly<Record<string, Faults>> = {
  'acknowledge-before-sync': { log: { acknowledgeBeforeSync: true }, sender: {} },
  'ignore-short-writes': { log: { ignoreShortWrites: true }, sender: {} },
  'fresh-id-per-attempt': { log: {}, sender: { faults: { freshIdPerAttempt: true } } },
};
