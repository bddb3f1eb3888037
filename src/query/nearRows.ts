import type { Bitset } from '../base/bitset.ts';
import type { Part } from '../store/part.ts';
import type { SchemaView } from '../store/view.ts';
import type { CompiledPropertyTest } from './filter.ts';

/** Rows looked at between two yields. */
const ROWS_PER_STEP = 1 << 12;

/** Keeps the rows whose coordinates are in the circle: those in its band of latitudes are looked at one by one. */
export function* andNearSteps(
  schema: SchemaView,
  part: Part,
  rows: Bitset,
  { lat, lon, circle }: Extract<CompiledPropertyTest, { readonly kind: 'near' }>,
): Generator<void> {
  const latCode = schema.propertyCode(lat);
  const lonCode = schema.propertyCode(lon);
  if (latCode === undefined || lonCode === undefined) {
    rows.words.fill(0);
    return;
  }
  part.andProperty(rows, latCode, circle.latitude);
  let asked = 0;
  for (const row of rows) {
    if (asked++ % ROWS_PER_STEP === 0) yield;
    if (!circle.contains(part.valueAt(row, latCode), part.valueAt(row, lonCode))) rows.delete(row);
  }
}
