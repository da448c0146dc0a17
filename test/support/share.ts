/** `PROVE=1`: every case of every suite. */
export const ALL_CASES = process.env.PROVE === '1';

/** For the name of a case that measures: a busy machine would make it fail for no reason of ours. */
export const MEASURES = ALL_CASES ? '' : ' (SKIPPED: measured with PROVE=1 alone)';

/**
 * Every case, or, so that `npm test` ends within minutes, every n-th of them and the last. Which ones
 * is not left to chance: a case that fails, fails again.
 */
export function share<T>(cases: readonly T[], n: number): readonly T[] {
  if (ALL_CASES) return cases;
  return cases.filter((_, index) => index % n === 0 || index === cases.length - 1);
}
