import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { annotations, stepSummaryOf } from '../../src/cli/github.js';
import { viewOf } from '../../src/cli/outcome-view.js';
import { toSummary } from '../../src/cli/summary.js';
import { paths } from '../../src/documents/paths.js';
import type { StepError, StepOutcome } from '../../src/engine/outcome.js';
import { emptyFolder, flowRun, jsonFile, runCli } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { GcpScene } from '../support/gcp-scene.js';

type OnTestFinished = (undo: () => Promise<void>) => void;

const GOOD = 'ctpl_price_ma1226_vol_v1';
const RUN_ID = '20251221-120000_BTCUSDT_demo';
const HOSTILE = '100% |\r\n::error::x, <b>[a](b)';

/** A step of charts of which only the first can be had, its command line, and GitHub's variables. */
async function job(onTestFinished: OnTestFinished, failing: readonly string[], minImages = 1) {
  const cwd = await emptyFolder(onTestFinished);
  const requests = [GOOD, ...failing].map((chartTemplateId) => ({ chartTemplateId }));
  await jsonFile(cwd, 'flow_run.json', flowRun({ inputs: { minImages, requests } }));
  const summary = join(cwd, 'step-summary.md');
  await writeFile(summary, '# what stood there\n');
  return {
    cwd,
    argv: ['run-local', '--flow-run-path', 'flow_run.json', '--quiet'],
    env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary },
    written: () => readFile(summary, 'utf8'),
  };
}

function commands(stderr: string): string[] {
  return stderr.split(/\r|\n/).filter((line) => line.includes('::'));
}

/** As the runner reads one. */
function understood(line: string) {
  const [, title = '', message = ''] = /^::error title=([^:,]*)::(.*)$/.exec(line) ?? [];
  const plain = (text: string) =>
    text
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%3A', ':')
      .replaceAll('%2C', ',')
      .replaceAll('%25', '%');
  return { title: plain(title), message: plain(message) };
}

describe('on GitHub', () => {
  test('a chart that failed is an annotation on stderr; stdout is the summary', async ({
    onTestFinished,
  }) => {
    const { cwd, argv, env, written } = await job(onTestFinished, ['ctpl_none']);
    const flags = ['--output-summary', 'json'];
    const { exitCode, stdout, stderr } = await runCli([...argv, ...flags], { cwd, env });
    expect(exitCode).toBe(0);
    const { failures } = summaryOn(stdout);
    expect(commands(stderr).map(understood)).toEqual([
      { title: `ctpl_none: ${failures[0]?.code}`, message: failures[0]?.message },
    ]);
    const markdown = await written();
    expect(markdown).toMatch(/^# what stood there\n### CHART\\_EXPORT SUCCEEDED\n/);
    expect(markdown).toMatch(/^\| ✔ ctpl\\_price\\_ma1226\\_vol\\_v1 \| .+800×600, \d+ kB \|$/m);
    expect(markdown).toMatch(/^\| ✖ ctpl\\_none \| .+ \|$/m);
    expect(markdown).toMatch(/^1 charts?, 1 failures?, 1 needed, \d+ ms$/m);
  });

  test('what the provider said cannot write commands, nor leave its cell', async ({
    onTestFinished,
  }) => {
    const { cwd, argv, env, written } = await job(onTestFinished, []);
    await mkdir(join(cwd, 'fixtures'));
    const recorded = { status: 422, body: { message: HOSTILE } };
    await jsonFile(cwd, `fixtures/BINANCE_BTCUSDT__1h__${GOOD}__422_WRONG.json`, recorded);
    const flags = ['--fixtures-dir', 'fixtures'];
    const { exitCode, stderr } = await runCli([...argv, ...flags], { cwd, env });
    expect(exitCode).toBe(1);
    expect(commands(stderr).filter((line) => !line.startsWith('{'))).toEqual([
      expect.stringMatching(
        /^::error title=ctpl_price_ma1226_vol_v1%3A CHART_API_FAILED::.*100%25/,
      ),
    ]);
    const rows = (await written()).split('\n').filter((line) => line.startsWith('| ✖'));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toContain('100% \\|');
    expect(rows[0]).toContain('\\<b\\>\\[a\\]\\(b\\)');
    expect(rows[0]?.replaceAll('\\|', '').match(/\|/g)).toHaveLength(3);
  });

  test.for([
    { failing: 10, shown: 10 },
    { failing: 11, shown: 10 },
    { failing: 30, shown: 10 },
  ])('$failing failures: $shown annotations', async ({ failing, shown }, context) => {
    const ids = Array.from({ length: failing }, (_, n) => `ctpl_none_${n}`);
    const { cwd, argv, env, written } = await job(context.onTestFinished, ids, 5);
    const { exitCode, stderr } = await runCli(argv, { cwd, env });
    expect(exitCode).toBe(1);
    const told = stderr
      .split('\n')
      .filter((line) => line.startsWith('::'))
      .map(understood);
    expect(told).toHaveLength(shown);
    const last = told.at(-1)?.title;
    if (failing === 10) expect(last).toMatch(/^ctpl_none_9: /);
    else expect(last).toBe(`${failing - 9} more charts failed`);
    expect((await written()).match(/^\| ✖ /gm)).toHaveLength(failing);
  });

  test.for([
    {
      what: 'wrong flags',
      flags: ['--concurrency', '0'],
      verdict: 'CONFIG\\_ERROR',
      says: /CONFIG_ERROR/,
    },
    {
      what: 'no such file',
      flags: ['--flow-run-path', 'no.json'],
      verdict: 'FAILED',
      says: /VALIDATION/,
    },
    {
      what: 'no such step',
      flags: ['--step-id', 'no'],
      verdict: 'FAILED',
      says: /^no: VALIDATION_FAILED$/,
    },
  ])('$what: one annotation', async ({ flags, verdict, says }, context) => {
    const { cwd, argv, env, written } = await job(context.onTestFinished, []);
    const { exitCode, stderr } = await runCli([...argv, ...flags], { cwd, env });
    expect(exitCode).toBe(2);
    const told = stderr
      .split('\n')
      .filter((line) => line.startsWith('::'))
      .map(understood);
    expect(told).toEqual([{ title: expect.stringMatching(says), message: expect.any(String) }]);
    expect((await written()).split('\n')).toContain(`### CHART\\_EXPORT ${verdict}`);
  });

  test('all is well: no annotation', async ({ onTestFinished }) => {
    const { cwd, argv, env } = await job(onTestFinished, []);
    const { exitCode, stderr } = await runCli(argv, { cwd, env });
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  test('a step summary that cannot be written is a warning', async ({ onTestFinished }) => {
    const { cwd, argv } = await job(onTestFinished, []);
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: cwd };
    const { exitCode, stderr } = await runCli(argv, { cwd, env });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/"severity":"WARNING".*GITHUB_STEP_SUMMARY .* it is a directory/);
  });
});

describe('--ci', () => {
  test.for([
    { what: 'github, elsewhere', env: {}, flags: ['--ci', 'github'], is: true },
    { what: 'none, there', env: { GITHUB_ACTIONS: 'true' }, flags: ['--ci', 'none'], is: false },
    { what: 'not given, elsewhere', env: {}, flags: [], is: false },
  ])('$what', async ({ env, flags, is }, context) => {
    const { cwd, argv, env: there, written } = await job(context.onTestFinished, ['ctpl_none']);
    const { GITHUB_STEP_SUMMARY } = there;
    const { exitCode, stderr } = await runCli([...argv, ...flags], {
      cwd,
      env: { GITHUB_STEP_SUMMARY, ...env },
    });
    expect(exitCode).toBe(0);
    expect(/^::error/m.test(stderr)).toBe(is);
    expect((await written()).includes('CHART')).toBe(is);
  });

  test('what it does not know is refused', async ({ onTestFinished }) => {
    const { cwd, argv } = await job(onTestFinished, []);
    const { exitCode, stderr } = await runCli([...argv, '--ci', 'gitlab'], { cwd });
    expect([exitCode, stderr]).toEqual([2, 'error: --ci: "gitlab" is not one of none, github\n']);
  });
});

describe('a title and a message', () => {
  const error: StepError = { code: 'CHART_API_FAILED', message: '50%, a:b\r\nnext' };
  const outcome: StepOutcome = {
    reason: 'failed',
    runId: RUN_ID,
    stepId: 'charts:1H,a%',
    attempt: 1,
    minImages: 1,
    manifestUri: null,
    items: [],
    failures: [],
    durationMs: 1,
    error,
  };
  const view = viewOf(outcome, undefined);
  const context = {
    ...{ chartsApiMode: null, backend: null, dryRun: false },
    localPathOf: () => undefined,
  };
  const summary = toSummary(outcome, view, context);

  test('are escaped as GitHub asks', () => {
    expect(annotations({ summary, view })).toEqual([
      '::error title=charts%3A1H%2Ca%25%3A CHART_API_FAILED::50%25, a:b%0D%0Anext',
    ]);
  });

  test('are one line of Markdown', () => {
    expect(stepSummaryOf({ summary, view, context })).toContain('\n50%, a\\:b next\n');
  });
});

describe.skipIf(whyNoEmulator)(`on gcp ${whyNoEmulator}`, () => {
  test('links go to the bucket', async ({ onTestFinished }) => {
    const scene = await GcpScene.open(onTestFinished);
    const requests = [GOOD, 'ctpl_none'].map((chartTemplateId) => ({ chartTemplateId }));
    const run = flowRun({ inputs: { minImages: 1, requests } });
    await scene.put(paths.flowRun(RUN_ID), run);
    const file = await jsonFile(scene.cwd, 'run.json', run);
    const path = join(scene.cwd, 'summary.md');
    const env = { ...scene.env, GITHUB_STEP_SUMMARY: path, GITHUB_ACTIONS: 'true' };
    const { exitCode, stdout, stderr } = await runCli(scene.argv(file), { cwd: scene.cwd, env });
    expect(exitCode).toBe(0);
    expect(stderr.match(/^::error title=ctpl_none%3A /gm)).toHaveLength(1);
    const markdown = await readFile(path, 'utf8');
    const { items } = summaryOn(stdout);
    const png = items[0]?.pngGcsUri.split('/').at(-1);
    expect(markdown).toContain('| [PNG](https://storage.googleapis.com/charts-bucket/charts/');
    expect(markdown).toContain(`${png}) 800×600`);
    expect(markdown).toMatch(/^Manifest: \[manifest\\.json\]\(https:\/\/.*manifest\.json\)$/m);
  });
});
