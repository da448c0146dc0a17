import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { emptyFolder } from '../support/cli-run.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { runOfSteps } from '../support/gcp-deps.js';
import { BUCKET } from '../support/gcp-scene.js';
import { formsOf } from '../support/key-forms.js';
import { install, pack } from '../support/packed.js';
import {
  binaryEvent,
  structuredEvent,
  subjectOf,
  UPDATED,
  WRITTEN,
} from '../support/saved-events.js';
import { KEY, ServedFunction } from '../support/served-function.js';

const TEMPLATE = 'ctpl_price_ma1226_vol_v1';
const STEPS = ['charts:1H:a', 'charts:4H:b'];
const BINARY = '20251221-120000_BTCUSDT_binary';
const STRUCTURED = '20251221-120000_BTCUSDT_struct';
const LOST = '20251221-120000_BTCUSDT_lost';

/** In the design's order; each step asks for one chart, so that there is but one. */
const OF_A_STEP = [
  'ready_step_selected',
  'claim_attempt',
  'core_start',
  'chart_api_call_start',
  'chart_api_call_finished',
  'chart_stored',
  'manifest_written',
  'step_completed',
];
const OF_AN_EVENT = [
  'cloud_event_received',
  'cloud_event_parsed',
  ...OF_A_STEP,
  ...OF_A_STEP,
  'cloud_event_finished',
];

describe.skipIf(whyNoEmulator)(`the packed function on the emulator ${whyNoEmulator}`, () => {
  test('does the steps of a binary and of a structured event, and sweeps', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const [scene, { tarball }] = await Promise.all([
      ServedFunction.open(onTestFinished),
      pack(await emptyFolder(onTestFinished)),
    ]);
    await install(cwd, tarball, ['@google-cloud/functions-framework']);
    await writeFile(join(cwd, 'index.js'), "import 'worker-chart-export/cloud-event';\n");
    for (const runId of [BINARY, STRUCTURED]) {
      await scene.cloud.put(paths.flowRun(runId), runOfSteps(runId, STEPS, [TEMPLATE]));
    }

    const server = await scene.start({ cwd, code: 'package' });
    const ids = { [BINARY]: 'event-1', [STRUCTURED]: 'event-2' };
    const binary = binaryEvent(BINARY, { id: ids[BINARY] });
    expect(await server.send(binary)).toEqual({ status: 204, body: '' });
    const structured = structuredEvent(STRUCTURED, { id: ids[STRUCTURED], type: WRITTEN });
    expect(await server.send(structured)).toEqual({ status: 204, body: '' });

    for (const [runId, eventType] of [
      [BINARY, UPDATED],
      [STRUCTURED, WRITTEN],
    ] as const) {
      const eventId = ids[runId];
      const lines = server.log.filter((line) => line.eventId === eventId);
      expect(lines.map(({ event }) => event)).toEqual(OF_AN_EVENT);
      for (const line of lines) {
        const subject = subjectOf(runId);
        const service = 'worker-chart-export';
        expect(line).toMatchObject({ severity: 'INFO', service, eventId, eventType, subject });
      }
      expect(lines.at(-1)).toMatchObject({ answer: 204, steps: 2 });
      const { steps } = await scene.cloud.flowRun(runId);
      for (const stepId of STEPS) {
        const outputsManifestGcsUri = `gs://${BUCKET}/charts/${runId}/${stepId}/manifest.json`;
        expect(steps[stepId]).toMatchObject({
          status: 'SUCCEEDED',
          outputs: { outputsManifestGcsUri },
        });
      }
    }
    // What one instance says of itself belongs to no event.
    const others = server.log.filter(({ eventId }) => eventId === undefined);
    expect(others.map(({ event }) => event)).toEqual(['cloud_target']);
    expect(scene.chartImg.requests.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(scene.cloud.storage.violations).toEqual([]);

    await scene.cloud.put(paths.flowRun(LOST), runOfSteps(LOST, STEPS, [TEMPLATE]));
    const sweeper = await scene.start({ cwd, code: 'package', target: 'workerChartExportSweep' });
    const { status, body } = await sweeper.send({});
    expect([status, JSON.parse(body)]).toEqual([
      200,
      {
        runs: 3,
        leasesClosed: 0,
        runningLong: 0,
        complete: true,
        steps: ['succeeded', 'succeeded'],
      },
    ]);
    expect(sweeper.log.map(({ event }) => event)).toEqual([
      'cloud_target',
      ...OF_A_STEP,
      ...OF_A_STEP,
      'sweep_finished',
    ]);

    for (const { stdout, stderr } of [server, sweeper]) {
      expect(stderr).toBe('');
      for (const form of formsOf(KEY)) expect(stdout.join('\n')).not.toContain(form);
    }
  });
});
