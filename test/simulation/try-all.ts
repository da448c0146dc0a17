import type { RunnerTestCase } from 'vitest';
import { tellCases } from '../support/cases.js';

/** Does one case; `trace` hears of everything that happens in it. */
export type Attempt<T> = (
  one: T,
  trace?: (line: string) => void,
) => Promise<{ readonly violations: readonly string[] }>;

const TRACED_LINES = 60;

/** Tries each case, tells how many there were, and rejects with all of the first that broke a promise. */
export async function tryAll<T>(
  task: Pick<RunnerTestCase, 'meta'>,
  cases: readonly T[],
  attempt: Attempt<T>,
  nameOf: (one: T) => string,
): Promise<void> {
  const broken: T[] = [];
  for (const one of cases) {
    const { violations } = await attempt(one);
    if (violations.length > 0) broken.push(one);
    // All of it happens in one turn: who else wants the thread is let in between two cases.
    await new Promise(setImmediate);
  }
  const [first] = broken;
  tellCases(task, {
    cases: cases.length,
    violations: broken.length,
    ...(first !== undefined && { seed: `SEED='${nameOf(first)}'` }),
  });
  if (first === undefined) return;
  const lines: string[] = [];
  const { violations } = await attempt(first, (line) => lines.push(line));
  const seeds = broken.slice(0, 20).map((one) => `SEED='${nameOf(one)}'`);
  throw new Error(
    [
      `${broken.length} of ${cases.length} cases broke a promise: ${seeds.join(', ')}`,
      'The first of them:',
      ...violations,
      ...lines.slice(-TRACED_LINES),
    ].join('\n'),
  );
}
