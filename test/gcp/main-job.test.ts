import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { validateFlowRun } from '../../src/contracts/published.js';
import { validateManifest } from '../../src/contracts/validate.js';
import { paths } from '../../src/documents/paths.js';
import { flowRun, jsonFile } from '../support/cli-run.js';
import { sha256 } from '../support/cli-workspace.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';

const SAMPLES = fileURLToPath(new URL('../../fixtures/flow-runs', import.meta.url));
const FIVE = join(SAMPLES, 'five-templates.json');
const FIVE_RUN = '20251221-130000_BTCUSDT_five';
const FIVE_STEP = 'charts:1D:all';
const FOLDER = `charts/${FIVE_RUN}/${FIVE_STEP}/`;

const DEMO_RUN = '20251221-120000_BTCUSDT_demo';
const DEMO_STEP = 'charts:1H:test';
const ACCOUNTS = [{ id: 'acc-1', apiKey: 'not-a-real-key-0123456789' }];

describe.skipIf(whyNoEmulator)(`on the emulator ${whyNoEmulator}`, () => {
  test('the sample run is created, done, and then a no-op', async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const given = JSON.parse(await readFile(FIVE, 'utf8'));
    const first = await scene.run(FIVE, '--create-flow-run');
    expect(first.exitCode).toBe(0);
    expect(first.summary).toMatchObject({
      status: 'SUCCEEDED',
      backend: 'gcp',
      outputsManifestGcsUri: `gs://${BUCKET}/${FOLDER}manifest.json`,
      itemsCount: 5,
      failuresCount: 0,
      attempt: 1,
    });
    expect(first.summary.items.map(({ localPath }) => localPath)).toEqual(Array(5).fill(null));
    const created = first.log.find(({ event }) => event === 'flow_run_created');
    expect(created).toMatchObject({ message: expect.stringMatching(/may take/) });

    const run = await scene.flowRun(FIVE_RUN);
    expect(validateFlowRun(run)).toMatchObject({ ok: true });
    const { [FIVE_STEP]: step, ...others } = run.steps;
    expect({ ...run, steps: { ...others, [FIVE_STEP]: given.steps[FIVE_STEP] } }).toEqual(given);
    expect(step).toEqual({
      ...given.steps[FIVE_STEP],
      status: 'SUCCEEDED',
      finishedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      outputs: { outputsManifestGcsUri: first.summary.outputsManifestGcsUri },
    });

    const objects = scene.storage.objects(BUCKET);
    const manifestObject = objects.find(({ name }) => name === `${FOLDER}manifest.json`);
    const manifest = JSON.parse(manifestObject?.body.toString() ?? '');
    expect(validateManifest(manifest)).toMatchObject({ ok: true });
    expect(manifest.items).toHaveLength(5);
    for (const item of manifest.items) {
      const object = objects.find(({ name }) => item.png_gcs_uri === `gs://${BUCKET}/${name}`);
      expect(sha256(object?.body ?? Buffer.of())).toBe(item.meta.sha256);
    }
    expect(scene.storage.violations).toEqual([]);

    const writes = scene.storage.count('put');
    const second = await scene.run(FIVE);
    expect(second).toMatchObject({ exitCode: 0, summary: { status: 'SUCCEEDED', noop: true } });
    expect(scene.storage.count('put')).toBe(writes);
    expect(await scene.flowRun(FIVE_RUN)).toEqual(run);
  });

  test('a run that is there is used as it is, also with --create-flow-run', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const live = flowRun({ status: 'SKIPPED', note: 'of others' });
    await scene.put(paths.flowRun(DEMO_RUN), live);
    const file = await jsonFile(scene.cwd, 'run.json', flowRun());
    const flags = ['--create-flow-run', '--step-id', DEMO_STEP];
    const { exitCode, summary, log } = await scene.run(file, ...flags);
    expect(exitCode).toBe(3);
    expect(summary).toMatchObject({ status: 'SKIPPED', noop: true });
    expect(log.map(({ event }) => event)).toContain('flow_run_kept');
    expect(log.map(({ event }) => event)).not.toContain('flow_run_created');
    expect(await scene.flowRun(DEMO_RUN)).toEqual(live);
  });

  test('no such run: one line that says what to do, and nothing is written', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const { exitCode, summary } = await scene.run(FIVE);
    expect(exitCode).toBe(2);
    expect(summary).toMatchObject({ status: 'FAILED', errorCode: 'VALIDATION_FAILED' });
    expect(summary.message).toMatch(
      /no flow run 20251221-130000_BTCUSDT_five in Firestore database \(default\): .*--create-flow-run/,
    );
    expect(await scene.document(paths.flowRun(FIVE_RUN))).toBeUndefined();
    expect(scene.storage.objects(BUCKET)).toEqual([]);
  });

  test('the live document decides status and dependencies, the file the inputs', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const requests = [{ chartTemplateId: 'none' }];
    await scene.put(paths.flowRun(DEMO_RUN), {
      ...flowRun({ timeframe: '1w', inputs: { requests } }),
      scope: { symbol: 'ETHUSDT' },
    });
    const file = await jsonFile(scene.cwd, 'run.json', flowRun({ status: 'SKIPPED' }));
    const { exitCode, summary, log } = await scene.run(file);
    expect(exitCode).toBe(0);
    expect(summary.items[0]?.pngGcsUri).toMatch(/_BTCUSDT_1h_ctpl_price_ma1226_vol_v1\.png$/);
    const differences = log.filter(({ event }) => event === 'flow_run_differs');
    expect(differences.map(({ field }) => field)).toEqual([
      'scope.symbol',
      `steps["${DEMO_STEP}"].timeframe`,
      `steps["${DEMO_STEP}"].inputs`,
    ]);
    const { scope, steps } = await scene.flowRun(DEMO_RUN);
    expect(scope).toEqual({ symbol: 'ETHUSDT' });
    expect(steps[DEMO_STEP]).toMatchObject({ timeframe: '1w', inputs: { requests } });
  });

  test('--dry-run looks at the live documents and writes nothing', async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const live = flowRun({ dependsOn: ['ohlcv'] });
    await scene.put(paths.flowRun(DEMO_RUN), live);
    const file = await jsonFile(scene.cwd, 'run.json', flowRun());
    const blocked = await scene.run(file, '--dry-run');
    expect(blocked.exitCode).toBe(3);
    expect(blocked.summary.message).toContain('"ohlcv" (not in the run)');
    const { exitCode, summary } = await scene.run(file, '--dry-run', '--step-id', DEMO_STEP);
    expect(exitCode).toBe(0);
    expect(summary.plan).toMatchObject([{ action: 'render' }]);
    const created = await scene.run(FIVE, '--dry-run', '--create-flow-run');
    expect(created.summary.plan).toHaveLength(5);
    expect(await scene.document(paths.flowRun(FIVE_RUN))).toBeUndefined();
    expect(await scene.flowRun(DEMO_RUN)).toEqual(live);
    expect(await scene.document(paths.lease(DEMO_RUN, DEMO_STEP))).toBeUndefined();
    expect(scene.storage.objects(BUCKET)).toEqual([]);
  });

  test('--replay renders anew and keeps the old manifest; --out brings the pictures', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    await scene.run(FIVE, '--create-flow-run');
    const before = scene.storage.objects(BUCKET).map(({ name }) => name);
    const lease = await scene.document(paths.lease(FIVE_RUN, FIVE_STEP));
    const { exitCode, summary } = await scene.run(FIVE, '--replay', '--out', 'charts');
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'SUCCEEDED', attempt: 1, noop: false });
    const names = scene.storage.objects(BUCKET).map(({ name }) => name);
    expect(names).toHaveLength(before.length + 6);
    expect(names.filter((name) => /manifest\..+\.json$/.test(name))).toHaveLength(1);
    expect((await scene.document(paths.lease(FIVE_RUN, FIVE_STEP)))?.claimId).not.toBe(
      lease?.claimId,
    );
    const copied = await readdir(join(scene.cwd, 'charts'));
    expect(copied.sort()).toEqual(
      summary.items.map(({ pngGcsUri }) => pngGcsUri.split('/').at(-1)).sort(),
    );
  });

  test('mock charts read the ledger and do not write it', async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const accounts = await jsonFile(scene.cwd, 'accounts.json', ACCOUNTS);
    const file = await jsonFile(scene.cwd, 'run.json', flowRun());
    const flags = ['--create-flow-run', '--accounts-config-path', accounts];
    const done = await scene.run(file, ...flags);
    expect(done.exitCode).toBe(0);
    expect(await scene.document(paths.usage('acc-1'))).toBeUndefined();

    const windowStart = `${new Date().toISOString().slice(0, 10)}T00:00:00Z`;
    const used = { usageToday: 44, windowStart };
    await scene.put(paths.usage('acc-1'), used);
    const replayed = await scene.run(file, ...flags, '--replay');
    expect(replayed.summary).toMatchObject({ errorCode: 'CHART_API_LIMIT_EXCEEDED' });
    expect(await scene.document(paths.usage('acc-1'))).toEqual(used);
  });

  test("templates are Firestore's first; the bundled set is not looked at", async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const id = 'ctpl_price_ma1226_vol_v1';
    const file = await jsonFile(scene.cwd, 'run.json', flowRun());
    const none = await scene.run(file, '--create-flow-run', '--templates-dir', '.');
    expect(none.summary).toMatchObject({ errorCode: 'VALIDATION_FAILED', itemsCount: 0 });
    const template = JSON.parse(
      await readFile(join(SAMPLES, `../chart-templates/${id}.json`), 'utf8'),
    );
    await scene.put(paths.template(id), { ...template, description: 'of the collection' });
    await scene.run(file, '--replay', '--templates-dir', '.');
    const manifest = scene.storage
      .objects(BUCKET)
      .find(({ name }) => name.endsWith('/manifest.json'));
    expect(JSON.parse(manifest?.body.toString() ?? '').items).toMatchObject([
      { kind: 'of the collection' },
    ]);
  });

  test('the first log lines say what is an emulator', async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const { log } = await scene.run(FIVE);
    expect(log.slice(0, 2)).toMatchObject([
      { event: 'local_run_started', backend: 'gcp', bucket: BUCKET, workspace: null },
      {
        event: 'cloud_target',
        project: scene.projectId,
        database: '(default)',
        firestoreEmulator: scene.env.FIRESTORE_EMULATOR_HOST,
        storageEmulator: scene.storage.url,
        message: expect.stringMatching(/Firestore.*on the emulator.*Storage on the emulator/),
      },
    ]);
  });
});
