import type { Io } from '../io.ts';
import { printLine } from '../print.ts';

/** Says what is done, and what came of it. */
export interface Narrator {
  step(title: string): void;
  result(text: string): void;
}

export const SILENT: Narrator = { step: () => {}, result: () => {} };

export function narratorOn(io: Io): Narrator {
  let steps = 0;
  return {
    step(title) {
      const heading = `${++steps}  ${title}`;
      printLine(io, `\n${io.isTerminal ? `\u001b[1m${heading}\u001b[0m` : heading}`);
    },
    result(text) {
      printLine(io, text.replace(/^/gm, '   '));
    },
  };
}
