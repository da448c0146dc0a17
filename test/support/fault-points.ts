import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { CRASH_AT, type StepScene, type Told } from './step-scene.js';

type Env = Readonly<Record<string, string>>;

/** Two at a time: more would only wait for each other where there are two cores. */
const LANES = 2;

/** Runs the step with a fault at its n-th counted call; 0 is no call. */
export function runWithFault(scene: StepScene, n: number, fault: Env): Promise<Told> {
  const env = { ...fault, CRASH_AT: String(n), CRASH_UNDER: scene.workspace.root };
  return scene.run({ env, preload: [CRASH_AT] });
}

/** How many counted calls an unharmed run of the step makes. */
export async function countCalls(scene: StepScene, fault: Env): Promise<number> {
  const file = scene.path('count');
  const counted = { ...fault, FAIL_SPAN: 'once', COUNT_FILE: file };
  const { exitCode, stderr } = await runWithFault(scene, 0, counted);
  expect(exitCode, stderr).toBe(0);
  return Number(await readFile(file, 'utf8'));
}

/** Every point from 1 to the last. */
export function pointsUpTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => 1 + i);
}

/** Tries each point, some at a time, and says at which of them what was wrong. */
export async function atEach(
  points: readonly number[],
  attempt: (point: number) => Promise<void>,
): Promise<void> {
  const waiting = points.values();
  const wrong: string[] = [];
  const lane = async () => {
    for (const point of waiting) {
      await attempt(point).catch((error: unknown) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        wrong.push(`at call ${point}: ${reason}`);
      });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(wrong).toEqual([]);
}
