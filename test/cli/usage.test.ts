import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  CliProcess,
  emptyFolder,
  flowRun,
  jsonFile,
  logLines,
  runCli,
} from '../support/cli-run.js';
import { CliWorkspace, summaryOn } from '../support/cli-workspace.js';

type OnTestFinished = (undo: () => Promise<void>) => void;

const PACKAGE = new URL('../../package.json', import.meta.url);

async function help(onTestFinished: OnTestFinished, ...argv: string[]): Promise<string> {
  const cwd = await emptyFolder(onTestFinished);
  const { exitCode, stdout, stderr } = await runCli([...argv, '--help'], { cwd });
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout;
}

/** A folder with a flow run that can be done, and its command line. */
async function ready(onTestFinished: OnTestFinished) {
  const cwd = await emptyFolder(onTestFinished);
  await jsonFile(cwd, 'flow_run.json', flowRun());
  return { cwd, argv: ['run-local', '--flow-run-path', 'flow_run.json'] };
}

describe('--help', () => {
  test('comes in groups', async ({ onTestFinished }) => {
    const text = await help(onTestFinished, 'run-local');
    const headings = text.split('\n').filter((line) => /^[A-Z].*:$/.test(line));
    expect(headings).toEqual(
      expect.arrayContaining([
        'What to do:',
        'Where:',
        'Inputs:',
        'Limits:',
        'Output:',
        'Examples:',
        'Environment:',
      ]),
    );
  });

  const twins: readonly (readonly [string, string | undefined])[] = [
    ['--flow-run-path', undefined],
    ['--step-id', undefined],
    ['--charts-api-mode', 'CHARTS_API_MODE'],
    ['--charts-bucket', 'CHARTS_BUCKET'],
    ['--accounts-config-path', 'CHART_IMG_ACCOUNTS_JSON'],
    ['--output-summary', undefined],
    ['--backend', 'CHARTS_BACKEND'],
    ['--workspace', 'WORKER_CHART_EXPORT_WORKSPACE'],
    ['--templates-dir', 'CHARTS_TEMPLATES_DIR'],
    ['--fixtures-dir', 'CHARTS_FIXTURES_DIR'],
    ['--out', undefined],
    ['--replay', undefined],
    ['--ignore-dependencies', undefined],
    ['--dry-run', undefined],
    ['--concurrency', 'CHARTS_CONCURRENCY'],
    ['--timeout', 'CHARTS_TIMEOUT_SECONDS'],
    ['--quiet', undefined],
    ['--verbose', undefined],
    ['--log-format', undefined],
  ];

  test('names every flag with its variable, and the variables alone', async ({
    onTestFinished,
  }) => {
    const text = await help(onTestFinished, 'run-local');
    const told = new Map(
      text.split(/\n {2}(?=-)/).map((entry) => {
        const words = entry.split(/\n\n/)[0]?.replaceAll(/\s+/g, ' ') ?? '';
        return [/--[a-z-]+/.exec(words)?.[0], /env: (\w+)/.exec(words)?.[1]];
      }),
    );
    for (const [flag, env] of twins) {
      expect(told.has(flag), flag).toBe(true);
      expect(told.get(flag), flag).toBe(env);
    }
    for (const name of ['CHARTS_DEFAULT_TIMEZONE', 'CHARTS_LEASE_TTL_SECONDS', 'LOG_LEVEL']) {
      expect(text).toMatch(new RegExp(`^ +${name} `, 'm'));
    }
  });

  test('has three examples, and each of them runs', async ({ onTestFinished }) => {
    const text = await help(onTestFinished);
    const commands = [...text.matchAll(/^ +\$ worker-chart-export (.+)$/gm)].map(
      ([, line]) => line,
    );
    expect(commands).toHaveLength(3);
    expect(await help(onTestFinished, 'run-local')).toContain(commands[0]);
    const cwd = await emptyFolder(onTestFinished);
    for (const [n, command = ''] of commands.entries()) {
      const run = flowRun({ stepId: 'charts:1H:trend', runId: `20251221-12000${n}_BTCUSDT_demo` });
      await jsonFile(cwd, 'flow_run.json', run);
      const { exitCode, stderr } = await runCli(command.split(' '), { cwd });
      expect(exitCode, `${command}: ${stderr}`).toBe(0);
    }
  });

  test('--version is that of the package', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { version } = JSON.parse(await readFile(PACKAGE, 'utf8'));
    const { exitCode, stdout } = await runCli(['--version'], { cwd });
    expect([exitCode, stdout]).toEqual([0, `${version}\n`]);
  });
});

const MISTAKES: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'the required flag mistyped',
    ['run-local', '--flow-run-pth', 'f'],
    /--flow-run-pth.*--flow-run-path\?/,
  ],
  ['a flag mistyped', ['run-local', '--flow-run-path', 'f', '--replya'], /--replya.*--replay\?/],
  ['a flag with = mistyped', ['run-local', '--step-idd=x'], /--step-idd.*--step-id\?/],
  ['the command mistyped', ['run-locl', '--flow-run-path', 'f'], /run-locl.*run-local\?/],
  ['a flag nobody knows', ['run-local', '--zzz'], /unknown option '--zzz'/],
  ['a flag without its value', ['run-local', '--flow-run-path'], /--flow-run-path <file>/],
  ['an argument too many', ['run-local', '--flow-run-path', 'f', 'g'], /too many arguments/],
  ['no command', [], /run-local/],
  ...['step-id', 'run-id', 'only', 'database', 'out'].map((flag) => {
    const argv = ['run-local', '--flow-run-path', 'f', `--${flag}`, ''];
    const words = new RegExp(`--${flag} is given without a value: name one, or leave the flag out`);
    return [`an empty --${flag}`, argv, words] as const;
  }),
];

describe('a mistake in the flags', () => {
  test.for(MISTAKES)('%s: one line, exit 2', async ([, argv, names], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toMatch(names);
  });

  test('the required flag left out is named', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stderr } = await runCli(['run-local', '--log-format', 'pretty'], { cwd });
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(/^error: --flow-run-path is required.*\n$/),
    ]);
  });

  test.for([
    ['before', ['run-local', '--output-summary', 'json', '--flow-run-pth', 'f']],
    ['after', ['run-local', '--flow-run-pth', 'f', '--output-summary', 'json']],
    ['with =', ['run-local', '--flow-run-pth', 'f', '--output-summary=json']],
    [
      'as the last of two',
      ['run-local', '--output-summary', 'none', '--x', '--output-summary', 'json'],
    ],
    [
      'although the log format is wrong',
      ['run-local', '--output-summary', 'json', '--log-format', 'x'],
    ],
  ] as const)('a JSON summary that was asked for %s is printed', async ([, argv], context) => {
    const cwd = await emptyFolder(context.onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
    expect(exitCode).toBe(2);
    const summary = summaryOn(stdout);
    expect(summary).toMatchObject({ status: null, errorCode: 'CONFIG_ERROR', runId: null });
    expect(stderr).toBe(`error: ${summary.message}\n`);
  });

  test.for([
    ['run-local', '--flow-run-pth', 'f', '--output-summary', 'none'],
    ['run-local', '--output-summary', 'json', '--x', '--output-summary', 'text'],
    ['run-local', '--flow-run-path', 'f', '--output-summary', 'jsn'],
  ])('otherwise nothing is: %s %s %s %s %s', async (argv, { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
  });
});

describe('flag over environment over default', () => {
  const twins = [
    { env: 'CHARTS_API_MODE', bad: 'fake', flag: '--charts-api-mode', good: 'mock' },
    { env: 'CHARTS_BACKEND', bad: 'aws', flag: '--backend', good: 'local' },
    { env: 'WORKER_CHART_EXPORT_WORKSPACE', bad: 'flow_run.json', flag: '--workspace', good: 'ws' },
    { env: 'CHARTS_BUCKET', bad: 'NO', flag: '--charts-bucket', good: 'gs://good-bucket' },
    { env: 'CHARTS_TEMPLATES_DIR', bad: 'none', flag: '--templates-dir', good: '.' },
    { env: 'CHARTS_FIXTURES_DIR', bad: 'none', flag: '--fixtures-dir', good: '.' },
    { env: 'CHART_IMG_ACCOUNTS_JSON', bad: '{', flag: '--accounts-config-path', good: 'accounts' },
    { env: 'CHARTS_CONCURRENCY', bad: '0', flag: '--concurrency', good: '1' },
    { env: 'CHARTS_TIMEOUT_SECONDS', bad: '0', flag: '--timeout', good: '60' },
  ];

  test.for(twins)('$flag over $env', async ({ env, bad, flag, good }, { onTestFinished }) => {
    const { cwd, argv } = await ready(onTestFinished);
    await writeFile(join(cwd, 'accounts'), '[{"id":"a","apiKey":"k"}]');
    const refused = await runCli([...argv, '--output-summary', 'json'], {
      cwd,
      env: { [env]: bad },
    });
    expect(refused.exitCode).toBe(2);
    expect(summaryOn(refused.stdout).message).toMatch(
      env === 'WORKER_CHART_EXPORT_WORKSPACE' ? /flow_run\.json cannot be written/ : env,
    );
    const done = await runCli([...argv, flag, good], { cwd, env: { [env]: bad } });
    expect(done.exitCode, done.stderr).toBe(0);
  });

  test('the environment over the default', async ({ onTestFinished }) => {
    const { cwd, argv } = await ready(onTestFinished);
    const env = { CHARTS_BUCKET: 'from-env', WORKER_CHART_EXPORT_WORKSPACE: 'ws-env' };
    const { stdout, stderr } = await runCli([...argv, '--output-summary', 'json'], { cwd, env });
    const { outputsManifestGcsUri } = summaryOn(stdout);
    expect(outputsManifestGcsUri).toMatch(/^gs:\/\/from-env\/charts\//);
    const workspace = new CliWorkspace(cwd, 'ws-env');
    expect((await workspace.manifest(outputsManifestGcsUri)).items).toHaveLength(1);
    expect(logLines(stderr)[0]).toMatchObject({
      event: 'local_run_started',
      bucket: 'from-env',
      workspace: workspace.root,
    });
  });

  test('an empty variable is an absent one', async ({ onTestFinished }) => {
    const { cwd, argv } = await ready(onTestFinished);
    const alone = ['CHARTS_DEFAULT_TIMEZONE', 'CHARTS_LEASE_TTL_SECONDS', 'LOG_LEVEL', 'TDA_ENV'];
    const names = [...twins.map(({ env }) => env), ...alone, 'ENV', 'NO_COLOR', 'FORCE_COLOR'];
    const env = Object.fromEntries(names.map((name) => [name, '']));
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd, env });
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('manifest=gs://local/');
    expect(logLines(stderr)[0]).toMatchObject({ event: 'local_run_started', env: 'local' });
  });
});

describe('the two streams', () => {
  test('logs are JSON lines on stderr, and nothing of them is on stdout', async ({
    onTestFinished,
  }) => {
    const { cwd, argv } = await ready(onTestFinished);
    const { stdout, stderr } = await runCli([...argv, '--output-summary', 'none', '--verbose'], {
      cwd,
    });
    expect(stdout).toBe('');
    const lines = logLines(stderr);
    expect(stderr.trimEnd().split('\n')).toHaveLength(lines.length);
    for (const line of lines) {
      expect(line).toMatchObject({
        severity: expect.stringMatching(/^(DEBUG|INFO|WARNING|ERROR)$/),
        time: expect.stringMatching(/Z$/),
        event: expect.any(String),
        message: expect.any(String),
        service: 'worker-chart-export',
        env: 'local',
      });
    }
    const events = lines.map(({ event }) => event);
    for (const event of [
      'local_run_started',
      'ready_step_selected',
      'claim_attempt',
      'core_start',
      'chart_api_call_start',
      'chart_api_call_finished',
      'manifest_written',
      'step_completed',
    ]) {
      expect(events).toContain(event);
    }
  });

  test('--quiet says nothing of what goes well', async ({ onTestFinished }) => {
    const { cwd, argv } = await ready(onTestFinished);
    const { exitCode, stderr } = await runCli([...argv, '--quiet'], { cwd });
    expect([exitCode, stderr]).toEqual([0, '']);
  });

  test.for([
    { what: 'a pipe has none', env: {}, coloured: false },
    { what: 'FORCE_COLOR asks for them', env: { FORCE_COLOR: '1' }, coloured: true },
    { what: 'FORCE_COLOR=0 does not', env: { FORCE_COLOR: '0' }, coloured: false },
    { what: 'NO_COLOR wins', env: { NO_COLOR: '1', FORCE_COLOR: '1' }, coloured: false },
  ])('colours: $what', async ({ env, coloured }, { onTestFinished }) => {
    const { cwd, argv } = await ready(onTestFinished);
    const flags = ['--log-format', 'pretty'];
    const { stdout, stderr } = await runCli([...argv, ...flags], { cwd, env });
    expect(stderr).toContain('ctpl_price_ma1226_vol_v1');
    expect(stderr.includes('\u001b[')).toBe(coloured);
    expect(stdout).not.toContain('\u001b');
  });

  test.for([
    { what: 'the help', argv: ['run-local', '--help'], exit: 0 },
    {
      what: 'a summary in words',
      argv: ['run-local', '--flow-run-path', 'flow_run.json'],
      exit: 0,
    },
    {
      what: 'a summary in JSON',
      argv: ['run-local', '--flow-run-path', 'flow_run.json', '--output-summary', 'json'],
      exit: 0,
    },
    { what: 'a mistake', argv: ['run-local', '--x', '--output-summary', 'json'], exit: 2 },
  ])('a reader of stdout that has gone is no error: $what', async ({ argv, exit }, context) => {
    const { cwd } = await ready(context.onTestFinished);
    const run = new CliProcess(argv, { cwd });
    run.child.stdout?.destroy();
    const { exitCode, signal, stderr } = await run.ended;
    expect([exitCode, signal]).toEqual([exit, null]);
    expect(stderr).not.toMatch(/EPIPE|^\s+at /m);
  });

  test('a reader of stderr that has gone does not stop the step', async ({ onTestFinished }) => {
    const { cwd, argv } = await ready(onTestFinished);
    const run = new CliProcess([...argv, '--output-summary', 'json', '--verbose'], { cwd });
    run.child.stderr?.destroy();
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    expect(summaryOn(stdout).status).toBe('SUCCEEDED');
  });
});
