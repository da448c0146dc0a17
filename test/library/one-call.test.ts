import { describe, expect, test } from 'vitest';
import type { ChartOrder, Generated } from '../../src/library/index.js';
import { LibraryProcess } from '../support/library-process.js';
import { LIBRARY_SCENES, type LibraryScene } from '../support/live-library-scene.js';

const ORDER: ChartOrder = { symbols: ['DAX'], timeframes: ['4h'], trigger: 'alert' };
/** Of those, so many at a time: `PROCESSES` with `AT_ONCE` each, about. */
const CALLS = [34, 33, 33];
const AT_ONCE = [7, 7, 6];

/** Libraries in processes of their own, loaded; killed at the end, where they are still there. */
async function processes(
  scene: LibraryScene,
  count: number,
  onTestFinished: (undo: () => Promise<void>) => void,
): Promise<LibraryProcess[]> {
  const started = Array.from({ length: count }, () => new LibraryProcess(scene.options));
  for (const one of started) onTestFinished(() => one.kill());
  await Promise.all(started.map((one) => one.ready()));
  return started;
}

function sourcesOf(results: readonly Generated[]): string[] {
  return results.map((one) => (one.kind === 'chart' ? one.source : one.error.message));
}

for (const { name, open, skip } of LIBRARY_SCENES) {
  describe.skipIf(skip)(`the same chart on ${name}`, () => {
    test('a hundred times, from three processes: one call; --refresh: one more', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, { latencyMs: 300 });
      const all = await processes(scene, 3, onTestFinished);
      const rounds = all.map((one, index) => one.generate(ORDER, CALLS[index], AT_ONCE[index]));
      const results = (await Promise.all(rounds)).flat();
      expect(scene.fake.requests).toHaveLength(1);
      expect(sourcesOf(results).filter((source) => source !== 'cache')).toEqual(['chart-img']);
      const ids = results.map((one) => one.kind === 'chart' && one.snapshot.id);
      expect([results.length, new Set(ids).size]).toEqual([100, 1]);
      expect([await scene.count('chart_snapshots'), (await scene.pictures()).length]).toEqual([
        1, 1,
      ]);

      const [first] = all as [LibraryProcess];
      const anew = await first.generate({ ...ORDER, refresh: true });
      expect(sourcesOf(anew)).toEqual(['chart-img']);
      expect(sourcesOf(await first.generate(ORDER))).toEqual(['cache']);
      expect(scene.fake.requests).toHaveLength(2);
      expect(await scene.usage()).toMatchObject({ usageToday: 2 });
      expect(await scene.count('chart_snapshots')).toBe(2);
    });

    test('whose renderer is killed: another makes one call more', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished, { leaseTtlSeconds: 1 });
      scene.fake.faults.add({ fault: { act: 'hang' } });
      const [doomed, ...others] = await processes(scene, 3, onTestFinished);
      doomed?.generate(ORDER).catch(() => undefined);
      await scene.fake.arrived(1);
      const waiting = others.map((one) => one.generate(ORDER, 5));
      await doomed?.kill();
      const results = (await Promise.all(waiting)).flat();
      expect(sourcesOf(results).sort()).toEqual([...Array(9).fill('cache'), 'chart-img']);
      expect(scene.fake.requests).toHaveLength(2);
      // What the dead had reserved stays counted: it may have been sent.
      expect(await scene.usage()).toMatchObject({ usageToday: 2 });
      expect([await scene.count('chart_snapshots'), (await scene.pictures()).length]).toEqual([
        1, 1,
      ]);
    });
  });
}
