/**
 * Which of the cases are tried: with `PROVE=1` every one, with `PROVE=3` each third. Without it, so
 * that `npm test` ends within minutes, as few as the suite itself says.
 */
const STEP = process.env.PROVE ? Number(process.env.PROVE) : Number.POSITIVE_INFINITY;

export const ALL_CASES = STEP === 1;

/** Whether `npm run prove` is at work, or somebody who asked for more than `npm test` tries. */
export const PROVING = Number.isFinite(STEP);

/** For the name of a case that measures: a busy machine would make it fail for no reason of ours. */
export const MEASURES = ALL_CASES ? '' : ' (SKIPPED: measured with PROVE=1 alone)';

/** All of them for a proof, which tried them all before there was a share; else every n-th and the last. */
export function shareUnlessProving<T>(cases: readonly T[], n = 10): readonly T[] {
  return PROVING ? cases : share(cases, n);
}

/**
 * Every case, or every n-th of them and the last. Which ones is not left to chance: a case that
 * fails, fails again.
 */
export function share<T>(cases: readonly T[], n = 10): readonly T[] {
  const step = Math.min(n, STEP);
  return cases.filter((_, index) => index % step === 0 || index === cases.length - 1);
}
