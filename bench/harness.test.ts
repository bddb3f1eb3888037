import { expect, test } from 'vitest';
import {
  checksumOf,
  jsonParseMs,
  median,
  memoryCopyMs,
  percentile,
  printReport,
  sampleMs,
} from './harness.ts';

test('percentiles are samples', () => {
  const samples = [5, 1, 4, 2, 3, 6, 7, 8, 9, 10];
  expect(median(samples)).toBe(5);
  expect(percentile(samples, 0.99)).toBe(10);
  expect(percentile(samples, 0)).toBe(1);
  expect(percentile([42], 0.01)).toBe(42);
});

test('a sampler runs often enough and not for ever', async () => {
  let runs = 0;
  const run = () => runs++;
  expect(await sampleMs(run, { runsMax: 7, budgetMs: 60_000 })).toHaveLength(7);
  expect(await sampleMs(run, { runsMax: 7, budgetMs: 0 })).toHaveLength(1);
  expect(runs).toBe(8);
});

test('limits are measured', async () => {
  expect(await jsonParseMs(['{"a":1}'])).toBeGreaterThan(0);
  expect(await memoryCopyMs(1 << 20)).toBeGreaterThan(0);
});

test('checksums differ with the results', () => {
  expect(checksumOf([1, 2])).toBe(checksumOf([1, 2]));
  expect(checksumOf([1, 2])).not.toBe(checksumOf([2, 1]));
});

test('a report is a table with what it takes to measure it again', () => {
  const report = {
    ...{ name: 'walk', what: 'steps', parameters: { seed: 1, users: 10 }, checksum: 'abc' },
    rows: [
      { road: 'long', steps: 12345, msP50: 1.23456 },
      { road: 'short', steps: 6, msP50: 0.5 },
    ],
  };
  expect(printReport(report).split('\n')).toEqual([
    'walk: steps',
    'road   steps   msP50',
    'long   12,345   1.23',
    'short       6    0.5',
    'seed 1, users 10, checksum abc',
  ]);
});
