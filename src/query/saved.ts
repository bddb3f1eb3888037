import { badRequest } from '../base/errors.ts';
import { SEGMENT_REFERENCES_DEPTH_MAX } from '../base/limits.ts';
import { type Criterion, referencedSegments } from './criterion.ts';
import { parseSegment } from './parse.ts';

/** A saved segment's definition as JSON, or undefined when there is none of that name. */
export type SavedSegments = (name: string) => unknown;

/** By the definition's own object, which never changes: saving again makes another one. */
const parsed = new WeakMap<object, Criterion>();

/** The saved segment, parsed once; undefined when there is none. */
export function parseSaved(name: string, saved: SavedSegments): Criterion | undefined {
  const json = saved(name);
  if (json === undefined) return undefined;
  if (typeof json !== 'object' || json === null) return parseSegment(json);
  let criterion = parsed.get(json);
  if (criterion === undefined) {
    criterion = parseSegment(json);
    parsed.set(json, criterion);
  }
  return criterion;
}

/**
 * Every saved segment that the definition leads to exists, and none leads back to itself or, when the definition is to
 * be saved, to `name`. Throws `bad_request` with the path in `criterion` of the mention that leads there.
 */
export function checkReferences(name: string | undefined, criterion: Criterion, saved: SavedSegments): void {
  const depths = new Map<string, number>();
  for (const [mentioned, path] of referencedSegments(criterion)) {
    depthOf(mentioned, name === undefined ? [] : [name], path, saved, depths);
  }
}

/** How many saved segments the longest chain of mentions from this one on has, itself included. */
function depthOf(
  name: string,
  above: readonly string[],
  path: string,
  saved: SavedSegments,
  depths: Map<string, number>,
): number {
  if (above.includes(name)) {
    throw badRequest(`leads in a circle: ${[...above.slice(above.indexOf(name)), name].join(' → ')}`, path);
  }
  const chain = [...above, name];
  let depth = depths.get(name);
  if (depth === undefined) {
    checkDepth(chain.length, path);
    const criterion = parseSaved(name, saved);
    if (criterion === undefined) throw badRequest(`there is no segment ${JSON.stringify(name)}`, path);
    const below = [...referencedSegments(criterion).keys()];
    depth = 1 + Math.max(0, ...below.map((mentioned) => depthOf(mentioned, chain, path, saved, depths)));
    depths.set(name, depth);
  }
  checkDepth(above.length + depth, path);
  return depth;
}

function checkDepth(depth: number, path: string): void {
  if (depth > SEGMENT_REFERENCES_DEPTH_MAX) {
    throw badRequest(`leads through more than ${SEGMENT_REFERENCES_DEPTH_MAX} saved segments`, path);
  }
}
