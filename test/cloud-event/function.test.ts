import { describe, expect, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { runOfSteps } from '../support/gcp-deps.js';
import { BUCKET } from '../support/gcp-scene.js';
import { binaryEvent } from '../support/saved-events.js';
import { ServedFunction } from '../support/served-function.js';

const RUN_ID = '20251221-120000_BTCUSDT_fnct';
const STEP_ID = 'charts:1H:a';
const TEMPLATE = 'ctpl_price_ma1226_vol_v1';

async function openScene(onTestFinished: (undo: () => Promise<void>) => void) {
  const scene = await ServedFunction.open(onTestFinished);
  await scene.cloud.put(paths.flowRun(RUN_ID), runOfSteps(RUN_ID, [STEP_ID], [TEMPLATE]));
  return scene;
}

describe.skipIf(whyNoEmulator)(
  `the function on the emulator ${whyNoEmulator}`,
  { concurrent: true },
  () => {
    test('a bucket that cannot be reached is answered 500, said, and tried again', async ({
      onTestFinished,
    }) => {
      const scene = await openScene(onTestFinished);
      const { storage } = scene.cloud;
      const refused = { act: 'refuse', status: 503 } as const;
      storage.faults.add({ kind: 'any', times: 'forever', fault: refused });
      const [server, sweeper] = await Promise.all([
        scene.start(),
        scene.start({ target: 'workerChartExportSweep' }),
      ]);
      const [answered, swept] = await Promise.all([
        server.send(binaryEvent(RUN_ID, { id: 'event-1' })),
        sweeper.send({}),
      ]);
      expect(answered).toEqual({ status: 500, body: '' });
      expect([swept.status, JSON.parse(swept.body)]).toMatchObject([
        500,
        { complete: false, steps: ['infrastructure-failed'] },
      ]);
      const error = { code: 'INFRASTRUCTURE_ERROR' };
      expect(server.linesOf('infrastructure_error')).toMatchObject([
        { severity: 'ERROR', error, eventId: 'event-1', runId: RUN_ID },
      ]);
      expect(sweeper.linesOf('infrastructure_error')).toMatchObject([{ severity: 'ERROR', error }]);
      expect((await scene.cloud.flowRun(RUN_ID)).steps[STEP_ID]).toMatchObject({ status: 'READY' });
      expect(scene.chartImg.requests).toEqual([]);

      storage.faults.clear();
      expect((await server.send(binaryEvent(RUN_ID))).status).toBe(204);
      const { steps } = await scene.cloud.flowRun(RUN_ID);
      expect(steps[STEP_ID]).toMatchObject({ status: 'SUCCEEDED' });
    });

    test('a sweep that nothing can begin says its error by code', async ({ onTestFinished }) => {
      const scene = await openScene(onTestFinished);
      const env = { CHARTS_BUCKET: '' };
      const sweeper = await scene.start({ target: 'workerChartExportSweep', env });
      expect(await sweeper.send({})).toEqual({ status: 500, body: '' });
      expect(sweeper.linesOf('config_error').at(-1)).toMatchObject({
        severity: 'ERROR',
        error: { code: 'CONFIG_ERROR', message: expect.stringContaining('CHARTS_BUCKET') },
      });
    });

    test('mock does the steps without accounts, and calls nobody', async ({ onTestFinished }) => {
      const scene = await openScene(onTestFinished);
      const env = { CHARTS_API_MODE: 'mock', CHART_IMG_ACCOUNTS_JSON: '', TDA_ENV: 'dev' };
      const server = await scene.start({ env });
      expect((await server.send(binaryEvent(RUN_ID))).status).toBe(204);
      const { steps } = await scene.cloud.flowRun(RUN_ID);
      expect(steps[STEP_ID]).toMatchObject({ status: 'SUCCEEDED' });
      expect(scene.cloud.storage.objects(BUCKET)).toHaveLength(2);
      expect(scene.chartImg.requests).toEqual([]);
      expect(server.linesOf('chart_api_call_finished')).toMatchObject([
        { mode: 'mock', env: 'dev' },
      ]);
    });
  },
);
