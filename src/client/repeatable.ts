import type { MethodName } from './types.ts';

/** Whether a call whose answer was lost may be made again: it changes nothing. */
const REPEATABLE: Readonly<Record<MethodName, boolean>> = {
  'ingest.batch': false,
  'import.status': true,
  'segment.count': true,
  'segment.evaluate': true,
  'segment.explain': true,
  'segment.members': true,
  'segment.contains': true,
  'segment.save': false,
  'segment.get': true,
  'segment.list': true,
  'segment.delete': false,
  // It belongs to a connection: watches.ts sees to it.
  'segment.watch': false,
  'user.profile': true,
  'user.timeline': true,
  'user.segments': true,
  'user.delete': false,
  'analyze.trend': true,
  'analyze.funnel': true,
  'analyze.retention': true,
  'analyze.flow': true,
  'analyze.pivot': true,
  'analyze.rfm': true,
  'campaign.save': false,
  'campaign.get': true,
  'campaign.list': true,
  'campaign.pause': false,
  'campaign.resume': false,
  'campaign.delete': false,
  'campaign.stats': true,
  'deadLetter.list': true,
  'deadLetter.replay': false,
  'key.create': false,
  'key.list': true,
  'key.revoke': false,
  'schema.get': true,
  'account.stats': true,
  'server.stats': true,
};

export function isRepeatable(method: MethodName): boolean {
  return REPEATABLE[method];
}
