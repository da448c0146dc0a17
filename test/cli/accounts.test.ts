import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { JsonObject, RunSummary } from '../../src/contracts/documents.js';
import {
  emptyFolder,
  flowRun,
  jsonFile,
  type LogLine,
  logLines,
  runCli,
} from '../support/cli-run.js';
import { CliWorkspace, summaryOn } from '../support/cli-workspace.js';

const MINIMAL = fileURLToPath(new URL('../../fixtures/flow-runs/minimal.json', import.meta.url));
const FIVE = fileURLToPath(
  new URL('../../fixtures/flow-runs/five-templates.json', import.meta.url),
);
const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:ctpl_price_ma1226_vol_v1';
const KEY = 'not-a-real-key-0123456789';
const SPECIAL_KEY = 'not/a+real?key&0123456789~~>>';

interface Scene {
  readonly cwd: string;
  readonly workspace: CliWorkspace;
  readonly accounts: readonly JsonObject[];
  readonly file?: string;
  readonly flags?: readonly string[];
}

interface Done {
  readonly exitCode: number | null;
  readonly summary: RunSummary;
  readonly log: readonly LogLine[];
  readonly stdout: string;
  readonly stderr: string;
}

async function newScene(
  onTestFinished: (undo: () => Promise<void>) => void,
  accounts: readonly JsonObject[],
): Promise<Scene> {
  const cwd = await emptyFolder(onTestFinished);
  return { cwd, workspace: new CliWorkspace(cwd), accounts };
}

async function run({ cwd, accounts, file = MINIMAL, flags = [] }: Scene): Promise<Done> {
  const path = await jsonFile(cwd, 'accounts.json', accounts);
  const argv = ['run-local', '--flow-run-path', file, '--accounts-config-path', path];
  const more = ['--output-summary', 'json', '--verbose', '--charts-bucket', 'gs://demo', ...flags];
  const ended = await runCli([...argv, ...more], { cwd });
  return { ...ended, summary: summaryOn(ended.stdout), log: logLines(ended.stderr) };
}

/** For the minimal run, whose dependency is nowhere in it. */
const NAMED = ['--step-id', STEP_ID];

async function writeUsage({ workspace }: Scene, accountId: string, usage: JsonObject) {
  const path = workspace.documentPath('chart_img_accounts_usage', accountId);
  await mkdir(dirname(path), { recursive: true });
  await jsonFile(dirname(path), `${accountId}.json`, usage);
}

/** What holds on one UTC day: done again in a new scene where midnight came in between. */
async function onOneDay(round: (today: string) => Promise<() => Promise<void> | void>) {
  for (;;) {
    const today = new Date().toISOString().slice(0, 10);
    const judge = await round(today);
    if (new Date().toISOString().startsWith(today)) return judge();
  }
}

/** The charts that each account was asked for. */
function callsOf(log: readonly LogLine[]): unknown[][] {
  return log
    .filter(({ event }) => event === 'chart_api_call_finished')
    .map(({ accountId, chartTemplateId, ok, httpStatus }) => [
      accountId,
      chartTemplateId,
      ok,
      httpStatus,
    ])
    .sort();
}

function ethRun(...chartTemplateIds: string[]): JsonObject {
  const requests = chartTemplateIds.map((chartTemplateId) => ({ chartTemplateId }));
  return { ...flowRun({ inputs: { minImages: 1, requests } }), scope: { symbol: 'ETHUSDT' } };
}

describe('the ledger', () => {
  test('counts one unit for the one chart of the documentation', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    await jsonFile(cwd, 'A', [{ id: 'acc-1', apiKey: 'x', dailyLimit: 50 }]);
    const argv = ['run-local', '--flow-run-path', MINIMAL, '--step-id', STEP_ID];
    const flags = '--charts-bucket gs://demo --charts-api-mode mock --accounts-config-path A';
    const { exitCode, stdout } = await runCli([...argv, ...flags.split(' ')], { cwd });
    expect(exitCode).toBe(0);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `CHART_EXPORT SUCCEEDED: manifest=gs://demo/charts/${RUN_ID}/${STEP_ID}/manifest.json, items=1, failures=0, minImages=1`,
    );
    const usage = await new CliWorkspace(cwd).document('chart_img_accounts_usage', 'acc-1');
    expect(usage).toStrictEqual({
      usageToday: 1,
      windowStart: expect.stringMatching(/^\d{4}-\d\d-\d\dT00:00:00Z$/),
    });
  });

  test('counts nothing for a no-op, and again for a replay', async ({ onTestFinished }) => {
    await onOneDay(async () => {
      const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY }]);
      await run({ ...scene, flags: NAMED });
      await run({ ...scene, flags: NAMED });
      const afterNoop = await scene.workspace.unitsUsed('acc-1');
      await run({ ...scene, flags: [...NAMED, '--replay'] });
      const afterReplay = await scene.workspace.unitsUsed('acc-1');
      return () => expect([afterNoop, afterReplay]).toEqual([1, 2]);
    });
  });

  test('is not written by a dry run', async ({ onTestFinished }) => {
    const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY }]);
    const { exitCode } = await run({ ...scene, flags: [...NAMED, '--dry-run'] });
    expect(exitCode).toBe(0);
    expect(await readdir(scene.cwd)).toEqual(['accounts.json']);
  });

  test('is not written where there are no accounts', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode } = await runCli(['run-local', '--flow-run-path', FIVE], { cwd });
    expect(exitCode).toBe(0);
    const collections = await readdir(join(new CliWorkspace(cwd).root, 'firestore'));
    expect(collections).toContain('flow_runs');
    expect(collections).not.toContain('chart_img_accounts_usage');
  });

  test('takes the accounts from the environment, too', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const env = { CHART_IMG_ACCOUNTS_JSON: JSON.stringify([{ id: 'acc-env', apiKey: KEY }]) };
    const { exitCode } = await runCli(['run-local', '--flow-run-path', FIVE], { cwd, env });
    expect(exitCode).toBe(0);
    expect(await new CliWorkspace(cwd).unitsUsed('acc-env')).toBe(5);
  });

  test('begins anew on a new day and keeps the fields of another worker', async ({
    onTestFinished,
  }) => {
    await onOneDay(async (today) => {
      const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY }]);
      const theirs = { _lock: { by: 'python' }, updatedBy: 'py-worker', dailyLimit: 44 };
      await writeUsage(scene, 'acc-1', {
        ...theirs,
        usageToday: 44,
        windowStart: '2020-01-01T00:00:00+00:00',
      });
      const { exitCode } = await run({ ...scene, flags: NAMED });
      const usage = await scene.workspace.document('chart_img_accounts_usage', 'acc-1');
      return () => {
        expect(exitCode).toBe(0);
        expect(usage).toStrictEqual({
          ...theirs,
          usageToday: 1,
          windowStart: `${today}T00:00:00Z`,
        });
      };
    });
  });

  test('goes on from what another worker counted today', async ({ onTestFinished }) => {
    await onOneDay(async (today) => {
      const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY }]);
      const windowStart = `${today}T00:00:00+00:00`;
      await writeUsage(scene, 'acc-1', { usageToday: 17, windowStart, source: 'python' });
      await run({ ...scene, file: FIVE });
      const usage = await scene.workspace.document('chart_img_accounts_usage', 'acc-1');
      return () => expect(usage).toMatchObject({ usageToday: 22, source: 'python' });
    });
  });
});

describe('without quota left', () => {
  test.for([
    { what: 'the configured limit', account: { dailyLimit: 50 }, usage: { usageToday: 50 } },
    { what: "the document's own limit", account: {}, usage: { usageToday: 3, dailyLimit: 3 } },
    { what: '44 without a plan', account: {}, usage: { usageToday: 44 } },
    { what: '95 % of the plan', account: { plan: 'BASIC' }, usage: { usageToday: 47 } },
    { what: 'a count that cannot be read', account: {}, usage: { usageToday: 'many' } },
  ])('$what: the step fails, and its manifest says so', async (row, { onTestFinished }) => {
    await onOneDay(async (today) => {
      const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY, ...row.account }]);
      const usage = { ...row.usage, windowStart: `${today}T00:00:00Z` };
      await writeUsage(scene, 'acc-1', usage);
      const { exitCode, summary, log } = await run({ ...scene, flags: NAMED });
      const manifest = await scene.workspace.manifest(summary.outputsManifestGcsUri);
      const step = await scene.workspace.step(RUN_ID, STEP_ID);
      const usageNow = await scene.workspace.document('chart_img_accounts_usage', 'acc-1');
      return () => {
        const code = 'CHART_API_LIMIT_EXCEEDED';
        expect(exitCode).toBe(1);
        expect(summary).toMatchObject({ status: 'FAILED', errorCode: code, itemsCount: 0 });
        expect(manifest.items).toEqual([]);
        expect(manifest.failures).toMatchObject([
          { request: { chartTemplateId: 'ctpl_price_ma1226_vol_v1' }, error: { code } },
        ]);
        expect(step).toMatchObject({
          status: 'FAILED',
          error: { code },
          outputs: { outputsManifestGcsUri: summary.outputsManifestGcsUri },
          finishedAt: expect.any(String),
        });
        expect(usageNow).toEqual(usage);
        expect(callsOf(log)).toEqual([]);
        const dry = log.filter(({ event }) => event === 'chart_api_limit_exceeded');
        expect(dry).toMatchObject([{ severity: 'ERROR', error: { code } }]);
      };
    });
  });

  test('one unit below the limit the step is done', async ({ onTestFinished }) => {
    await onOneDay(async (today) => {
      const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY, dailyLimit: 50 }]);
      await writeUsage(scene, 'acc-1', { usageToday: 49, windowStart: `${today}T00:00:00Z` });
      const { exitCode } = await run({ ...scene, flags: NAMED });
      const used = await scene.workspace.unitsUsed('acc-1');
      return () => expect([exitCode, used]).toEqual([0, 50]);
    });
  });

  test('does not spend what there is on a step that cannot come to its minImages', async ({
    onTestFinished,
  }) => {
    const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY, dailyLimit: 2 }]);
    const { exitCode, summary, log } = await run({ ...scene, file: FIVE });
    expect(exitCode).toBe(1);
    expect(summary).toMatchObject({
      errorCode: 'CHART_API_LIMIT_EXCEEDED',
      itemsCount: 0,
      failuresCount: 5,
    });
    expect(callsOf(log)).toEqual([]);
    expect((await scene.workspace.unitsUsed('acc-1')) ?? 0).toBe(0);
  });

  test('renders as many as the quota gives where they are enough', async ({ onTestFinished }) => {
    const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY, dailyLimit: 3 }]);
    const { exitCode, summary, log } = await run({ ...scene, file: FIVE });
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 3, failuresCount: 2 });
    expect(summary.failures.map(({ code }) => code)).toEqual(
      Array(2).fill('CHART_API_LIMIT_EXCEEDED'),
    );
    expect(callsOf(log)).toHaveLength(3);
    expect(await scene.workspace.unitsUsed('acc-1')).toBe(3);
  });
});

describe('two accounts', () => {
  test('the lower priority is used first, the other one for the rest', async ({
    onTestFinished,
  }) => {
    const scene = await newScene(onTestFinished, [
      { id: 'spare', apiKey: `${KEY}-spare`, priority: 2 },
      { id: 'first', apiKey: `${KEY}-first`, priority: 1, dailyLimit: 2 },
    ]);
    const { exitCode } = await run({ ...scene, file: FIVE });
    expect(exitCode).toBe(0);
    expect(await scene.workspace.unitsUsed('first')).toBe(2);
    expect(await scene.workspace.unitsUsed('spare')).toBe(3);
  });

  test('of equal priority the one with more left goes first', async ({ onTestFinished }) => {
    const scene = await newScene(onTestFinished, [
      { id: 'small', apiKey: `${KEY}-small`, dailyLimit: 2 },
      { id: 'large', apiKey: `${KEY}-large`, dailyLimit: 40 },
    ]);
    await run({ ...scene, flags: NAMED });
    expect(await scene.workspace.unitsUsed('large')).toBe(1);
    expect((await scene.workspace.unitsUsed('small')) ?? 0).toBe(0);
  });

  test('one that the provider calls exhausted is left for the day, and the next is asked', async ({
    onTestFinished,
  }) => {
    await onOneDay(async (today) => {
      const scene = await newScene(onTestFinished, [
        { id: 'acc-1', apiKey: `${KEY}-1`, dailyLimit: 50, priority: 1 },
        { id: 'acc-2', apiKey: `${KEY}-2`, dailyLimit: 50, priority: 2 },
      ]);
      const file = await jsonFile(scene.cwd, 'eth.json', ethRun('ctpl_price_ma1226_vol_v1'));
      const { exitCode, summary, log } = await run({ ...scene, file });
      const usages = await Promise.all(
        ['acc-1', 'acc-2'].map((id) => scene.workspace.document('chart_img_accounts_usage', id)),
      );
      const second = await jsonFile(scene.cwd, 'eth.json', {
        ...ethRun('ctpl_price_psar_adi_v1'),
        runId: '20251221-120000_ETHUSDT_next',
      });
      const next = await run({ ...scene, file: second });
      return () => {
        expect(exitCode).toBe(1);
        expect(summary).toMatchObject({ errorCode: 'CHART_API_LIMIT_EXCEEDED', itemsCount: 0 });
        const template = 'ctpl_price_ma1226_vol_v1';
        expect(callsOf(log)).toEqual([
          ['acc-1', template, false, 429],
          ['acc-2', template, false, 429],
        ]);
        for (const usage of usages) {
          expect(usage.exhaustedOn).toBe(today);
          expect(usage.usageToday).toBeGreaterThanOrEqual(50);
        }
        expect(log.find(({ event }) => event === 'chart_api_limit_exceeded')).toMatchObject({
          exhaustedAccounts: ['acc-1', 'acc-2'],
        });
        expect(next.exitCode).toBe(1);
        expect(next.summary.errorCode).toBe('CHART_API_LIMIT_EXCEEDED');
        expect(callsOf(next.log)).toEqual([]);
      };
    });
  });

  test('a chart that nobody can draw fails at once and costs one unit', async ({
    onTestFinished,
  }) => {
    const scene = await newScene(onTestFinished, [
      { id: 'acc-1', apiKey: `${KEY}-1`, priority: 1 },
      { id: 'acc-2', apiKey: `${KEY}-2`, priority: 2 },
    ]);
    const file = await jsonFile(scene.cwd, 'eth.json', ethRun('ctpl_price_psar_adi_v1'));
    const { exitCode, summary, log } = await run({ ...scene, file });
    expect(exitCode).toBe(1);
    expect(summary.failures).toMatchObject([
      { code: 'CHART_API_FAILED', message: expect.stringContaining('Invalid Symbol') },
    ]);
    expect(callsOf(log)).toEqual([['acc-1', 'ctpl_price_psar_adi_v1', false, 422]]);
    expect(await scene.workspace.unitsUsed('acc-1')).toBe(1);
    expect((await scene.workspace.unitsUsed('acc-2')) ?? 0).toBe(0);
    const manifest = await scene.workspace.manifest(summary.outputsManifestGcsUri);
    expect(manifest.failures[0]?.error.details).toEqual({
      chartTemplateId: 'ctpl_price_psar_adi_v1',
      symbol: 'BINANCE:ETHUSDT',
      httpStatus: 422,
      providerMessage: 'Invalid Symbol',
    });
  });

  test('what an error takes from one chart is not taken from the others', async ({
    onTestFinished,
  }) => {
    const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: KEY }]);
    const eth = ethRun('ctpl_price_psar_adi_v1', 'ctpl_price_vpvr_obv_v1');
    const file = await jsonFile(scene.cwd, 'eth.json', eth);
    const drawn = 'BINANCE_BTCUSDT__1h__ctpl_price_vpvr_obv_v1.png';
    const folder = new URL(
      '../../fixtures/chart-api/chart-img/advanced-chart-v2/',
      import.meta.url,
    );
    await copyFile(new URL(drawn, folder), join(scene.cwd, drawn.replace('BTC', 'ETH')));
    const { exitCode, summary } = await run({ ...scene, file, flags: ['--fixtures-dir', '.'] });
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 1, failuresCount: 1 });
    expect(await scene.workspace.unitsUsed('acc-1')).toBe(2);
  });
});

describe('no key is found', () => {
  /** As it is, URL-encoded, in base64 and base64url, padded or not. */
  function formsOf(key: string): string[] {
    const bytes = Buffer.from(key);
    const padded = bytes.toString('base64');
    return [
      key,
      encodeURIComponent(key),
      padded.replaceAll('=', ''),
      bytes.toString('base64url'),
      JSON.stringify(key).slice(1, -1),
    ];
  }

  async function textsOf(scene: Scene, { stdout, stderr }: Done): Promise<Map<string, string>> {
    const texts = new Map([
      ['stdout', stdout],
      ['stderr', stderr],
    ]);
    const entries = await readdir(scene.workspace.root, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((candidate) => candidate.isFile())) {
      const path = join(entry.parentPath, entry.name);
      texts.set(path, `${path}\n${await readFile(path, 'latin1')}`);
    }
    return texts;
  }

  test.for([
    { what: 'a chart that came', key: KEY, file: undefined },
    { what: 'a chart that came, with a key to escape', key: SPECIAL_KEY, file: undefined },
    { what: 'a 429', key: KEY, file: ethRun('ctpl_price_ma1226_vol_v1') },
    { what: 'a 422', key: SPECIAL_KEY, file: ethRun('ctpl_price_psar_adi_v1') },
    // Whoever pastes the key into a wrong place.
    { what: 'a template named like the key', key: KEY, file: ethRun(KEY) },
    { what: 'a timeframe that is the key', key: KEY, file: flowRun({ timeframe: KEY }) },
  ])('in any text after $what', async ({ key, file }, { onTestFinished }) => {
    const scene = await newScene(onTestFinished, [{ id: 'acc-1', apiKey: key }]);
    const path = file && (await jsonFile(scene.cwd, 'flow_run.json', file));
    const given = JSON.stringify(file ?? {}).includes(key);
    const done = await run({ ...scene, ...(path ? { file: path } : { flags: NAMED }) });
    expect(done.summary.runId).toBe(RUN_ID);
    for (const [name, text] of await textsOf(scene, done)) {
      // What the user wrote into the run is the user's: the document is kept as it was given.
      if (given && !name.startsWith('std')) continue;
      for (const form of formsOf(key))
        expect(text.includes(form), `${form} in ${name}`).toBe(false);
    }
  });

  test.for([
    ['a file that is not JSON', `[{"id":"acc-1","apiKey":"${KEY}"`],
    ['a key of the wrong type', JSON.stringify([{ id: 'acc-1', apiKey: [KEY] }])],
    ['a key with a space', JSON.stringify([{ id: 'acc-1', apiKey: `${KEY} x` }])],
    ['the key twice', JSON.stringify([1, 2].map((n) => ({ id: `acc-${n}`, apiKey: KEY })))],
    ['the key as the id', JSON.stringify([{ id: `${KEY}/`, apiKey: KEY }])],
    ['the key as a field', JSON.stringify([{ id: 'acc-1', apiKey: KEY, plan: KEY }])],
    ['the key as the name of a field', JSON.stringify([{ id: 'acc-1', [KEY]: 1 }])],
  ])('in what is said of %s', async ([, accounts = ''], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const env = { CHART_IMG_ACCOUNTS_JSON: accounts };
    const argv = ['run-local', '--flow-run-path', FIVE, '--output-summary', 'json', '--verbose'];
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd, env });
    expect(exitCode).toBe(2);
    expect(summaryOn(stdout).message).toContain('CHART_IMG_ACCOUNTS_JSON');
    for (const form of formsOf(KEY)) expect(stdout + stderr).not.toContain(form);
    expect(await readdir(cwd)).toEqual([]);
  });
});
