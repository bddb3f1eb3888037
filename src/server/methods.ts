import { ANALYSES } from '../query/analytics/analyses.ts';
import type { Role } from '../shard/api.ts';

export interface Method {
  /** The role that may call it, besides admin, which may call everything. */
  readonly role: Role;
  /** It goes on notifying after its answer, for as long as its connection lives. */
  readonly subscribes?: true;
}

const write: Method = { role: 'write' };
const read: Method = { role: 'read' };
const admin: Method = { role: 'admin' };

/** Every method of either carrier. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['ingest.batch', write],
  ['import.status', write],
  ['segment.count', read],
  ['segment.members', read],
  ['segment.contains', read],
  ['segment.evaluate', read],
  ['segment.explain', read],
  ['segment.list', read],
  ['segment.get', read],
  ['segment.watch', { role: 'read', subscribes: true }],
  ['segment.save', admin],
  ['segment.delete', admin],
  ['user.profile', read],
  ['user.timeline', read],
  ['user.segments', read],
  ['user.delete', admin],
  ...Object.keys(ANALYSES).map((analysis): [string, Method] => [`analyze.${analysis}`, read]),
  ['campaign.list', read],
  ['campaign.get', read],
  ['campaign.stats', read],
  ['campaign.save', admin],
  ['campaign.pause', admin],
  ['campaign.resume', admin],
  ['campaign.delete', admin],
  ['schema.get', read],
  ['account.stats', read],
  ['key.create', admin],
  ['key.list', admin],
  ['key.revoke', admin],
  ['deadLetter.list', admin],
  ['deadLetter.replay', admin],
  ['server.stats', read],
]);

export function methodNamed(name: string): Method | undefined {
  return METHODS.get(name);
}

export function mayCall(role: Role, method: Method): boolean {
  return role === 'admin' || role === method.role;
}

export function mayCollect(role: Role): boolean {
  return mayCall(role, write);
}
