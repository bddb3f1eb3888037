import { decodeRecords, type Section } from '../log/sections.ts';
import type { ToHub } from '../shard/messages.ts';
import { evenPrefixes, isHome } from '../tablet/placement.ts';
import { TABLETS } from './definitions.ts';

/** A bug on purpose: what deletes a user is written only for the tablet, of those at the beginning, of the user's id. */
export function deletesAtHomeOnly(message: ToHub): ToHub {
  if (message.kind !== 'append') return message;
  const requests = message.requests.map((request) => ({
    ...request,
    sections: request.sections.map(atHome),
  }));
  return { ...message, requests };
}

function atHome(section: Section): Section {
  const [record] = decodeRecords(section.records);
  if (record?.kind !== 'delete') return section;
  return { ...section, tablet: evenPrefixes(TABLETS).find((tablet) => isHome(tablet, record.user.id)) };
}
