import { isArray, type Value } from '../base/value.ts';
import type { ValuePredicate } from '../store/part.ts';
import type { NearTest } from './criterion.ts';
import { compileTest, type Moment } from './predicate.ts';

const EARTH_RADIUS_KM = 6371.0088;
/** What rounding may add to a latitude's distance from the centre's. */
const LATITUDE_SLACK = 1e-9;

/** A circle on the globe, asked about the values of `NAME.lat` and `NAME.lon`. */
export interface Circle {
  /** Of a latitude alone: holds wherever `contains` may. */
  readonly latitude: ValuePredicate;
  /** Degrees; of arrays any element with any. A latitude beyond a pole is none. */
  contains(lat: Value | undefined, lon: Value | undefined): boolean;
}

/** The names of the two properties or traits that a test of NAME reads. */
export function coordinatesOf(name: string): { readonly lat: string; readonly lon: string } {
  return { lat: `${name}.lat`, lon: `${name}.lon` };
}

export function compileNear({ lat, lon, km }: NearTest, moment: Moment): Circle {
  const degrees = (km / EARTH_RADIUS_KM) * (180 / Math.PI) + LATITUDE_SLACK;
  const [low, high] = [Math.max(-90, lat - degrees), Math.min(90, lat + degrees)];
  const latitude = compileTest({ op: 'between', low, high }, moment);
  const contains = (lats: Value | undefined, lons: Value | undefined) =>
    numbersOf(lats).some(
      (y) => latitude.test(y) && numbersOf(lons).some((x) => distanceKm(lat, lon, y, x) <= km),
    );
  return { latitude, contains };
}

function numbersOf(value: Value | undefined): readonly number[] {
  if (value === undefined) return [];
  const elements = isArray(value) ? value : [value];
  return elements.filter((element) => typeof element === 'number');
}

/** Along a great circle, by the haversine formula, which is exact for small distances too. */
function distanceKm(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const radians = Math.PI / 180;
  const acrossLat = Math.sin(((lat2 - lat1) * radians) / 2);
  const acrossLon = Math.sin(((lon2 - lon1) * radians) / 2);
  const haversine =
    acrossLat * acrossLat + Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * acrossLon * acrossLon;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, haversine)));
}
