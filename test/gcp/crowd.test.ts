import { describe, expect, test } from 'vitest';
import type { ChartsOutputsManifest } from '../../src/contracts/documents.js';
import { validateFlowRun } from '../../src/contracts/published.js';
import { validateManifest } from '../../src/contracts/validate.js';
import type { DocumentStore } from '../../src/documents/document-store.js';
import { paths } from '../../src/documents/paths.js';
import type { StepIdentity } from '../../src/engine/outcome.js';
import { runStep } from '../../src/engine/run-step.js';
import type { LogLine } from '../support/cli-run.js';
import { CrowdProcess } from '../support/crowd-process.js';
import { stepRequest } from '../support/engine-samples.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { depsIn, putsLease, putTemplates, runOfSteps } from '../support/gcp-deps.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';
import { ALL_CASES, PROVING } from '../support/share.js';
import { onOneUtcDay } from '../support/step-scene.js';

const PROCESSES = PROVING ? 8 : 4;
const RUNS = 3;
const STEPS = ['charts:1H:a.b', 'charts:1H:c-d'];
const CHARTS = ['ctpl_price_ma1226_vol_v1', 'ctpl_price_psar_adi_v1'];
const ACCOUNTS = ['acc-1', 'acc-2'].map((id) => ({ id, apiKey: `key-of-${id}`, dailyLimit: 500 }));
/** With a ledger that all share a claim loses to those of other steps too, which hides its own guard. */
const ROUNDS = ALL_CASES ? [[], ACCOUNTS, []] : [[], ACCOUNTS];

async function startCrowd(scene: GcpScene): Promise<CrowdProcess[]> {
  const settings = {
    projectId: scene.projectId,
    firestoreHost: scene.env.FIRESTORE_EMULATOR_HOST ?? '',
    storageUrl: scene.storage.url,
    bucket: BUCKET,
  };
  const crowd = Array.from({ length: PROCESSES }, () => new CrowdProcess(settings));
  await Promise.all(crowd.map((process) => process.ready()));
  return crowd;
}

async function freshRuns(scene: GcpScene, round: string): Promise<string[]> {
  const runIds = Array.from({ length: RUNS }, (_, i) => `20251221-12000${i}_BTCUSDT_r${round}`);
  for (const runId of runIds) {
    await scene.put(paths.flowRun(runId), runOfSteps(runId, STEPS, CHARTS));
  }
  return runIds;
}

async function unitsUsed(scene: GcpScene): Promise<number> {
  const used = await Promise.all(
    ACCOUNTS.map(async ({ id }) => (await scene.document(paths.usage(id)))?.usageToday),
  );
  return used.map((units) => Number(units ?? 0)).reduce((sum, units) => sum + units, 0);
}

/** Settled once, by whose token stands in the lease, with its own charts and no others. */
async function expectSettledOnce(scene: GcpScene, step: StepIdentity, log: readonly LogLine[]) {
  const { runId, stepId } = step;
  const lines = log.filter((line) => line.runId === runId && line.stepId === stepId);
  const completed = lines.filter(({ event }) => event === 'step_completed');
  expect(completed).toMatchObject([{ status: 'SUCCEEDED', itemsCount: CHARTS.length }]);
  const claims = lines.filter(({ event, claimed }) => event === 'claim_attempt' && claimed);
  expect(claims).toHaveLength(1);
  const lease = await scene.document(paths.lease(runId, stepId));
  const holder = completed[0]?.worker;
  expect(lease).toMatchObject({ state: 'DONE', attempt: 1, owner: { started: holder } });
  expect(claims[0]?.worker).toBe(holder);
  const succeeded = lines.filter(({ reason }) => reason === 'succeeded');
  expect(succeeded.map(({ worker }) => worker)).toEqual([holder]);

  const objects = scene.storage
    .objects(BUCKET)
    .filter(({ name }) => name.startsWith(`charts/${runId}/${stepId}/`));
  expect(objects.map(({ metadata }) => metadata?.claimId)).toEqual(
    Array(CHARTS.length + 1).fill(lease?.claimId),
  );
  const written = objects.find(({ name }) => name.endsWith('/manifest.json'));
  const manifest = JSON.parse(String(written?.body)) as ChartsOutputsManifest;
  expect(validateManifest(manifest)).toMatchObject({ ok: true });
  const pngs = objects.filter((object) => object !== written);
  expect(manifest.items.map(({ png_gcs_uri: uri }) => uri).sort()).toEqual(
    pngs.map(({ name }) => `gs://${BUCKET}/${name}`).sort(),
  );
}

async function expectAllDone(scene: GcpScene, runId: string): Promise<void> {
  const run = await scene.flowRun(runId);
  expect(validateFlowRun(run)).toMatchObject({ ok: true });
  for (const [stepId, step] of Object.entries(run.steps)) {
    const outputs = {
      outputsManifestGcsUri: `gs://${BUCKET}/charts/${runId}/${stepId}/manifest.json`,
    };
    expect(step).toMatchObject({ status: 'SUCCEEDED', outputs });
    expect(step).not.toHaveProperty('error');
  }
}

describe.skipIf(whyNoEmulator)(`a crowd on Firestore ${whyNoEmulator}`, () => {
  test(`${PROCESSES} processes on ${RUNS * STEPS.length} steps of ${RUNS} shared runs: each step is settled once, by its last holder`, async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    await putTemplates(scene, CHARTS);
    const crowd = await startCrowd(scene);
    onTestFinished(async () => {
      for (const process of crowd) process.kill();
    });

    for (const [round, accounts] of ROUNDS.entries()) {
      await onOneUtcDay(async (again) => {
        const unitsBefore = await unitsUsed(scene);
        const runIds = await freshRuns(scene, `${round}x${again}`);
        const steps = runIds.flatMap((runId) => STEPS.map((stepId) => ({ runId, stepId })));
        const log = (
          await Promise.all(crowd.map((process) => process.round({ steps, accounts })))
        ).flat();
        return async () => {
          for (const step of steps) await expectSettledOnce(scene, step, log);
          for (const runId of runIds) await expectAllDone(scene, runId);
          for (const { event, reason, message } of log) {
            if (event !== 'ended') continue;
            expect(['succeeded', 'held', 'already-final'], String(message)).toContain(reason);
          }
          // Else they did not meet.
          expect(log.filter(({ claimed }) => claimed === false)).not.toEqual([]);
          expect((await unitsUsed(scene)) - unitsBefore).toBe(
            accounts.length > 0 ? steps.length * CHARTS.length : 0,
          );
        };
      });
    }
    expect(await Promise.all(crowd.map((process) => process.end()))).toEqual(
      Array(PROCESSES).fill(0),
    );
  });

  test('16 steps of one run that settle at the same moment: none is stranded', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    await putTemplates(scene, CHARTS);
    const runId = '20251221-120000_BTCUSDT_many';
    const stepIds = Array.from({ length: 16 }, (_, i) => `charts:${i}:settle`);
    await scene.put(paths.flowRun(runId), runOfSteps(runId, stepIds, CHARTS));

    const held = holdingSettles(scene.documents, stepIds.length);
    const outcomes = await Promise.all(
      stepIds.map((stepId) =>
        runStep(stepRequest({ runId, stepId }), depsIn(scene, { documents: held.documents })),
      ),
    );
    expect(outcomes.map(({ reason }) => reason)).toEqual(stepIds.map(() => 'succeeded'));
    // One of the first sixteen commits can have been applied; else they did not meet.
    expect(held.settles()).toBeGreaterThanOrEqual(2 * stepIds.length - 1);
    await expectAllDone(scene, runId);
    const leases = await Promise.all(
      stepIds.map((stepId) => scene.document(paths.lease(runId, stepId))),
    );
    expect(leases.map((lease) => lease?.state)).toEqual(stepIds.map(() => 'DONE'));
  });
});

/** A store that sends no step's end before so many wait to be sent; all have read the same run. */
function holdingSettles(documents: DocumentStore, wanted: number) {
  let settles = 0;
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const held: DocumentStore = {
    read: (wantedPaths) => documents.read(wantedPaths),
    list: (collection, page) => documents.list(collection, page),
    async commit(writes) {
      const isSettle = writes.some((write) => putsLease(write, 'DONE'));
      if (isSettle) {
        settles += 1;
        if (settles === wanted) letGo();
        await gate;
      }
      return documents.commit(writes);
    },
  };
  return { documents: held, settles: () => settles };
}
