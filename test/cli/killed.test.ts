import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import { tellCases } from '../support/cases.js';
import { emptyFolder } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import { atEach, countCalls, pointsUpTo, runWithFault } from '../support/fault-points.js';
import { heldFixtures } from '../support/held-fixtures.js';
import { ALL_CASES, share } from '../support/share.js';
import {
  CRASH_AT,
  chartsOf,
  inRequestOrder,
  MANIFEST,
  onOneUtcDay,
  RUN_ID,
  STEP_ID,
  StepScene,
  THREE_CHARTS,
  type Told,
  told,
} from '../support/step-scene.js';
import { decidedFiles, expectAtRest, expectDone, stepIn } from '../support/whole-files.js';

/** What a killed process leaves of its step, as the next one will find it. */
interface Left {
  readonly phase: 'before the claim' | 'claimed' | 'settled';
  readonly claimId: unknown;
  /** Template id → when its image arrived. */
  readonly stored: ReadonlyMap<string, string>;
  readonly hasManifest: boolean;
}

async function leftBy(scene: StepScene): Promise<Left> {
  const files = await decidedFiles(scene.workspace.root);
  const read = (path: string): JsonObject | undefined => {
    const bytes = files.get(path);
    return bytes && JSON.parse(bytes.toString());
  };
  const step = encodeURIComponent(STEP_ID);
  const lease = read(`firestore/flow_runs/${RUN_ID}/step_leases/${step}.json`);
  // The three belong together, whatever the moment.
  const phase = { READY: 'before the claim', RUNNING: 'claimed', SUCCEEDED: 'settled' } as const;
  const expected = { READY: undefined, RUNNING: 'ACTIVE', SUCCEEDED: 'DONE' };
  const known = (stepIn(files)?.status ?? 'READY') as keyof typeof phase;
  expect(lease?.state).toBe(expected[known]);

  const stored = new Map<string, string>();
  for (const path of files.keys()) {
    if (!path.endsWith('.png')) continue;
    const sidecar = read(path.replace(basename(path), `.${basename(path)}.meta.json`));
    const metadata = sidecar?.metadata as Record<string, string>;
    expect(metadata.claimId).toBe(lease?.claimId);
    stored.set(String(metadata.chartTemplateId), String(metadata.generatedAt));
  }
  const hasManifest = files.has(`gcs/local/charts/${RUN_ID}/${step}/manifest.json`);
  return { phase: phase[known], claimId: lease?.claimId, stored, hasManifest };
}

/** Judges the run after the killed one by what that one had left. */
async function expectResumed(scene: StepScene, killed: Told, left: Left, next: Told) {
  expect(next.exitCode, next.stderr).toBe(0);
  const summary = summaryOn(next.stdout);
  const stored = inRequestOrder([...left.stored.keys()]);
  const missing = THREE_CHARTS.filter((chart) => !left.stored.has(chart));
  const called = chartsOf(next.log, 'chart_api_call_finished');

  if (left.phase === 'settled') {
    expect(summary).toMatchObject({ status: 'SUCCEEDED', noop: true });
    expect(called).toEqual([]);
  } else {
    const attempt = left.phase === 'claimed' ? 2 : 1;
    expect(summary).toMatchObject({ status: 'SUCCEEDED', noop: false, attempt, itemsCount: 3 });
    expect(called).toEqual(missing);
    expect(chartsOf(next.log, 'chart_reused')).toEqual(stored);
    expect(await scene.lease()).toMatchObject({ attempt });
  }
  if (left.claimId) expect((await scene.lease()).claimId).toBe(left.claimId);

  await expectDone(scene, THREE_CHARTS);
  await expectAtRest(scene);
  const { items } = await scene.workspace.manifest(MANIFEST);
  const arrived = new Map(items.map((item) => [item.chartTemplateId, item.generatedAt]));
  for (const [chart, generatedAt] of left.stored) expect(arrived.get(chart)).toBe(generatedAt);

  // The dead one's three may all have been sent; what it had not stored is paid again.
  const reserved = left.phase === 'before the claim' ? 0 : THREE_CHARTS.length;
  const units = reserved + called.length;
  expect(await scene.unitsUsed()).toBe(units);
  const sent = chartsOf([...killed.log, ...next.log], 'chart_api_call_start').length;
  expect(units).toBeGreaterThanOrEqual(sent);
}

describe('a process killed', { timeout: 300_000 }, () => {
  // After one call is before the next: `after` would find the same disks again.
  test.for(['before', 'midway'])(
    '%s any of its calls that change the disk leaves a step that the next run brings to its end',
    async (when, { task, onTestFinished }) => {
      const folder = await emptyFolder(onTestFinished);
      const fault = { CRASH_WHEN: when };
      const sceneIn = async (name: string) => {
        await mkdir(join(folder, name));
        return StepScene.in(join(folder, name));
      };
      const calls = await countCalls(await sceneIn('unharmed'), fault);
      expect(calls).toBeGreaterThan(when === 'midway' ? 20 : 60);

      const seen = new Set<string>();
      const points = share(pointsUpTo(calls), 6);
      tellCases(task, { cases: points.length });
      await atEach(points, (n) =>
        onOneUtcDay(async (again) => {
          const scene = await sceneIn(`${n}.${again}`);
          const killed = await runWithFault(scene, n, fault);
          expect(killed.signal, killed.stderr).toBe('SIGKILL');
          const left = await leftBy(scene);
          seen.add(`${left.phase}, ${left.stored.size} charts, manifest: ${left.hasManifest}`);
          const next = await scene.run();
          return () => expectResumed(scene, killed, left, next);
        }),
      );
      const phases = [
        'before the claim, 0 charts, manifest: false',
        'claimed, 0 charts, manifest: false',
        'claimed, 1 charts, manifest: false',
        'claimed, 2 charts, manifest: false',
        'claimed, 3 charts, manifest: false',
        'claimed, 3 charts, manifest: true',
        ...(when === 'before' ? ['settled, 3 charts, manifest: true'] : []),
      ];
      expect(phases).toEqual(expect.arrayContaining([...seen]));
      expect(seen.size).toBeGreaterThanOrEqual(ALL_CASES ? phases.length : 4);
    },
  );
});

describe('a step on which three holders were killed', () => {
  const [STORED, ...MISSING] = THREE_CHARTS;

  /** Attempts 1, 2 and 3, each killed while it draws what is missing. */
  async function wornOut(
    onTestFinished: (undo: () => Promise<void>) => void,
    minImages: number,
  ): Promise<StepScene> {
    const scene = await StepScene.in(await emptyFolder(onTestFinished), THREE_CHARTS, minImages);
    for (const attempt of [1, 2, 3]) {
      const { env } = await heldFixtures(scene.cwd, MISSING);
      const holder = scene.start({ flags: ['--concurrency', '1'], env });
      await holder.event(
        'chart_api_call_start',
        ({ chartTemplateId }) => chartTemplateId !== STORED,
      );
      await holder.event(attempt === 1 ? 'chart_stored' : 'chart_reused');
      holder.kill('SIGKILL');
      expect(await holder.ended).toMatchObject({ signal: 'SIGKILL' });
      expect(await scene.lease()).toMatchObject({ state: 'ACTIVE', attempt });
    }
    return scene;
  }

  function expectNoCalls({ log }: Pick<Told, 'log'>): void {
    expect(chartsOf(log, 'chart_api_call_start')).toEqual([]);
    expect(chartsOf(log, 'chart_reused')).toEqual([STORED]);
  }

  async function expectWhatIsStored(scene: StepScene): Promise<void> {
    const { items, failures } = await scene.workspace.manifest(MANIFEST);
    expect(items.map(({ chartTemplateId }) => chartTemplateId)).toEqual([STORED]);
    expect(failures).toMatchObject(
      MISSING.map((chartTemplateId) => ({
        request: { chartTemplateId },
        error: { code: 'WORKER_LEASE_LOST' },
      })),
    );
    await expectAtRest(scene);
  }

  test('gets no more calls, and succeeds if what is stored is enough', async ({
    onTestFinished,
  }) => {
    await onOneUtcDay(async () => {
      const scene = await wornOut(onTestFinished, 1);
      const unitsBefore = await scene.unitsUsed();
      const fourth = await scene.finish();
      return async () => {
        expect(fourth.exitCode, fourth.stderr).toBe(0);
        const counts = { itemsCount: 1, failuresCount: 2 };
        expect(fourth.summary).toMatchObject({ status: 'SUCCEEDED', attempt: 4, ...counts });
        expectNoCalls(fourth);
        await expectWhatIsStored(scene);
        await expectDone(scene, [STORED]);
        // 3 for the first, 2 for each of those that found one stored, none for the fourth.
        expect([unitsBefore, await scene.unitsUsed()]).toEqual([7, 7]);
      };
    });
  });

  test('fails if it is not, and --replay tries it anew', async ({ onTestFinished }) => {
    const scene = await wornOut(onTestFinished, 2);
    const fourth = await scene.finish();
    expect(fourth.exitCode, fourth.stderr).toBe(1);
    const error = { status: 'FAILED', errorCode: 'WORKER_LEASE_LOST' };
    expect(fourth.summary).toMatchObject({ ...error, attempt: 4, itemsCount: 1 });
    expectNoCalls(fourth);
    await expectWhatIsStored(scene);
    expect(await scene.step()).toMatchObject({
      status: 'FAILED',
      finishedAt: expect.any(String),
      error: { code: 'WORKER_LEASE_LOST' },
    });
    const replay = await scene.finish({ flags: ['--replay'] });
    expect(replay.summary).toMatchObject({ status: 'SUCCEEDED', attempt: 1, itemsCount: 3 });
  });

  test('and then the fourth as well, is settled without calls by the fifth', async ({
    onTestFinished,
  }) => {
    const scene = await wornOut(onTestFinished, 1);
    // It draws nothing: the first that it changes among the objects is the manifest, under the lock.
    const env = { CRASH_AT: '1', CRASH_UNDER: join(scene.workspace.root, 'gcs') };
    const fourth = scene.start({ preload: [CRASH_AT], env });
    expectNoCalls(told(await fourth.ended));
    expect(await scene.lease()).toMatchObject({ state: 'ACTIVE', attempt: 4 });
    const fifth = await scene.finish();
    expect(fifth.exitCode, fifth.stderr).toBe(0);
    expect(fifth.summary).toMatchObject({ status: 'SUCCEEDED', attempt: 5, itemsCount: 1 });
    expectNoCalls(fifth);
    await expectWhatIsStored(scene);
  });
});
