import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { paths } from '../../src/documents/paths.js';
import { Logger } from '../../src/log/logger.js';
import { doRun, type WorkContext } from '../../src/worker/do-run.js';
import { sweep } from '../../src/worker/sweep.js';
import type { Worker } from '../../src/worker/worker.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { depsIn, putTemplates, runOfSteps } from '../support/gcp-deps.js';
import { GcpScene } from '../support/gcp-scene.js';

const RUN_ID = '20251221-120000_BTCUSDT_time';
const STEPS = ['charts:a', 'charts:b'];
const CHARTS = ['ctpl_price_ma1226_vol_v1'];

async function open(onTestFinished: (undo: () => Promise<void>) => void) {
  const scene = await GcpScene.open(onTestFinished);
  await putTemplates(scene, CHARTS);
  await scene.put(paths.flowRun(RUN_ID), runOfSteps(RUN_ID, STEPS, CHARTS));
  const worker: Worker = {
    ...depsIn(scene),
    engineDeps: (context) => depsIn(scene, context),
    placeOf: (path) => path,
    close: async () => undefined,
  };
  return { scene, worker };
}

/** So much is left of so much. */
function time(leftMs: number, timeoutMs: number): WorkContext {
  return {
    logger: new Logger(() => undefined),
    signal: new AbortController().signal,
    timeoutMs,
    untilMs: systemClock.monotonic() + leftMs,
  };
}

describe.skipIf(whyNoEmulator)(`the time that is left ${whyNoEmulator}`, () => {
  test.for([
    ['14 s of 500 s', [14_000, 500_000]],
    ['less than a quarter of 40 s', [9_000, 40_000]],
    ['nothing', [-1, 500_000]],
  ] as const)(
    '%s: no step is begun, and it is said that one is left',
    async ([, [leftMs, timeoutMs]], { onTestFinished }) => {
      const { scene, worker } = await open(onTestFinished);
      const context = time(leftMs, timeoutMs);
      for (const isLater of [false, true]) {
        const outcomes = await doRun({ runId: RUN_ID, isLater }, worker, context);
        expect(outcomes).toMatchObject([{ reason: 'planned' }]);
      }
      expect((await scene.flowRun(RUN_ID)).steps).toMatchObject({
        'charts:a': { status: 'READY' },
        'charts:b': { status: 'READY' },
      });
      expect(scene.storage.objects('charts-bucket')).toEqual([]);
      // There is no next run, and yet it is not through.
      const { complete, outcomes } = await sweep(worker, context);
      expect({ complete, outcomes }).toEqual({ complete: false, outcomes: [] });
    },
  );

  test('more than a quarter of a short time: the steps are done', async ({ onTestFinished }) => {
    const { worker } = await open(onTestFinished);
    const outcomes = await doRun({ runId: RUN_ID }, worker, time(30_000, 40_000));
    expect(outcomes.map(({ reason }) => reason)).toEqual([
      'succeeded',
      'succeeded',
      'all-succeeded',
    ]);
  });
});
