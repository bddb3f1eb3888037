import { accountMethods } from './accounts.ts';
import { analysisMethods } from './analyses.ts';
import { campaignMethods } from './campaigns.ts';
import { deadLetterMethods } from './deadLetters.ts';
import { explainMethods } from './explain.ts';
import type { Method } from './params.ts';
import { segmentMethods } from './segments.ts';
import { userMethods } from './users.ts';

/** The methods of INTERFACE §3 by name. Who may call which is server/methods.ts. */
export const methods: Readonly<Record<string, Method | undefined>> = {
  ...segmentMethods,
  ...explainMethods,
  ...userMethods,
  ...analysisMethods,
  ...accountMethods,
  ...campaignMethods,
  ...deadLetterMethods,
};
