import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { kilobytes } from '../../src/kilobytes.js';
import { emptyFolder, flowRun, jsonFile, logLines, runCli } from '../support/cli-run.js';
import { fakeFor, LIVE_KEY } from '../support/live-scene.js';
import { runOnTerminal, whyNoTerminal } from '../support/terminal.js';

// All of them wait for the pace of an account.
vi.setConfig({ maxConcurrency: 8 });

type OnTestFinished = (undo: () => Promise<void>) => void;

/** Three more than a BASIC account sends at once. */
const SIX = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `ctpl_${letter}`);
const SAMPLE = new URL(
  '../../fixtures/chart-templates/ctpl_price_ma1226_vol_v1.json',
  import.meta.url,
);
const FRAMES = /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;

/** Six charts to be drawn by a Chart-IMG that takes one request a second. */
async function sixCharts(onTestFinished: OnTestFinished, accounts = ['acc-1']) {
  const cwd = await emptyFolder(onTestFinished);
  const keyed = accounts.map((id, n) => ({
    id,
    apiKey: `${LIVE_KEY}-${n}`,
    plan: 'BASIC' as const,
  }));
  const fake = await fakeFor(onTestFinished, { keys: keyed });
  const folder = join(cwd, 'templates');
  await mkdir(folder);
  const template = JSON.parse(await readFile(SAMPLE, 'utf8'));
  for (const id of SIX) await jsonFile(folder, `${id}.json`, { ...template, id });
  const requests = SIX.map((chartTemplateId) => ({ chartTemplateId }));
  await jsonFile(cwd, 'flow_run.json', flowRun({ inputs: { requests } }));
  const argv = ['run-local', '--flow-run-path', 'flow_run.json', '--templates-dir', 'templates'];
  const env = { CHART_IMG_BASE_URL: fake.url, CHART_IMG_ACCOUNTS_JSON: JSON.stringify(keyed) };
  return { cwd, fake, env, argv: [...argv, '--charts-api-mode', 'real'] };
}

describe.skipIf(whyNoTerminal)(`progress on a terminal ${whyNoTerminal}`, () => {
  test.concurrent.for([100, 30])('of %i columns: one line that moves', async (columns, context) => {
    const { cwd, env, argv } = await sixCharts(context.onTestFinished);
    const { exitCode, pieces } = await runOnTerminal(argv, { cwd, env, columns });
    expect(exitCode).toBe(0);
    const waits =
      columns === 100 ? /[3-5]\/6 charts, waiting \d s: / : /[3-5]\/6 waiting \d s: pace/;
    const live = pieces.filter((piece) => FRAMES.test(piece));
    expect(live.length).toBeGreaterThan(5);
    expect(Math.max(...live.map((piece) => piece.length))).toBeLessThan(columns);
    expect(live[0]).toMatch(/0\/6 charts/);
    expect(live.some((piece) => waits.test(piece))).toBe(true);
    if (columns === 100) {
      expect(live.join('\n')).toMatch(/waiting 1 s: pace of account acc-1$/m);
    }
  });

  test('a command that draws nothing leaves the cursor alone', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const env = { NO_COLOR: '1' };
    const { exitCode, output } = await runOnTerminal(['symbols', 'list'], {
      cwd,
      env,
      columns: 80,
    });
    expect(exitCode).toBe(0);
    expect(output).toContain('SYMBOL');
    expect(output).not.toContain('\u001b');
  });

  test.concurrent.for([
    { what: '0 columns', columns: 0, env: {} },
    { what: 'TERM=dumb', columns: 80, env: { TERM: 'dumb' } },
    { what: 'CI', columns: 80, env: { CI: 'true' } },
  ])('$what: nothing moves, a plain line tells of the wait', async ({ columns, env }, context) => {
    const scene = await sixCharts(context.onTestFinished);
    const { cwd, argv } = scene;
    const { exitCode, output, pieces } = await runOnTerminal(argv, {
      cwd,
      env: { ...scene.env, ...env, NO_COLOR: '1' },
      columns,
    });
    expect(exitCode).toBe(0);
    expect(output).not.toContain('\u001b');
    const told = pieces.filter((piece) => piece.includes('waiting'));
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(4);
    for (const line of told) {
      expect(line).toMatch(/^\d\/6 charts, waiting \d s: pace of account acc-1$/);
    }
  });

  test.concurrent('one line a chart: account, time, size', async ({ onTestFinished }) => {
    const { cwd, env, argv } = await sixCharts(onTestFinished);
    const { output } = await runOnTerminal(argv, {
      cwd,
      env: { ...env, NO_COLOR: '1' },
      columns: 200,
    });
    for (const id of SIX) {
      const line = `✔ ${id} \\(account acc-1, \\d+ ms, \\d+ kB, 800×600 px\\)`;
      expect(output.match(new RegExp(line, 'g')), id).toHaveLength(1);
    }
  });

  test.concurrent('two accounts at their limit are all of them', async ({ onTestFinished }) => {
    const { cwd, env, argv } = await sixCharts(onTestFinished, ['acc-1', 'acc-2']);
    const accounts = JSON.parse(env.CHART_IMG_ACCOUNTS_JSON);
    const slow = accounts.map((account: object) => ({ ...account, burst: 1 }));
    const { exitCode, output } = await runOnTerminal(argv, {
      cwd,
      env: { ...env, CHART_IMG_ACCOUNTS_JSON: JSON.stringify(slow) },
      columns: 100,
    });
    expect(exitCode).toBe(0);
    expect(output).toContain('pace of all accounts');
  });

  test.concurrent.for([
    {
      what: 'Retry-After',
      headers: { 'retry-after': '2' },
      words: 'waiting 2 s: Retry-After of Chart-IMG',
    },
    { what: 'a pause of our own', headers: {}, words: 's: a pause before the next try' },
  ])('after a 503: $what', async ({ headers, words }, context) => {
    const { cwd, env, argv, fake } = await sixCharts(context.onTestFinished);
    // Twice: our own pause is of random length, and one of some milliseconds is not drawn.
    fake.faults.add({ times: 2, fault: { act: 'answer', status: 503, headers } });
    const { exitCode, output } = await runOnTerminal([...argv, '--concurrency', '1'], {
      cwd,
      env,
      columns: 100,
    });
    expect(exitCode).toBe(0);
    expect(output).toContain(words);
  });

  test.concurrent('--quiet: neither line nor wait', async ({ onTestFinished }) => {
    const { cwd, env, argv } = await sixCharts(onTestFinished);
    const flags = ['--quiet', '--output-summary', 'none'];
    const { exitCode, output } = await runOnTerminal([...argv, ...flags], {
      cwd,
      env,
      columns: 100,
    });
    expect([exitCode, output]).toEqual([0, '']);
  });
});

describe.concurrent('in a pipe', () => {
  test.for([
    { flags: [], waits: false },
    { flags: ['--verbose'], waits: true },
  ])('waits are told with --verbose alone: $flags', async ({ flags, waits }, context) => {
    const { cwd, env, argv } = await sixCharts(context.onTestFinished);
    const { exitCode, stderr } = await runCli([...argv, ...flags], { cwd, env });
    expect(exitCode).toBe(0);
    const told = logLines(stderr).filter(({ event }) => event === 'chart_waiting');
    expect(told.length > 0).toBe(waits);
    for (const line of told) {
      expect(line).toMatchObject({
        severity: 'DEBUG',
        reason: 'pace',
        accountId: 'acc-1',
        waitMs: expect.any(Number),
        message: expect.stringMatching(/^waiting \d+ ms: pace of account acc-1$/),
      });
    }
  });

  test('pretty lines there have no live line', async ({ onTestFinished }) => {
    const { cwd, env, argv } = await sixCharts(onTestFinished);
    const { stderr } = await runCli([...argv, '--log-format', 'pretty'], { cwd, env });
    expect(stderr).not.toContain('\u001b');
    expect(stderr).toMatch(/^✔ ctpl_f \(account acc-1, /m);
    expect(stderr.match(/waiting/g)).toHaveLength(1);
  });
});

test('a size is never 0 kB', () => {
  expect([1, 1_000, 1_001].map(kilobytes)).toEqual(['1 kB', '1 kB', '2 kB']);
});
