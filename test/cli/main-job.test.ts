import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import { emptyFolder, flowRun, jsonFile, logLines, runCli } from '../support/cli-run.js';
import { CliWorkspace, filesIn, sha256, summaryOn } from '../support/cli-workspace.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const CHARTS = join(FIXTURES, 'chart-api/chart-img/advanced-chart-v2');
const FIVE = join(FIXTURES, 'flow-runs/five-templates.json');
const SEVERAL = join(FIXTURES, 'flow-runs/several-steps.json');

const FIVE_RUN = '20251221-130000_BTCUSDT_five';
const FIVE_STEP = 'charts:1D:all';
const FIVE_MANIFEST = `gs://local/charts/${FIVE_RUN}/${FIVE_STEP}/manifest.json`;
const SEVERAL_RUN = '20251221-140000_BTCUSDT_steps';

const DEMO_RUN = '20251221-120000_BTCUSDT_demo';
const DEMO_STEP = 'charts:1H:ctpl_price_ma1226_vol_v1';
/** As the pipeline's documentation gives it. */
const MINIMAL = `{"schemaVersion":1,"runId":"20251221-120000_BTCUSDT_demo","flowKey":"scheduled_month_week_report_v1","status":"RUNNING",
 "createdAt":"2025-12-21T12:00:00Z","trigger":{"type":"MANUAL","source":"local"},"scope":{"symbol":"BTCUSDT"},
 "steps":{"charts:1H:ctpl_price_ma1226_vol_v1":{"stepType":"CHART_EXPORT","status":"READY","timeframe":"1h",
   "createdAt":"2025-12-21T12:00:01Z","dependsOn":["_dummy"],
   "inputs":{"minImages":1,"requests":[{"chartTemplateId":"ctpl_price_ma1226_vol_v1"}]},"outputs":{}}}}`;

interface RunFile extends JsonObject {
  steps: Record<string, JsonObject>;
}

async function readJson(path: string): Promise<RunFile> {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** `run-local` on a file, from a folder, with these flags. */
function runLocal(cwd: string, file: string, ...flags: string[]) {
  return runCli(['run-local', '--flow-run-path', file, ...flags], { cwd });
}

/** The same, with its JSON summary. */
async function runForSummary(cwd: string, file: string, ...flags: string[]) {
  const ended = await runLocal(cwd, file, ...flags, '--output-summary', 'json');
  return { ...ended, summary: summaryOn(ended.stdout) };
}

describe('a run of five charts', () => {
  test('ends with the line for scripts, and each chart is where the summary says', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout } = await runLocal(cwd, FIVE);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toBe(
      `CHART_EXPORT SUCCEEDED: manifest=${FIVE_MANIFEST}, items=5, failures=0, minImages=3`,
    );
    const paths = lines.filter((line) => line.startsWith('ok ')).map((line) => line.split(/ {2,}/));
    expect(paths).toHaveLength(5);
    for (const [, chartTemplateId, path = ''] of paths) {
      const fixture = `BINANCE_BTCUSDT__1d__${chartTemplateId}.png`;
      const drawn = await readFile(join(cwd, path));
      expect(sha256(drawn), fixture).toBe(sha256(await readFile(join(CHARTS, fixture))));
    }
  });

  test('leaves the PNGs and a manifest that names them', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const workspace = new CliWorkspace(cwd);
    const { summary } = await runForSummary(cwd, FIVE);
    const asked = (await readJson(FIVE)).steps[FIVE_STEP]?.inputs as {
      requests: { chartTemplateId: string }[];
    };

    const manifest = await workspace.manifest(FIVE_MANIFEST);
    expect(manifest).toMatchObject({
      schemaVersion: 1,
      runId: FIVE_RUN,
      stepId: FIVE_STEP,
      symbol: 'BTCUSDT',
      timeframe: '1d',
      minImages: 3,
      requested: asked.requests,
      failures: [],
    });
    expect(manifest.items.map(({ chartTemplateId }) => ({ chartTemplateId }))).toEqual(
      asked.requests,
    );
    for (const item of manifest.items) {
      const { chartTemplateId, generatedAt, png_gcs_uri: uri } = item;
      const fixture = await readFile(join(CHARTS, `BINANCE_BTCUSDT__1d__${chartTemplateId}.png`));
      const template = await readJson(join(FIXTURES, `chart-templates/${chartTemplateId}.json`));
      expect(item).toMatchObject({
        kind: template.description,
        meta: {
          source: 'fixture',
          chartImgSymbol: 'BINANCE:BTCUSDT',
          interval: '1D',
          width: 800,
          height: 600,
          bytes: fixture.length,
          sha256: sha256(fixture),
        },
      });
      const stamp = generatedAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
      expect(uri).toBe(
        `gs://local/charts/${FIVE_RUN}/${FIVE_STEP}/${stamp}_BTCUSDT_1d_${chartTemplateId}.png`,
      );
      expect((await workspace.object(uri)).equals(fixture), uri).toBe(true);
    }
    expect(await workspace.objects()).toHaveLength(6);
    expect(summary).toMatchObject({
      status: 'SUCCEEDED',
      runId: FIVE_RUN,
      stepId: FIVE_STEP,
      outputsManifestGcsUri: FIVE_MANIFEST,
      itemsCount: 5,
      failuresCount: 0,
      minImages: 3,
      errorCode: null,
      chartsApiMode: 'mock',
      backend: 'local',
      noop: false,
      dryRun: false,
      attempt: 1,
      failures: [],
      items: manifest.items.map(({ chartTemplateId, png_gcs_uri }) => ({
        chartTemplateId,
        pngGcsUri: png_gcs_uri,
        localPath: workspace.objectPath(png_gcs_uri),
        width: 800,
        height: 600,
      })),
    });
    expect(summary.durationMs).toBeGreaterThan(0);
  });

  test('finishes its step in the run and touches nothing else there', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const workspace = new CliWorkspace(cwd);
    const given = await readJson(FIVE);
    const step = given.steps[FIVE_STEP] as JsonObject;
    const foreign = {
      ...given,
      schemaVersion: 99,
      notes: { deep: [1, null, { '': 'x' }] },
      steps: {
        'a step of the future': { stepType: 'PODCAST', status: 'DREAMING', list: [] },
        [FIVE_STEP]: { ...step, retries: 0, outputs: { other: 'kept' }, error: { code: 'STALE' } },
      },
    };
    const file = await jsonFile(cwd, 'flow_run.json', foreign);
    const bytes = await readFile(file);

    expect((await runLocal(cwd, file)).exitCode).toBe(0);
    expect(await workspace.document('flow_runs', FIVE_RUN)).toStrictEqual({
      ...foreign,
      steps: {
        ...foreign.steps,
        [FIVE_STEP]: {
          ...step,
          retries: 0,
          status: 'SUCCEEDED',
          finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          outputs: { other: 'kept', outputsManifestGcsUri: FIVE_MANIFEST },
        },
      },
    });
    expect(await workspace.lease(FIVE_RUN, FIVE_STEP)).toMatchObject({ state: 'DONE', attempt: 1 });
    expect(await readFile(file)).toEqual(bytes);
    expect(await readFile(join(workspace.root, '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('puts the PNGs under their plain names where --out says, too', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { summary } = await runForSummary(cwd, FIVE, '--out', 'charts/today');
    const copies = await readdir(join(cwd, 'charts/today'));
    const names = summary.items.map(({ pngGcsUri }) => pngGcsUri.split('/').at(-1));
    expect(copies.sort()).toEqual(names.sort());
    for (const { pngGcsUri, localPath } of summary.items) {
      const copy = await readFile(join(cwd, 'charts/today', pngGcsUri.split('/').at(-1) ?? ''));
      expect(copy.equals(await readFile(localPath ?? ''))).toBe(true);
    }
  });

  test('goes to the bucket and the workspace that were named', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const flags = ['--charts-bucket', 'demo-bucket', '--workspace', 'elsewhere'];
    const { summary } = await runForSummary(cwd, FIVE, ...flags);
    const uri = FIVE_MANIFEST.replace('gs://local/', 'gs://demo-bucket/');
    expect(summary.outputsManifestGcsUri).toBe(uri);
    expect((await new CliWorkspace(cwd, 'elsewhere').manifest(uri)).items).toHaveLength(5);
    expect(await readdir(cwd)).toEqual(['elsewhere']);
  });

  test('comes over stdin, too', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const argv = ['run-local', '--flow-run-path', '-', '--output-summary', 'json'];
    const ended = await runCli(argv, { cwd, input: await readFile(FIVE, 'utf8') });
    expect(ended.exitCode).toBe(0);
    expect(summaryOn(ended.stdout)).toMatchObject({ status: 'SUCCEEDED', itemsCount: 5 });
    expect(await new CliWorkspace(cwd).step(FIVE_RUN, FIVE_STEP)).toMatchObject({
      status: 'SUCCEEDED',
    });
  });
});

describe('the minimal run of the documentation', () => {
  test('is done as it stands, although a dependency is nowhere in it', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const file = join(cwd, 'flow_run.json');
    await writeFile(file, MINIMAL);
    const { exitCode, summary, stderr } = await runForSummary(cwd, file, '--step-id', DEMO_STEP);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 1, failuresCount: 0 });
    const warnings = logLines(stderr).filter(({ severity }) => severity === 'WARNING');
    expect(warnings).toMatchObject([
      { event: 'depends_on_blocked', message: expect.stringContaining('"_dummy"') },
    ]);
    expect(await readFile(file, 'utf8')).toBe(MINIMAL);
    expect(JSON.parse(MINIMAL)).toEqual(await readJson(join(FIXTURES, 'flow-runs/minimal.json')));
  });

  test('is blocked where nobody named the step', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const file = join(cwd, 'flow_run.json');
    await writeFile(file, MINIMAL);
    const { exitCode, summary } = await runForSummary(cwd, file);
    expect(exitCode).toBe(3);
    expect(summary).toMatchObject({ status: null, stepId: null, noop: true });
    expect(summary.message).toContain('"_dummy" (not in the run)');
  });
});

describe('again', () => {
  test('is a no-op that names --replay', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await runLocal(cwd, FIVE);
    const before = await filesIn(cwd);
    const { exitCode, summary } = await runForSummary(cwd, FIVE, '--step-id', FIVE_STEP);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({
      status: 'SUCCEEDED',
      stepId: FIVE_STEP,
      outputsManifestGcsUri: FIVE_MANIFEST,
      noop: true,
      errorCode: null,
      itemsCount: null,
      failuresCount: null,
      minImages: null,
      message: expect.stringContaining('--replay'),
    });
    const unnamed = await runLocal(cwd, FIVE);
    expect(unnamed.exitCode).toBe(0);
    expect(unnamed.stdout).toMatch(/--replay.*\nCHART_EXPORT SUCCEEDED: manifest=-, items=-/);
    expect(await filesIn(cwd)).toEqual(before);
  });

  test('with --replay renders anew and keeps the old manifest beside the new one', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const workspace = new CliWorkspace(cwd);
    const first = await runForSummary(cwd, FIVE);
    const oldLease = await workspace.lease(FIVE_RUN, FIVE_STEP);
    const oldManifest = await workspace.object(FIVE_MANIFEST);
    const { createdAt } = await workspace.manifest(FIVE_MANIFEST);

    const { exitCode, summary } = await runForSummary(cwd, FIVE, '--replay');
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'SUCCEEDED', noop: false, attempt: 1, itemsCount: 5 });
    const uris = [...first.summary.items, ...summary.items].map(({ pngGcsUri }) => pngGcsUri);
    expect(new Set(uris).size).toBe(10);
    for (const uri of uris) expect((await workspace.object(uri)).length).toBeGreaterThan(1_000);
    const kept = FIVE_MANIFEST.replace('manifest.json', `manifest.${createdAt}.json`);
    expect((await workspace.object(kept)).equals(oldManifest)).toBe(true);
    const items = (await workspace.manifest(FIVE_MANIFEST)).items;
    expect(items.map(({ png_gcs_uri }) => png_gcs_uri)).toEqual(uris.slice(5));
    expect(await workspace.objects()).toHaveLength(12);
    const lease = await workspace.lease(FIVE_RUN, FIVE_STEP);
    expect(lease).toMatchObject({ state: 'DONE', attempt: 1 });
    expect(lease.claimId).not.toBe(oldLease.claimId);
  });

  test('with --replay mends a step that had failed', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const error = { code: 'CHART_API_FAILED', message: 'then' };
    const run = flowRun({ status: 'FAILED', finishedAt: '2025-12-21T12:00:09Z', error });
    const file = await jsonFile(cwd, 'flow_run.json', run);
    const noop = await runForSummary(cwd, file, '--step-id', 'charts:1H:test');
    expect(noop.exitCode).toBe(1);
    expect(noop.summary).toMatchObject({ status: 'FAILED', errorCode: error.code, noop: true });
    const { exitCode, summary } = await runForSummary(cwd, file, '--replay');
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'SUCCEEDED', errorCode: null });
    const step = await new CliWorkspace(cwd).step(DEMO_RUN, 'charts:1H:test');
    expect(step.status).toBe('SUCCEEDED');
    expect(step).not.toHaveProperty('error');
    expect(step.finishedAt).not.toBe('2025-12-21T12:00:09Z');
  });
});

describe('the file and the workspace', () => {
  const STEP = 'charts:1H:test';

  test('a file whose content changed is imported anew', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await runLocal(cwd, await jsonFile(cwd, 'flow_run.json', flowRun()));
    const changed = await jsonFile(cwd, 'flow_run.json', { ...flowRun(), flowKey: 'second' });
    const { exitCode, summary } = await runForSummary(cwd, changed);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ noop: false, itemsCount: 1 });
    expect(await new CliWorkspace(cwd).document('flow_runs', DEMO_RUN)).toMatchObject({
      flowKey: 'second',
    });
  });

  test('a file of the same content under another name and layout is not', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    await runLocal(cwd, await jsonFile(cwd, 'flow_run.json', flowRun()));
    const other = join(cwd, 'other.json');
    await writeFile(other, JSON.stringify(flowRun(), null, 2));
    const { exitCode, summary } = await runForSummary(cwd, other);
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'SUCCEEDED', noop: true });
  });

  test("the workspace's document decides, as it would in the cloud", async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const workspace = new CliWorkspace(cwd);
    const file = await jsonFile(cwd, 'flow_run.json', flowRun());
    await runLocal(cwd, file);
    const document = await workspace.document('flow_runs', DEMO_RUN);
    const step = (document.steps as Record<string, JsonObject>)[STEP];
    const reset = { ...document, steps: { [STEP]: { ...step, status: 'SKIPPED' } } };
    await writeFile(workspace.documentPath('flow_runs', DEMO_RUN), JSON.stringify(reset));
    const { exitCode, summary } = await runForSummary(cwd, file, '--step-id', STEP);
    expect(exitCode).toBe(3);
    expect(summary).toMatchObject({ status: 'SKIPPED', noop: true });
  });

  test("the workspace's chart template wins over --templates-dir, that one over the bundled", async ({
    onTestFinished,
  }) => {
    const id = 'ctpl_price_ma1226_vol_v1';
    const bundled = await readJson(join(FIXTURES, `chart-templates/${id}.json`));
    const write = async (folder: string, description: string) => {
      await mkdir(folder, { recursive: true });
      await jsonFile(folder, `${id}.json`, { ...bundled, description });
    };
    const kindAfter = async (prepare: (cwd: string) => Promise<unknown>, ...flags: string[]) => {
      const cwd = await emptyFolder(onTestFinished);
      const file = await jsonFile(cwd, 'flow_run.json', flowRun());
      await prepare(cwd);
      const { summary } = await runForSummary(cwd, file, ...flags);
      const manifest = await new CliWorkspace(cwd).manifest(summary.outputsManifestGcsUri);
      return manifest.items[0]?.kind;
    };
    const inFolder = (cwd: string) => write(join(cwd, 'mine'), 'from the folder');
    const inBoth = async (cwd: string) => {
      await inFolder(cwd);
      const collection = join(new CliWorkspace(cwd).root, 'firestore/chart_templates');
      await write(collection, 'from the workspace');
    };
    expect(await kindAfter(inFolder)).toBe(bundled.description);
    expect(await kindAfter(inFolder, '--templates-dir', 'mine')).toBe('from the folder');
    expect(await kindAfter(inBoth, '--templates-dir', 'mine')).toBe('from the workspace');
  });

  test("a recording of the user's wins over the bundled one", async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const mine = await readFile(join(CHARTS, 'BINANCE_BTCUSDT__4h__ctpl_price_ma1226_vol_v1.png'));
    await writeFile(join(cwd, 'BINANCE_BTCUSDT__1h__ctpl_price_ma1226_vol_v1.png'), mine);
    const file = await jsonFile(cwd, 'flow_run.json', flowRun());
    const { summary } = await runForSummary(cwd, file, '--fixtures-dir', '.');
    const drawn = await new CliWorkspace(cwd).object(summary.items[0]?.pngGcsUri ?? '');
    expect(drawn.equals(mine)).toBe(true);
  });
});

describe('a run of several steps', () => {
  test('does the first one that is ready and not blocked, then has none left', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const workspace = new CliWorkspace(cwd);
    const first = await runForSummary(cwd, SEVERAL);
    expect(first.exitCode).toBe(0);
    expect(first.summary).toMatchObject({ stepId: 'charts:1W:trend', itemsCount: 2 });
    const blocked = logLines(first.stderr).find(({ event }) => event === 'depends_on_blocked');
    expect(blocked).toMatchObject({ stepId: 'charts:1M:trend', blockedBy: ['ohlcv:1M (RUNNING)'] });

    const second = await runForSummary(cwd, SEVERAL);
    expect(second.exitCode).toBe(3);
    expect(second.summary).toMatchObject({ status: null, stepId: null, noop: true });
    expect(second.summary.message).toContain('ohlcv:1M (RUNNING)');
    const given = await readJson(SEVERAL);
    expect(await workspace.document('flow_runs', SEVERAL_RUN)).toEqual({
      ...given,
      steps: {
        ...given.steps,
        'charts:1W:trend': expect.objectContaining({ status: 'SUCCEEDED' }),
      },
    });
  });

  test('a blocked step is not done although it is named, but with --ignore-dependencies', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const named = ['--step-id', 'charts:1M:trend'];
    const blocked = await runForSummary(cwd, SEVERAL, ...named);
    expect(blocked.exitCode).toBe(3);
    expect(blocked.summary).toMatchObject({ status: 'READY', stepId: 'charts:1M:trend' });
    const done = await runForSummary(cwd, SEVERAL, ...named, '--ignore-dependencies');
    expect(done.exitCode).toBe(0);
    expect(done.summary).toMatchObject({ status: 'SUCCEEDED', stepId: 'charts:1M:trend' });
  });

  test('--replay has to be told which one', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await runLocal(cwd, SEVERAL);
    const before = await filesIn(cwd);
    const { exitCode, summary } = await runForSummary(cwd, SEVERAL, '--replay');
    expect(exitCode).toBe(2);
    expect(summary).toMatchObject({ status: null, errorCode: 'CONFIG_ERROR' });
    expect(summary.message).toMatch(/--step-id: charts:1M:trend, charts:1W:trend$/);
    expect(await filesIn(cwd)).toEqual(before);
    const named = await runForSummary(cwd, SEVERAL, '--replay', '--step-id', 'charts:1W:trend');
    expect(named.exitCode).toBe(0);
    expect(named.summary).toMatchObject({ status: 'SUCCEEDED', noop: false });
  });

  test('the first by code unit comes first, whatever the order in the file', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const step = (flowRun().steps as Record<string, JsonObject>)['charts:1H:test'];
    const steps = Object.fromEntries(
      ['a:lower', 'b', 'Z:upper', '10', '9'].map((id) => [id, step]),
    );
    const file = await jsonFile(cwd, 'flow_run.json', { ...flowRun(), steps });
    const order = [];
    for (let round = 0; round < 5; round++) {
      order.push((await runForSummary(cwd, file)).summary.stepId);
    }
    expect(order).toEqual(['10', '9', 'Z:upper', 'a:lower', 'b']);
    expect(await runForSummary(cwd, file)).toMatchObject({
      exitCode: 0,
      summary: { status: 'SUCCEEDED', noop: true, stepId: null },
    });
  });
});

describe('--dry-run', () => {
  test('prints the plan and writes nothing, not even a workspace', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, summary } = await runForSummary(cwd, FIVE, '--dry-run', '--out', 'charts');
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'READY', dryRun: true, noop: true, minImages: 3 });
    expect(summary.plan).toHaveLength(5);
    expect(summary.plan?.[0]).toMatchObject({
      chartTemplateId: 'ctpl_price_ma1226_vol_v1',
      action: 'render',
      chartImgSymbol: 'BINANCE:BTCUSDT',
      interval: '1D',
      objectName: expect.stringMatching(
        /^charts\/20251221-130000_BTCUSDT_five\/charts:1D:all\/.*_BTCUSDT_1d_ctpl_price_ma1226_vol_v1\.png$/,
      ),
      error: null,
    });
    expect(await readdir(cwd)).toEqual([]);
  });

  test('says what would fail, and ends as the run would', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const requests = [{ chartTemplateId: 'ctpl_price_ma1226_vol_v1' }, { chartTemplateId: 'none' }];
    const file = await jsonFile(cwd, 'run.json', flowRun({ inputs: { minImages: 2, requests } }));
    const before = await filesIn(cwd);
    const { exitCode, summary } = await runForSummary(cwd, file, '--dry-run');
    expect(exitCode).toBe(1);
    expect(summary).toMatchObject({ errorCode: 'VALIDATION_FAILED', dryRun: true });
    expect(summary.plan?.map(({ action }) => action)).toEqual(['render', 'fail']);
    expect(summary.plan?.[1]?.error).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await filesIn(cwd)).toEqual(before);
  });

  test('of a done step and of a replay leaves the workspace as it is', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    await runLocal(cwd, FIVE);
    const before = await filesIn(cwd);
    const done = await runForSummary(cwd, FIVE, '--dry-run', '--step-id', FIVE_STEP);
    expect(done).toMatchObject({ exitCode: 0, summary: { status: 'SUCCEEDED', noop: true } });
    const replay = await runForSummary(cwd, FIVE, '--dry-run', '--replay');
    expect(replay.exitCode).toBe(0);
    expect(replay.summary.plan?.map(({ action }) => action)).toEqual(Array(5).fill('render'));
    expect(await filesIn(cwd)).toEqual(before);
  });
});
