import type { RunnerTestCase } from 'vitest';

/** What one test proved: a runner prints it as a line of its table. */
export interface Proof {
  /** How many cases were tried. */
  readonly cases: number;
  readonly violations: number;
  /** Of the first violation: with it alone the case is repeated. */
  readonly seed?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    proof?: Proof;
  }
}

/** Tells reporters how many cases a test tried; call it before the test can fail. */
export function tellCases(
  task: Pick<RunnerTestCase, 'meta'>,
  { cases, violations = 0, seed }: Pick<Proof, 'cases'> & Partial<Proof>,
): void {
  task.meta.proof = { cases, violations, ...(seed !== undefined && { seed }) };
}
