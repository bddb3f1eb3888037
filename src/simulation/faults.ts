import type { SenderSettings } from '../delivery/sender.ts';
import type { FileLogOptions } from '../log/fileLog.ts';

/** Bugs put in on purpose, to prove that the simulator finds them. None in a true run. */
export interface Faults {
  readonly log?: FileLogOptions['faults'];
  readonly sender?: Pick<SenderSettings, 'faults'>;
  /** A replay reads neighbouring frames in the wrong order. */
  readonly swapFrames?: boolean;
  /** A deletion reaches only the tablets in which its user may live. */
  readonly deleteAtHomeOnly?: boolean;
  /** Shards do not always hear that a peer has applied what they wait for. */
  readonly loseApplied?: boolean;
}

export const NO_BUGS: Faults = {};

/** By the name `npm run simulate -- --bug NAME` knows. */
export const BUGS: Readonly<Record<string, Faults>> = {
  'acknowledge-before-sync': { log: { acknowledgeBeforeSync: true } },
  'ignore-short-writes': { log: { ignoreShortWrites: true } },
  'fresh-id-per-attempt': { sender: { faults: { freshIdPerAttempt: true } } },
  'swap-frames': { swapFrames: true },
  'delete-at-home-only': { deleteAtHomeOnly: true },
  'lose-applied': { loseApplied: true },
};
