import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ProofReporter } from './proof-reporter.js';
import { type ProofSuite, SUITES, suiteOf } from './suites.js';
import { isProved, type TestEnd, tally, tallyText } from './tally.js';

const SUITE: ProofSuite = { name: 'Fuzz', files: ['fuzz/'], step: 1 };
const PASSED: TestEnd = { name: 'ids', state: 'passed', proof: undefined };

function tallied(...ends: TestEnd[]) {
  const results = tally(
    () => ends,
    () => 1.25,
    [SUITE],
  );
  return { results, proved: isProved(results), text: tallyText(results) };
}

describe('the tally of a proof', () => {
  test('adds up the cases that tests tell of; one that tells of none is one', () => {
    const told: TestEnd = { ...PASSED, proof: { cases: 2_000, violations: 0 } };
    const { results, proved, text } = tallied(PASSED, told);
    expect(results).toEqual([
      { suite: 'Fuzz', cases: 2_001, violations: 0, seconds: 1.25, seeds: [], lacks: [] },
    ]);
    expect(proved).toBe(true);
    expect(text).toBe('suite  cases  violations  seconds\nFuzz    2001           0      1.3\n');
  });

  test.for([
    ['that tells of no case', undefined, 1, 1, 'events'],
    ['that tells of 3', { cases: 500, violations: 3, seed: 'SEED=7' }, 500, 3, 'SEED=7'],
    ['that fails for another reason', { cases: 500, violations: 0 }, 500, 1, 'events'],
  ] as const)('counts a failure %s', ([, proof, cases, violations, seed]) => {
    const { results, proved, text } = tallied({ name: 'events', state: 'failed', proof });
    expect(results[0]).toMatchObject({ cases, violations, seeds: [seed] });
    expect(proved).toBe(false);
    expect(text).toContain(`Fuzz: failed with ${seed}\n`);
  });

  test.for([
    ['no test at all', []],
    ['skipped ones alone', [{ ...PASSED, state: 'skipped' }]],
    ['one that was skipped', [PASSED, { ...PASSED, name: 'accounts', state: 'skipped' }]],
    ['one that tried nothing', [{ ...PASSED, proof: { cases: 0, violations: 0 } }]],
  ] as const)('is no proof with %s', ([, ends]) => {
    const { proved, results } = tallied(...ends);
    expect(proved).toBe(false);
    expect(results[0]?.lacks).not.toEqual([]);
  });
});

describe('the suites', () => {
  test('are files that there are, each of one suite', () => {
    for (const suite of SUITES) {
      for (const file of suite.files) {
        expect(existsSync(new URL(`../${file}`, import.meta.url)), file).toBe(true);
        expect(suiteOf(file), file).toBe(suite);
      }
    }
  });
});

test('an error outside of every test is told, and is kept', () => {
  const said: string[] = [];
  const reporter = new ProofReporter((line) => said.push(line));
  expect(reporter.strays).toEqual([]);
  reporter.onTestRunEnd([], [{ message: 'nobody caught it' }]);
  expect(reporter.strays).toEqual(['nobody caught it']);
  expect(said).toEqual(['FAILED outside of a test: nobody caught it']);
});
