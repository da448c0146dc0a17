import { expect, test } from 'vitest';
import { tellCases } from '../support/cases.js';
import { ALL_CASES, share } from '../support/share.js';
import { type CrashPoint, crashAt, type Rescue } from './crash-points.js';
import { FAULTS } from './weather.js';

/** Of one case, `4 dies-after, 17 hangs: sweep`: it alone is done, and all of it is told. */
const SEED = process.env.SEED?.includes(':') ? process.env.SEED : undefined;

interface Case {
  readonly points: readonly CrashPoint[];
  readonly rescue: Rescue;
}

/** What a run without faults calls, once more for each fault. */
async function singles(): Promise<Case[]> {
  const { calls, violations } = await crashAt([], 'redelivery');
  expect(violations).toEqual([]);
  return casesUpTo(calls, 1, []);
}

/** The second fault is at any later call, which may be one of the redelivery. */
async function pairs(firsts: readonly Case[]): Promise<Case[]> {
  const cases: Case[] = [];
  for (const { points, rescue } of firsts) {
    if (rescue !== 'redelivery') continue;
    const { calls } = await crashAt(points, rescue);
    cases.push(...casesUpTo(calls, (points[0] as CrashPoint).at + 1, points));
  }
  return cases;
}

function casesUpTo(last: number, first: number, before: readonly CrashPoint[]): Case[] {
  const places = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return places.flatMap((at) =>
    FAULTS.flatMap((fault) =>
      (['redelivery', 'sweep'] as const).map((rescue) => ({
        points: [...before, { at, fault }],
        rescue,
      })),
    ),
  );
}

function nameOf({ points, rescue }: Case): string {
  return `${points.map(({ at, fault }) => `${at} ${fault}`).join(', ')}: ${rescue}`;
}

async function tryAll(cases: readonly Case[]) {
  const broken: string[] = [];
  for (const one of cases) {
    const { violations } = await crashAt(one.points, one.rescue);
    if (violations.length > 0) broken.push(`SEED='${nameOf(one)}' ${violations.join('; ')}`);
    // Vitest wants to be heard now and then.
    await new Promise(setImmediate);
  }
  return broken;
}

test.skipIf(SEED !== undefined)(
  'a step is done once, paid for once and told right, whatever call goes wrong, and any later one',
  { timeout: 600_000 },
  async ({ task }) => {
    const firsts = await singles();
    const seconds = ALL_CASES ? await pairs(firsts) : await pairs(share(firsts, 5));
    const cases = [...firsts, ...share(seconds, 2)];
    const broken = await tryAll(cases);
    tellCases(task, {
      cases: cases.length,
      violations: broken.length,
      ...(broken[0] !== undefined && { seed: broken[0].slice(0, 60) }),
    });
    console.log(cases.length, broken.length);
    expect(broken.slice(0, 5)).toEqual([]);
  },
);
