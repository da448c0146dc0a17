import { describe, expect, test } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { CliProcess, flowRun, jsonFile } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import { LosableProxy } from '../support/dead-servers.js';
import { onlyLogLines, RUN_ID, STEP_ID } from '../support/door.js';
import type { FaultRule } from '../support/fake-storage/faults.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { GcpScene } from '../support/gcp-scene.js';
import { heldFixtures } from '../support/held-fixtures.js';
import { ALL_CASES } from '../support/share.js';

const CHART = 'ctpl_price_ma1226_vol_v1';
const TIMEOUT_SECONDS = 4;
/** From its deadline on: a settle that waits for an answer, a release that does, and the way out. */
const GRACE_SECONDS = 20;

async function prepared(onTestFinished: (undo: () => Promise<void>) => void) {
  const scene = await GcpScene.open(onTestFinished);
  await scene.put(paths.flowRun(RUN_ID), flowRun());
  return { scene, file: await jsonFile(scene.cwd, 'run.json', flowRun()) };
}

async function stepNow(scene: GcpScene) {
  const { steps } = await scene.flowRun(RUN_ID);
  return { step: steps[STEP_ID], lease: await scene.document(paths.lease(RUN_ID, STEP_ID)) };
}

const STORAGE_LOSSES: readonly { what: string; rule: FaultRule }[] = [
  {
    what: 'it answers 503 to everything',
    // The first request is the probe.
    rule: { kind: 'any', nth: 2, times: 'forever', fault: { act: 'refuse', status: 503 } },
  },
  {
    what: 'no upload is ever answered',
    rule: { kind: 'put', times: 'forever', fault: { act: 'hang', when: 'before' } },
  },
];

const FIRESTORE_LOSSES = [
  { what: 'it falls silent', lose: async (proxy: LosableProxy) => proxy.silence() },
  { what: 'nobody listens any more', lose: (proxy: LosableProxy) => proxy.close() },
];

describe.skipIf(whyNoEmulator)(`lost after the claim ${whyNoEmulator}`, () => {
  test.concurrent.for(ALL_CASES ? STORAGE_LOSSES : STORAGE_LOSSES.slice(0, 1))(
    'Storage: $what: the charts fail, the step settles FAILED',
    async ({ rule }, { onTestFinished }) => {
      const { scene, file } = await prepared(onTestFinished);
      scene.storage.faults.add(rule);
      const { exitCode, summary, log } = await scene.run(file);
      expect(exitCode).toBe(1);
      expect(summary).toMatchObject({
        status: 'FAILED',
        errorCode: 'GCS_WRITE_FAILED',
        outputsManifestGcsUri: null,
        itemsCount: 0,
        failures: [{ chartTemplateId: CHART, code: 'GCS_WRITE_FAILED' }],
      });
      const { step, lease } = await stepNow(scene);
      expect(step).toMatchObject({
        status: 'FAILED',
        finishedAt: expect.any(String),
        error: { code: 'GCS_WRITE_FAILED', message: summary.message },
        outputs: {},
      });
      expect(lease).toMatchObject({ state: 'DONE' });
      expect(log.filter(({ event }) => event === 'step_completed')).toMatchObject([
        { status: 'FAILED' },
      ]);
    },
  );

  test.concurrent.for(ALL_CASES ? FIRESTORE_LOSSES : FIRESTORE_LOSSES.slice(-1))(
    'Firestore: $what: exit 4 in time, the step RUNNING, and the next run takes it over',
    async ({ lose }, { onTestFinished }) => {
      const { scene, file } = await prepared(onTestFinished);
      const { FIRESTORE_EMULATOR_HOST: host = '' } = scene.env;
      const proxy = await LosableProxy.open(host, onTestFinished);
      const held = await heldFixtures(scene.cwd, [CHART]);
      const process = new CliProcess(scene.argv(file, '--timeout', String(TIMEOUT_SECONDS)), {
        cwd: scene.cwd,
        env: {
          ...scene.env,
          ...held.env,
          FIRESTORE_EMULATOR_HOST: proxy.host,
          CHARTS_LEASE_TTL_SECONDS: '3',
        },
      });
      await process.asked(CHART);
      await lose(proxy);
      const since = performance.now();
      await held.letGo();
      const { exitCode, stdout, stderr } = await process.ended;
      const seconds = (performance.now() - since) / 1_000;
      const { status, errorCode, message, noop } = summaryOn(stdout);
      expect({ exitCode, status, errorCode, noop }).toEqual({
        exitCode: 4,
        status: null,
        errorCode: 'INFRASTRUCTURE_ERROR',
        noop: false,
      });
      expect(message).toMatch(/^step charts:1H:test could not be settled: Firestore [^\n]*$/);
      expect(seconds).toBeLessThan(TIMEOUT_SECONDS + GRACE_SECONDS);
      const log = onlyLogLines(stderr);
      const events = log.map(({ event }) => event);
      expect(events).toContain('finalize_failed');
      expect(events).not.toContain('step_completed');
      const { step, lease } = await stepNow(scene);
      expect(step).toEqual({
        ...(flowRun().steps as Record<string, object>)[STEP_ID],
        status: 'RUNNING',
      });
      expect(lease).toMatchObject({ state: 'ACTIVE', attempt: 1 });

      const next = await scene.run(file);
      expect(next).toMatchObject({ exitCode: 0, summary: { status: 'SUCCEEDED', attempt: 2 } });
      const after = await stepNow(scene);
      expect(after.step).toMatchObject({ status: 'SUCCEEDED' });
      expect(after.lease).toMatchObject({ state: 'DONE', attempt: 2, claimId: lease?.claimId });
    },
  );
});
