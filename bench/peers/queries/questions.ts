import type { Question } from './question.ts';
import { atLeastThree, didAndDidNot } from './questions/counting.ts';
import { flow } from './questions/flow.ts';
import { funnel } from './questions/funnel.ts';
import { segmentsByCity, segmentsByPlatform } from './questions/manySegments.ts';
import { activeDays, firstEver, products, spent } from './questions/measures.ts';
import { pivot } from './questions/pivot.ts';
import { retention } from './questions/retention.ts';
import { rfm } from './questions/rfm.ts';
import { sequence } from './questions/sequence.ts';
import { timeline } from './questions/timeline.ts';
import { trend } from './questions/trend.ts';

export const QUESTIONS: readonly Question[] = [
  atLeastThree,
  didAndDidNot,
  funnel,
  trend,
  timeline,
  segmentsByPlatform,
  segmentsByCity,
  spent,
  products,
  activeDays,
  firstEver,
  sequence,
  retention,
  flow,
  pivot,
  rfm,
];
