import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { emptyFolder, flowRun, jsonFile, logLines, runCli } from '../support/cli-run.js';
import { CliWorkspace, summaryOn } from '../support/cli-workspace.js';

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:test';
const MANIFEST = `gs://local/charts/${RUN_ID}/${STEP_ID}/manifest.json`;

const NO_FIXTURE = 'ctpl_mine_v1';
const NO_TEMPLATE = 'ctpl_nowhere_v1';
const GOOD = 'ctpl_price_ma1226_vol_v1';
const LOOKED_FOR = `BINANCE_BTCUSDT__1h__${NO_FIXTURE}.png`;

/** Three charts of which one has no fixture and one no template. */
async function runThree(cwd: string, minImages: number | undefined, order: readonly string[]) {
  await jsonFile(cwd, `${NO_FIXTURE}.json`, {
    id: NO_FIXTURE,
    description: 'nobody recorded it',
    chartImgSymbolTemplate: 'BINANCE:{symbol}',
    request: {},
  });
  const requests = order.map((chartTemplateId) => ({ chartTemplateId }));
  const run = flowRun({ inputs: { ...(minImages !== undefined && { minImages }), requests } });
  const file = await jsonFile(cwd, 'flow_run.json', run);
  const argv = ['run-local', '--flow-run-path', file, '--templates-dir', '.'];
  const ended = await runCli([...argv, '--output-summary', 'json'], { cwd });
  const workspace = new CliWorkspace(cwd);
  return {
    ...ended,
    summary: summaryOn(ended.stdout),
    manifest: await workspace.manifest(MANIFEST),
    step: await workspace.step(RUN_ID, STEP_ID),
    objects: await workspace.objects(),
  };
}

const FAILURES = [
  {
    request: { chartTemplateId: NO_FIXTURE },
    error: {
      code: 'CHART_API_MOCK_MISSING',
      message: expect.stringContaining(LOOKED_FOR),
    },
  },
  {
    request: { chartTemplateId: NO_TEMPLATE },
    error: { code: 'VALIDATION_FAILED', message: expect.stringContaining(NO_TEMPLATE) },
  },
];

describe('a chart without a fixture, one without a template and one that comes', () => {
  const order = [NO_FIXTURE, NO_TEMPLATE, GOOD];

  test('are enough for minImages 1', async ({ onTestFinished }) => {
    const done = await runThree(await emptyFolder(onTestFinished), 1, order);
    expect(done.exitCode).toBe(0);
    expect(done.summary).toMatchObject({
      status: 'SUCCEEDED',
      errorCode: null,
      itemsCount: 1,
      failuresCount: 2,
      minImages: 1,
      items: [{ chartTemplateId: GOOD }],
      failures: FAILURES.map(({ request, error }) => ({ ...request, ...error })),
      outputsManifestGcsUri: MANIFEST,
    });
    expect(done.manifest.items).toMatchObject([{ chartTemplateId: GOOD }]);
    expect(done.manifest.failures).toMatchObject(FAILURES);
    expect(done.manifest.requested.map(({ chartTemplateId }) => chartTemplateId)).toEqual(order);
    expect(done.step).toMatchObject({
      status: 'SUCCEEDED',
      outputs: { outputsManifestGcsUri: MANIFEST },
      finishedAt: expect.any(String),
    });
    expect(done.step).not.toHaveProperty('error');
    expect(done.objects).toHaveLength(2);
  });

  test.for([[2], [3], [undefined]])(
    'are too few for minImages %s',
    async ([minImages], context) => {
      const done = await runThree(await emptyFolder(context.onTestFinished), minImages, order);
      const { code, message } = FAILURES[0]?.error ?? {};
      expect(done.exitCode).toBe(1);
      expect(done.summary).toMatchObject({
        status: 'FAILED',
        errorCode: code,
        message,
        itemsCount: 1,
        failuresCount: 2,
        minImages: minImages ?? 3,
        outputsManifestGcsUri: MANIFEST,
      });
      expect(done.manifest.items).toMatchObject([{ chartTemplateId: GOOD }]);
      expect(done.manifest.failures).toMatchObject(FAILURES);
      expect(done.step).toMatchObject({
        status: 'FAILED',
        error: { code, message },
        outputs: { outputsManifestGcsUri: MANIFEST },
        finishedAt: expect.any(String),
      });
      expect(done.objects).toHaveLength(2);
    },
  );

  test('fail in the order in which they were asked for', async ({ onTestFinished }) => {
    const turned = [GOOD, NO_TEMPLATE, NO_FIXTURE];
    const done = await runThree(await emptyFolder(onTestFinished), 2, turned);
    expect(done.manifest.failures).toMatchObject([...FAILURES].reverse());
    expect(done.summary.failures.map(({ chartTemplateId }) => chartTemplateId)).toEqual([
      NO_TEMPLATE,
      NO_FIXTURE,
    ]);
    expect(done.summary.errorCode).toBe('VALIDATION_FAILED');
    expect(done.step.error).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  test('are told one by one, to people and to the log', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { stderr } = await runThree(cwd, 1, order);
    const log = logLines(stderr);
    expect(log.find(({ event }) => event === 'chart_api_mock_missing')).toMatchObject({
      severity: 'WARNING',
      chartTemplateId: NO_FIXTURE,
      message: expect.stringContaining(LOOKED_FOR),
    });
    expect(log.find(({ event }) => event === 'step_completed')).toMatchObject({
      status: 'SUCCEEDED',
      itemsCount: 1,
      failuresCount: 2,
      calls: { ok: 1, failed: 0 },
    });
    const flags = ['--replay', '--templates-dir', '.', '--log-format', 'pretty'];
    const again = await runCli(['run-local', '--flow-run-path', 'flow_run.json', ...flags], {
      cwd,
    });
    expect(again.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^ok +${GOOD} .*\\(800×600, \\d+ kB\\)$`)),
      expect.stringMatching(
        new RegExp(`^failed +${NO_FIXTURE} +CHART_API_MOCK_MISSING: .*${LOOKED_FOR}`),
      ),
      expect.stringMatching(new RegExp(`^failed +${NO_TEMPLATE} +VALIDATION_FAILED: `)),
      expect.stringMatching(/^manifest +\.worker-chart-export\/.*\/manifest\.json$/),
      `CHART_EXPORT SUCCEEDED: manifest=${MANIFEST}, items=1, failures=2, minImages=1`,
    ]);
    for (const id of order) expect(again.stderr).toContain(id);
  });
});

describe('a chart whose template or recording is damaged', () => {
  test.for([
    { what: 'is not JSON', text: '{"id":', message: /not JSON|must be object/ },
    {
      what: 'belongs to another id',
      template: { id: 'other', description: 'x', chartImgSymbolTemplate: '{symbol}', request: {} },
      message: /id: must be ctpl_mine_v1, not other/,
    },
    {
      what: 'has no {symbol}',
      template: { id: NO_FIXTURE, description: 'x', chartImgSymbolTemplate: 'B:X', request: {} },
      message: /chartImgSymbolTemplate: /,
    },
  ])('fails alone where the template $what', async (row, { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await writeFile(`${cwd}/${NO_FIXTURE}.json`, row.text ?? JSON.stringify(row.template));
    const requests = [{ chartTemplateId: NO_FIXTURE }, { chartTemplateId: GOOD }];
    const file = await jsonFile(cwd, 'run.json', flowRun({ inputs: { minImages: 1, requests } }));
    const argv = ['run-local', '--flow-run-path', file, '--templates-dir', '.'];
    const { exitCode, stdout } = await runCli([...argv, '--output-summary', 'json'], { cwd });
    expect(exitCode).toBe(0);
    expect(summaryOn(stdout).failures).toMatchObject([
      { code: 'VALIDATION_FAILED', message: expect.stringMatching(row.message) },
    ]);
  });

  test.for([
    ['is not a PNG', Buffer.from('<html>')],
    ['is empty', Buffer.alloc(0)],
  ] as const)('fails where the recording %s, and no PNG is stored', async ([, bytes], context) => {
    const cwd = await emptyFolder(context.onTestFinished);
    await writeFile(`${cwd}/BINANCE_BTCUSDT__1h__${GOOD}.png`, bytes);
    const file = await jsonFile(cwd, 'run.json', flowRun());
    const argv = ['run-local', '--flow-run-path', file, '--fixtures-dir', '.'];
    const { exitCode, stdout } = await runCli([...argv, '--output-summary', 'json'], { cwd });
    expect(exitCode).toBe(1);
    expect(summaryOn(stdout)).toMatchObject({ errorCode: 'CHART_API_FAILED', itemsCount: 0 });
    expect(await new CliWorkspace(cwd).objects()).toEqual([
      expect.stringMatching(/manifest\.json$/),
    ]);
  });
});
