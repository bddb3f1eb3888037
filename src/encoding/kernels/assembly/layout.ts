// Where things lie in the module's memory, in bytes. ../simd.ts reads the exported ones. What is read or written in
// whole vectors may go over by up to 256 bytes.

/** What tells an unpacking loop where codes lie: see unpack.ts. */
export const PATTERNS: usize = 0;
/** What selectSet looks for, as given and as used: see set.ts. */
export const LOOK_UP: usize = 192;
export const SET: usize = 256;
/** Tables: see spread.ts. */
export const EXPANDED: usize = SET + 65_536 + 256;
export const COMPRESSED: usize = EXPANDED + 65_536;
/**
 * Codes of one step, unpacked to lanes of their own; or offsets of runs, or which rows are spread; or a chunk's rows at which
 * runs begin, of two kinds of runs.
 */
export const STEP: usize = COMPRESSED + 65_536;
export const STEP_BYTES: usize = 16_384;
/** What is copied in at a time, and what comes out: both fit the nearest cache, or nearly. */
export const INPUT: usize = STEP + STEP_BYTES + 256;
export const INPUT_BYTES: usize = 32_768;
/** There also numbers of rows are copied in, as many as are looked at together; and behind selected rows users' first ones. */
const INPUT_ROOM: usize = 65_536;
/** Selected rows of which something else is told. */
export const LISTED: usize = INPUT + INPUT_ROOM + 256;
const LISTED_BYTES: usize = 65_536;
export const OUTPUT: usize = LISTED + LISTED_BYTES + 256;
export const OUTPUT_BYTES: usize = 131_072;
/** Where runs start, or what is counted of users: a number for each row of a chunk, and two more. */
export const RUNS: usize = OUTPUT + OUTPUT_BYTES + 256;
export const RUNS_BYTES: usize = 262_144;
/** Packed codes of a whole chunk, besides those at RUNS. */
export const CODES: usize = RUNS + RUNS_BYTES + 256;
export const CODES_BYTES: usize = 262_144;
/** Numbers of selected rows, as many as are looked at together, six times: callers read and write them where they are. */
export const NEAR: usize = CODES + CODES_BYTES + 256;
export const NEAR_BYTES: usize = 393_216;
/** From here to the end of the memory: what callers keep in it. */
export const ARENA: usize = NEAR + NEAR_BYTES + 256;
