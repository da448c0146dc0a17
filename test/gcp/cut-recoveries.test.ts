import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { leaseDocument } from '../support/engine-samples.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { runEngine } from '../support/gcp-engine.js';
import { type PointName, pointNamed, spoil } from '../support/gcp-points.js';
import { GcpScene } from '../support/gcp-step-scene.js';
import { shareUnlessProving } from '../support/share.js';
import { ACCOUNT_ID, onOneUtcDay, STEP_ID, THREE_CHARTS } from '../support/step-scene.js';

vi.setConfig({ maxConcurrency: 3 });

const accounts = [{ id: ACCOUNT_ID, apiKey: 'not-a-real-key-0123456789' }];

/** The first list is of the step's folder, the second asks whether the bucket can be used. */
const OF_A_TAKEOVER: readonly PointName[] = [
  'read 1',
  'list 1',
  'list 2',
  'claim 1',
  'put 1',
  'put 2',
  'put 3',
  'look 1',
  'read 2',
  'put 4',
  'settle 1',
];
/** The first put is of the copy of the old manifest, the last of the new one. */
const OF_A_REPLAY: readonly PointName[] = [
  'read 1',
  'list 1',
  'look 1',
  'download 1',
  'put 1',
  'claim 1',
  'put 2',
  'put 3',
  'put 4',
  'look 2',
  'read 2',
  'put 5',
  'settle 1',
];
const cases = (points: readonly PointName[]) => {
  const all = (['cut', 'lost'] as const).flatMap((how) =>
    points.map((point) => [how, point] as const),
  );
  return shareUnlessProving(all, 5);
};

/** A step whose holder died before it had rendered anything. */
async function abandon(scene: GcpScene, claimId: string): Promise<void> {
  const { runId, store } = scene;
  await scene.createFlowRun();
  const { data } = leaseDocument({ claimId, ttlMs: 1 });
  const fields = [[['steps', STEP_ID, 'status'], 'RUNNING']] as const;
  const result = await store.commit([
    { kind: 'patch', path: paths.flowRun(runId), fields },
    { kind: 'put', path: paths.lease(runId, STEP_ID), data },
  ]);
  expect(result.status).toBe('committed');
  await sleep(5);
}

describe.skipIf(whyNoEmulator)(`a reply lost in the cloud ${whyNoEmulator}`, () => {
  describe.concurrent('while a step is taken over, it is taken over once:', () => {
    test.for(cases(OF_A_TAKEOVER))('%s %s', async ([how, point], { onTestFinished }) => {
      await onOneUtcDay(async () => {
        const scene = await GcpScene.open(onTestFinished);
        await abandon(scene, 'claim-of-the-dead');
        void spoil(scene, pointNamed(point), how);
        const outcome = await runEngine(scene, { accounts });
        const usage = await scene.usage();
        return async () => {
          expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 2 });
          expect(usage?.usageToday).toBe(THREE_CHARTS.length);
          expect([scene.proxy.count('claim', 200), scene.proxy.count('settle', 200)]).toEqual([
            1, 1,
          ]);
          expect(await scene.lease()).toMatchObject({ attempt: 2 });
          await scene.expectDone('claim-of-the-dead');
          expect(scene.charts).toHaveLength(THREE_CHARTS.length);
        };
      });
    });
  });

  describe.concurrent('while a step is replayed, it is replayed once:', () => {
    test.for(cases(OF_A_REPLAY))('%s %s', async ([how, point], { onTestFinished }) => {
      await onOneUtcDay(async () => {
        const scene = await GcpScene.open(onTestFinished);
        await scene.createFlowRun();
        await runEngine(scene, { accounts });
        const { manifest } = scene;
        const before = await scene.lease();
        void spoil(scene, pointNamed(point), how);
        const outcome = await runEngine(scene, { accounts, replay: true });
        const usage = await scene.usage();
        return async () => {
          expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 1 });
          expect(usage?.usageToday).toBe(2 * THREE_CHARTS.length);
          expect([scene.proxy.count('claim', 200), scene.proxy.count('settle', 200)]).toEqual([
            2, 2,
          ]);
          const { claimId } = (await scene.lease()) ?? {};
          expect(claimId).not.toBe(before?.claimId);
          await scene.expectDone(claimId);
          expect(scene.charts).toHaveLength(2 * THREE_CHARTS.length);
          const kept = scene.objects.filter(({ name }) => /\/manifest\..+\.json$/.test(name));
          expect(kept.map(({ body }) => body)).toEqual([manifest?.body]);
        };
      });
    });
  });
});
