import { expect, test } from 'vitest';
import { share } from '../support/share.js';
import { type Crash, caseNamed, crashAt, nameOf, RESCUES } from './crash-points.js';
import { tryAll } from './try-all.js';
import { FAULTS } from './weather.js';

/** `SEED='4 dies-after, 17 hangs: sweep'`: this case alone, and all that happens in it is told. */
const SEED = process.env.SEED ? caseNamed(process.env.SEED) : undefined;

test.skipIf(process.env.SEED !== undefined)(
  'a step is done once, paid for once and told right, whatever call goes wrong, and any later one',
  { timeout: 600_000 },
  async ({ task }) => {
    const clean = await crashAt({ points: [], rescue: 'redelivery' });
    expect(clean.violations).toEqual([]);
    const singles = casesUpTo(clean.calls, []);
    await tryAll(task, share([...singles, ...(await pairsOf(singles))], 10), crashAt, nameOf);
  },
);

if (SEED !== undefined)
  test(`what goes wrong: ${process.env.SEED}`, async () => {
    const { violations } = await crashAt(SEED, console.log);
    expect(violations).toEqual([]);
  });

/** The second fault is at any later call, which may be one of a redelivery. */
async function pairsOf(singles: readonly Crash[]): Promise<Crash[]> {
  const pairs: Crash[] = [];
  for (const single of singles) {
    if (single.rescue !== 'redelivery') continue;
    const { calls } = await crashAt(single);
    pairs.push(...casesUpTo(calls, single.points));
  }
  return pairs;
}

/** One more fault after those there are, each of all, at each call up to the last. */
function casesUpTo(last: number, before: Crash['points']): Crash[] {
  const first = 1 + (before.at(-1)?.at ?? 0);
  const places = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return places.flatMap((at) =>
    FAULTS.flatMap((fault) =>
      RESCUES.map((rescue) => ({ points: [...before, { at, fault }], rescue })),
    ),
  );
}
