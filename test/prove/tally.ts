import { table } from '../../src/cli/table.js';
import type { Proof } from '../support/cases.js';
import { type ProofSuite, SUITES } from './suites.js';

/** How one test ended. */
export interface TestEnd {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  /** What it told of its cases; absent: it is one. */
  readonly proof: Proof | undefined;
}

/** What a suite came to. */
export interface SuiteResult {
  readonly suite: string;
  readonly cases: number;
  readonly violations: number;
  readonly seconds: number;
  /** Of the failures: what to run them again with. */
  readonly seeds: readonly string[];
  /** Why it proves nothing although nothing failed, or not all that it should. */
  readonly lacks: readonly string[];
}

/** Pure. Nothing tried is a violation: an empty suite must not look like a proof. */
export function tally(
  endsOf: (suite: ProofSuite) => readonly TestEnd[],
  secondsOf: (suite: ProofSuite) => number,
  suites: readonly ProofSuite[] = SUITES,
): SuiteResult[] {
  return suites.map((suite) => {
    const ends = endsOf(suite);
    const tried = ends.filter(({ state }) => state === 'passed' || state === 'failed');
    const failed = tried.filter(({ state }) => state === 'failed');
    const cases = sum(tried.map(({ proof }) => proof?.cases ?? 1));
    const skipped = ends.filter(({ state }) => state === 'skipped' || state === 'pending');
    return {
      suite: suite.name,
      cases,
      violations: sum(failed.map(({ proof }) => Math.max(1, proof?.violations ?? 1))),
      seconds: secondsOf(suite),
      seeds: failed.map(({ name, proof }) => proof?.seed ?? name),
      lacks: [
        ...(cases === 0 ? ['no case was tried'] : []),
        ...(skipped.length > 0
          ? [`${skipped.length} tests skipped: ${skipped.map(({ name }) => name).join('; ')}`]
          : []),
      ],
    };
  });
}

/** `true`: everything that was to be shown was shown. */
export function isProved(results: readonly SuiteResult[]): boolean {
  return results.every(({ violations, lacks }) => violations === 0 && lacks.length === 0);
}

const COLUMNS = [
  { head: 'suite' },
  { head: 'cases', align: 'right' },
  { head: 'violations', align: 'right' },
  { head: 'seconds', align: 'right' },
] as const;

/** Pure: the same for people. */
export function tallyText(results: readonly SuiteResult[]): string {
  const rows = results.map(({ suite, cases, violations, seconds }) =>
    [suite, String(cases), String(violations), seconds.toFixed(1)].map((text) => ({ text })),
  );
  const lines = table(COLUMNS, rows, Number.POSITIVE_INFINITY);
  const remarks = results.flatMap(({ suite, seeds, lacks }) => [
    ...seeds.map((seed) => `${suite}: failed with ${seed}`),
    ...lacks.map((lack) => `${suite}: ${lack}`),
  ]);
  return `${[...lines, ...(remarks.length > 0 ? ['', ...remarks] : [])].join('\n')}\n`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
