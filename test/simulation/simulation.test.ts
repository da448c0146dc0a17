import { expect, test } from 'vitest';
import { share } from '../support/share.js';
import { simulate } from './simulation.js';
import { tryAll } from './try-all.js';

/** `SEED=123`: this world alone, and all that happens in it is told. */
const SEED = /^\d+$/.test(process.env.SEED ?? '') ? Number(process.env.SEED) : undefined;
const SEEDS = Array.from({ length: 10_000 }, (_, index) => index + 1);

test.skipIf(process.env.SEED !== undefined)(
  'three workers keep their promises, whatever befalls them',
  { timeout: 600_000 },
  async ({ task }) => {
    await tryAll(task, share(SEEDS, 10), simulate, String);
  },
);

if (SEED !== undefined)
  test(`three workers keep their promises: SEED=${SEED}`, async () => {
    const { violations } = await simulate(SEED, console.log);
    expect(violations).toEqual([]);
  });

test.for([1, 2, 3, 4, 5])(
  'seed %i is the same world to the letter, whatever came before',
  async (seed) => {
    const [once, again]: [string[], string[]] = [[], []];
    await simulate(seed, (line) => once.push(line));
    await simulate(seed + 100);
    await simulate(seed, (line) => again.push(line));
    expect(again).toEqual(once);
    expect(once.length).toBeGreaterThan(20);
  },
);
